"""The caches keep values by namespace and key, for as long as they were told."""

from __future__ import annotations

import importlib
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass

import pytest

from nbhitl.cache.memory import InMemoryCache
from nbhitl.cache.sqlite import SqliteCache
from nbhitl.errors import NewerStore, StoreError, UnsupportedValue

KINDS = ["memory", "sqlite"]
A, B, M = (("ns",), "a"), (("ns",), "b"), (("m", "ns"), "a")


def make(kind, package="nbhitl"):
    if kind == "memory":
        return importlib.import_module(f"{package}.cache.memory").InMemoryCache()
    return importlib.import_module(f"{package}.cache.sqlite").SqliteCache(path=":memory:")


@pytest.fixture(params=KINDS)
def cache(request):
    return make(request.param)


@pytest.fixture
def clock(monkeypatch):
    """The time that the caches see; a list of one number, to be changed."""
    now = [1000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_set_get_and_clear(cache):
    cache.set({A: (1, None), B: ({"x": [1, None, "é"]}, 60), M: (("t", 1), None)})
    assert cache.get([A, B, M, (("ns",), "c")]) == {A: 1, B: {"x": [1, None, "é"]}, M: ("t", 1)}
    cache.set({A: (2, None)})
    assert cache.get([A]) == {A: 2}
    cache.clear([("ns",)])
    assert cache.get([A, B, M]) == {M: ("t", 1)}
    cache.clear()
    assert cache.get([A, B, M]) == {}
    assert cache.get([]) == {}


async def test_async_twins(cache):
    await cache.aset({A: (None, None), M: (2, None)})
    assert await cache.aget([A, M]) == {A: None, M: 2}
    await cache.aclear([("ns",)])
    assert await cache.aget([A, M]) == {M: 2}
    await cache.aclear()
    assert await cache.aget([A, M]) == {}


def test_values_expire(cache, clock):
    cache.set({A: ("short", 10), B: ("long", 100), M: ("for ever", None)})
    clock[0] += 9.9
    assert set(cache.get([A, B, M])) == {A, B, M}
    clock[0] += 0.1
    assert set(cache.get([A, B, M])) == {B, M}
    clock[0] += 1e9
    assert set(cache.get([A, B, M])) == {M}
    cache.set({A: ("at once", 0)})
    assert cache.get([A]) == {}


def test_expired_rows_do_not_pile_up(clock):
    cache = make("sqlite")
    for n in range(20):
        cache.set({(("ns",), str(n)): (n, 5)})
        clock[0] += 1
    assert cache._connection.execute("SELECT count(*) FROM nbhitl_cache").fetchone()[0] <= 6


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_steps_as_on_langgraphs(kind):
    def steps(cache):
        cache.set({(("a", "b"), "k"): ([1], None), (("a",), "k"): ("é", None), (("a",), "l"): (None, 0)})
        seen = [cache.get([(("a", "b"), "k"), (("a",), "k"), (("a",), "l")])]
        cache.clear([("a",), ("nobody",)])
        seen.append(cache.get([(("a", "b"), "k"), (("a",), "k")]))
        return seen

    assert steps(make(kind)) == steps(make(kind, "langgraph"))


@dataclass
class Point:
    x: int


def test_values_are_kept_apart_from_the_programs(cache):
    mine = {"list": [1]}
    cache.set({A: (mine, None), B: (Point(2), None)})
    mine["list"].append(2)
    cache.get([A])[A]["list"].append(3)
    assert cache.get([A, B]) == {A: {"list": [1]}, B: Point(2)}


def test_what_cannot_be_kept_is_an_error_and_nothing_is_kept(cache):
    with pytest.raises(UnsupportedValue):
        cache.set({A: (1, None), B: (object(), None)})
    assert cache.get([A, B]) == {}


def test_threads(cache):
    errors = []

    def work(n):
        try:
            for i in range(20):
                cache.set({(("ns", str(n)), str(i)): (n * i, None)})
                assert cache.get([(("ns", str(n)), str(i))]) == {(("ns", str(n)), str(i)): n * i}
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_file_outlives_the_cache(tmp_path):
    path = str(tmp_path / "cache.db")
    first = SqliteCache(path=path)
    first.set({A: ({"x": 1}, None)})
    second = SqliteCache(path=path)
    assert second.get([A]) == {A: {"x": 1}}
    first.close()
    second.close()
    third = SqliteCache(path=path)
    assert third.get([A]) == {A: {"x": 1}}
    third.close()


def test_what_cannot_be_read_any_more_is_not_there(tmp_path):
    """A class that a new process does not know yet: the node runs again, and the entry is replaced."""
    path = str(tmp_path / "cache.db")
    first = SqliteCache(path=path)
    first.set({A: (Point(1), None), B: (2, None)})
    first.close()
    second = SqliteCache(path=path)
    assert second.get([A, B]) == {B: 2}
    second.set({A: (Point(3), None)})
    assert second.get([A]) == {A: Point(3)}
    second.close()


def test_a_file_of_a_newer_nbhitl_is_refused(tmp_path):
    path = tmp_path / "cache.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(NewerStore, match="written by a newer nbhitl"):
        SqliteCache(path=str(path))


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database" * 1000)
    with pytest.raises(StoreError, match=r"notes\.txt.*could not open"):
        SqliteCache(path=str(path))


def test_a_serializer_of_ones_own():
    class Text:
        def dumps_typed(self, obj):
            return "text", repr(obj).encode()

        def loads_typed(self, data):
            return data[1].decode()

    cache = InMemoryCache(serde=Text())
    cache.set({A: ([1], None)})
    assert cache.get([A]) == {A: "[1]"}
    with pytest.raises(TypeError, match="dumps_typed"):
        InMemoryCache(serde=3)
