"""Stores in SQLite and PostgreSQL, sync and async: one behaviour, LangGraph's where its own two agree."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import UserDict
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from uuid import UUID

import aiosqlite
import psycopg
import psycopg_pool
import pytest
from langgraph.store.postgres import PostgresStore as TheirPostgresStore
from langgraph.store.sqlite import SqliteStore as TheirSqliteStore

from nbhitl.errors import NewerStore, StoreError, UnsupportedValue
from nbhitl.store._sweeper import Sweeper
from nbhitl.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchItem,
    SearchOp,
)
from nbhitl.store.postgres import AsyncPostgresStore, PostgresStore
from nbhitl.store.sqlite import AsyncSqliteStore, SqliteStore

KINDS = ["sqlite", "postgres"]
OURS = {"sqlite": SqliteStore, "postgres": PostgresStore}
THEIRS = {"sqlite": TheirSqliteStore, "postgres": TheirPostgresStore}


@pytest.fixture
def make(request):
    """Opens stores of a kind by their class; closed after the test."""
    with ExitStack() as stack:

        def made(classes, kind, **options):
            address = ":memory:" if kind == "sqlite" else request.getfixturevalue("postgres")
            store = stack.enter_context(classes[kind].from_conn_string(address, **options))
            store.setup()
            return store

        yield made


@pytest.fixture(params=KINDS)
def store(request, make):
    return make(OURS, request.param)


def fill(store):
    for n in range(12):
        value = {"n": n, "t": "x" if n % 2 else "y", "l": [n, 1], "b": bool(n % 2), "f": n / 2}
        store.put(("u", str(n % 3)), f"k{n}", value)
    store.put(("users",), "top", {"n": 100})
    store.put(("u",), "root", {"t": "x", "n": 50})
    store.delete(("u", "1"), "k4")
    return store


def keys(items):
    return sorted(item.key for item in items)


READS = [
    *(lambda s, p=p: keys(s.search(p, limit=100)) for p in ((), ("u",), ("u", "1"), ("no",), ("*",), ("1",))),
    *(
        lambda s, f=f: keys(s.search(("u",), filter=f, limit=100))
        for f in (
            {"t": "x"},
            {"t": "x", "n": 3},
            {"n": {"$eq": 3}},
            {"n": {"$ne": 3}},
            {"zz": 1},
            {"zz": {"$ne": 3}},
            {"b": True},
            {"f": 1.5},
            {"n": "3"},
            {"t": {"$gt": "x"}},
            {"t": {"$gte": "x"}},
            {"l": [3, 1]},
            {"l": [3]},
        )
    ),
    *(
        lambda s, how=how: s.list_namespaces(**how)
        for how in (
            {},
            {"prefix": ("u",)},
            {"suffix": ("1",)},
            {"max_depth": 1},
            {"prefix": ("*", "1")},
            {"prefix": ("u", "*")},
            {"limit": 2},
            {"offset": 2},
            {"prefix": ("u",), "suffix": ("2",)},
            {"suffix": ("u", "*")},
        )
    ),
    lambda s: s.get(("u", "0"), "k3").value,
    lambda s: s.get(("u", "0"), "nothing"),
    lambda s: [i.value for i in s.search(("u", "2"), filter={"n": 5})],
]


@pytest.mark.parametrize("kind", KINDS)
def test_reads_are_langgraphs(kind, make):
    theirs, ours = fill(make(THEIRS, kind)), fill(make(OURS, kind))
    assert [read(ours) for read in READS] == [read(theirs) for read in READS]


def test_numbers_are_compared_as_numbers(store):
    fill(store)
    assert keys(store.search(("u",), filter={"n": {"$gt": 8}}, limit=50)) == ["k10", "k11", "k9", "root"]
    assert keys(store.search(("u",), filter={"n": {"$gte": 8, "$lt": 10}})) == ["k8", "k9"]
    assert keys(store.search(("u",), filter={"t": {"$lte": 5}})) == []
    with pytest.raises(ValueError, match=r"Unsupported operator: \$in. Known are"):
        store.search(("u",), filter={"n": {"$in": [1]}})


def test_what_was_put_last_comes_first_a_page_at_a_time(store):
    for n in range(5):
        store.put(("p",), f"k{n}", {"even": n % 2 == 0})
    store.put(("p",), "k1", {"even": False})
    assert [i.key for i in store.search(("p",))] == ["k1", "k4", "k3", "k2", "k0"]
    assert [i.key for i in store.search(("p",), limit=2, offset=1)] == ["k4", "k3"]
    assert [i.key for i in store.search(("p",), filter={"even": True}, limit=2, offset=1)] == ["k2", "k0"]
    assert store.search(("p",), limit=0) == []


def test_times_are_utc_and_the_first_one_stays(store):
    before = datetime.now(UTC)
    store.put(("t",), "k", {"n": 1})
    store.put(("t",), "k", {"n": 2})
    (found,) = store.search(("t",))
    assert isinstance(found, SearchItem)
    assert found.score is None
    assert abs((found.created_at - before).total_seconds()) < 5
    assert found.created_at < found.updated_at
    assert found.updated_at.tzinfo is UTC


VALUES = [
    ({"t": (1, (2,)), "none": None}, {"t": [1, [2]], "none": None}),
    (
        {"at": datetime(2020, 1, 2, 3), "on": date(2020, 1, 2)},
        {"at": "2020-01-02T03:00:00", "on": "2020-01-02"},
    ),
    ({"id": UUID(int=1)}, {"id": "00000000-0000-0000-0000-000000000001"}),
    ({"text": "a\x00b ü 😀 \\u0000 '\"%s?"}, {"text": "a\x00b ü 😀 \\u0000 '\"%s?"}),
    ({"big": 2**80, "": {}}, {"big": 2**80, "": {}}),
]


@pytest.mark.parametrize(("given", "kept"), VALUES, ids=repr)
def test_values_are_json(store, given, kept):
    store.put(("v",), "k", given)
    found = store.get(("v",), "k").value
    assert found == kept
    found["changed"] = True
    assert store.get(("v",), "k").value == kept


BAD = [
    {"s": {1}},
    {"b": b"x"},
    {1: 2},
    {"in": [{2: 3}]},
    {"nan": float("nan")},
    {"odd": "\ud800"},
    [1],
    "text",
]


@pytest.mark.parametrize("value", BAD, ids=repr)
def test_what_is_no_json_is_refused_with_its_place(store, value):
    ops = [PutOp(("v",), "good", {"n": 1}), PutOp(("v",), "bad", value)]
    with pytest.raises(
        UnsupportedValue, match=r"item 'bad' in namespace \('v',\): its value cannot be stored"
    ):
        store.batch(ops)
    assert store.search(("v",)) == []


@pytest.mark.parametrize("namespace", [(), ("a.b",), ("a", ""), ("langgraph", "x"), ("a", 3)])
def test_namespaces_that_no_item_can_have(store, namespace):
    for put in (lambda: store.put(namespace, "k", {}), lambda: store.batch([PutOp(namespace, "k", {})])):
        with pytest.raises(InvalidNamespaceError):
            put()


@pytest.mark.parametrize("namespace", [("a.b",), ("",), ("a", ""), ("a", 3)])
def test_namespaces_that_would_name_other_items_are_refused(store, namespace):
    store.put(("a", "b"), "k", {})
    for use in (
        lambda: store.get(namespace, "k"),
        lambda: store.search(namespace),
        lambda: store.delete(namespace, "k"),
        lambda: store.batch([GetOp(namespace, "k")]),
        lambda: store.batch([SearchOp(namespace)]),
        lambda: store.batch([PutOp(namespace, "k", None)]),
    ):
        with pytest.raises(InvalidNamespaceError):
            use()
    assert store.get(("a", "b"), "k") is not None


HOSTILE = ["a'%_*", 'q"x', "a\\b", "?", "%s", "😀", " ", "/", "-"]


def test_odd_names_are_bound(store):
    for name in HOSTILE:
        store.put((name, name), name, {name: name})
    for name in HOSTILE:
        assert [(i.namespace, i.key, i.value) for i in store.search((name,))] == [
            ((name, name), name, {name: name})
        ]
        assert keys(store.search((), filter={name: name})) == [name]
        assert store.list_namespaces(prefix=(name,)) == [(name, name)]
        assert store.get((name, name), name).value == {name: name}
    assert store.search(("a",)) == []
    store.put(("n",), 5, {})
    assert store.get(("n",), 5).key == "5"


def test_a_batch_reads_what_was_there_before_it(store):
    store.put(("b",), "old", {"n": 0})
    ops = [
        PutOp(("b",), "1", {"n": 1}),
        PutOp(("b",), "1", {"n": 2}),
        PutOp(("b",), "old", None),
        GetOp(("b",), "1"),
        GetOp(("b",), "old"),
        SearchOp(("b",)),
        ListNamespacesOp((MatchCondition("prefix", ("b",)),)),
    ]
    results = store.batch(ops)
    assert results[:4] == [None] * 4
    assert results[4].value == {"n": 0}
    assert keys(results[5]) == ["old"]
    assert results[6] == [("b",)]
    assert [(i.key, i.value) for i in store.search(("b",))] == [("1", {"n": 2})]
    with pytest.raises(ValueError, match="Unknown operation type"):
        store.batch([GetOp(("b",), "1"), "nonsense"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hidden", [False, True])
def test_items_expire(kind, hidden, make):
    store = make(OURS, kind, ttl={"default_ttl": 10, "refresh_on_read": True, "omit_expired": hidden})
    assert store.supports_ttl
    store.put(("t",), "long", {})
    store.put(("t",), "forever", {}, ttl=None)
    store.put(("t",), "short", {}, ttl=0.0001)
    store.put(("gone",), "short", {}, ttl=0.0001)
    time.sleep(0.02)
    there = ["forever", "long"] if hidden else ["forever", "long", "short"]
    assert keys(store.search(("t",), refresh_ttl=False)) == there
    assert (store.get(("t",), "short", refresh_ttl=False) is None) is hidden
    assert store.list_namespaces() == ([("t",)] if hidden else [("gone",), ("t",)])
    assert store.sweep_ttl() == 2
    assert store.sweep_ttl() == 0
    assert keys(store.search(())) == ["forever", "long"]


def test_reading_an_item_gives_it_time(store):
    for key in ("read", "searched", "left"):
        store.put(("r", key), key, {}, ttl=0.005)
    time.sleep(0.2)
    assert store.get(("r", "read"), "read") is not None
    assert store.search(("r", "searched"))
    assert store.get(("r", "left"), "left", refresh_ttl=False) is not None
    time.sleep(0.2)
    assert store.sweep_ttl() == 1
    assert keys(store.search(("r",))) == ["read", "searched"]


def test_the_sweeper_sweeps_until_it_is_stopped(store):
    assert store.stop_ttl_sweeper() is True
    store.put(("t",), "k", {}, ttl=0.0001)
    running = store._sweeper.start(0.01)
    assert store.start_ttl_sweeper(1) is running
    until = time.monotonic() + 5
    while store.search((), refresh_ttl=False) and time.monotonic() < until:
        time.sleep(0.01)
    assert store.search((), refresh_ttl=False) == []
    assert store.stop_ttl_sweeper(5) is True
    assert running.result(1) is None


def test_a_sweeper_that_was_told_to_stop_can_be_started_again_at_once():
    sweeping, go_on, swept = threading.Event(), threading.Event(), []

    def sweep():
        swept.append(threading.current_thread())
        sweeping.set()
        assert go_on.wait(5)

    sweeper = Sweeper(sweep)
    first = sweeper.start(0.001)
    assert sweeping.wait(5)
    assert sweeper.stop(0) is False
    second = sweeper.start(0.001)
    go_on.set()
    assert first.result(5) is None
    sweeping.clear()
    assert sweeping.wait(5)
    assert sweeper.stop(5) is True
    assert second.result(1) is None
    assert len(set(swept)) == 2


def test_an_item_that_is_read_while_others_are_swept_keeps_its_vectors(make):
    store = make(OURS, "sqlite", index=INDEX)
    for key, ttl in (("gone", 0.0001), ("kept", 10)):
        store.put(("d",), key, {"text": "aaaa"}, ttl=ttl)
    time.sleep(0.02)
    assert store.sweep_ttl() == 1
    assert keys(store.search(("d",), query="a")) == ["kept"]
    assert store.conn.execute("SELECT key FROM nbhitl_vectors").fetchall() == [("kept",)]


def embed(texts):
    return [[float(text.lower().count(letter)) for letter in "abcdefgh"] + [0.1] for text in texts]


INDEX = {"dims": 9, "embed": embed, "fields": ["text", "meta.t"]}


def ranked(items):
    return [(item.key, None if item.score is None else round(item.score, 4)) for item in items]


@pytest.mark.parametrize("kind", KINDS)
def test_searches_by_meaning(kind, make):
    store = make(OURS, kind, index=INDEX)
    store.put(("d",), "1", {"text": "aaaa"})
    store.put(("d",), "2", {"text": "abab", "meta": {"t": "bbbb"}})
    store.put(("d",), "3", {"other": 1})
    store.put(("d",), "4", {"text": "bbb"}, index=False)
    store.put(("d", "e"), "5", {"text": "ccc", "z": "bbbbb"}, index=["z"])
    store.put(("elsewhere",), "6", {"text": "bbbb"})
    assert ranked(store.search(("d",), query="b")) == [("2", 0.9972), ("5", 0.9968), ("1", 0.0025)]
    assert ranked(store.search(("d",), query="b", limit=1, offset=1)) == [("5", 0.9968)]
    assert ranked(store.search(("d",), query="b", filter={"text": "abab"})) == [("2", 0.9972)]
    assert len(store.search(("d",))) == 5
    store.put(("d",), "2", {"text": "cccc"})
    store.delete(("d", "e"), "5")
    assert ranked(store.search(("d",), query="b")) == [("2", 0.0025), ("1", 0.0025)]
    store.put(("d",), "7", {"text": "bb"}, ttl=0.00001)
    time.sleep(0.01)
    assert store.sweep_ttl() == 1
    assert store._rows.all("SELECT count(*) FROM nbhitl_vectors")[0][0] == 3


@pytest.mark.parametrize("kind", KINDS)
def test_an_index_that_does_not_fit_is_refused(kind, make):
    store = make(OURS, kind, index={"dims": 3, "embed": embed})
    with pytest.raises(ValueError, match=r"embed made a vector of 9 numbers .* index={'dims': 3} was given"):
        store.put(("d",), "1", {"text": "aaaa"})
    with pytest.raises(ValueError, match="distance_type is 'l2'"):
        make(OURS, kind, index={"dims": 9, "embed": embed, "distance_type": "l2"})


def test_threads_take_turns(store):
    def work(number):
        for n in range(10):
            store.put(("w", str(number)), str(n), {"n": n})
            store.put(("shared",), "k", {"by": number, "n": n})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.search(("w",), limit=100)) == 40
    assert store.get(("shared",), "k").value["n"] == 9


def test_two_stores_that_write_the_same_items_do_not_wait_for_each_other(address):
    opened_store = (PostgresStore if "host=" in address else SqliteStore).from_conn_string
    problems = []

    def work(mine, keys):
        try:
            for n in range(20):
                mine.batch([PutOp(("s",), key, {"n": n} if n % 3 else None) for key in keys])
                mine.batch([PutOp(("s",), key, {"n": n}, ttl=5) for key in keys])
                mine.batch([GetOp(("s",), key) for key in keys])
        except StoreError as error:
            problems.append(error)

    keys = [str(n) for n in range(6)]
    with opened_store(address) as one, opened_store(address) as other:
        threads = [
            threading.Thread(target=work, args=(one, keys)),
            threading.Thread(target=work, args=(other, keys[::-1])),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert len(one.search(("s",))) == 6


# -- async ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def lent_sqlite(_):
    async with aiosqlite.connect(":memory:") as conn:
        yield AsyncSqliteStore(conn)


@asynccontextmanager
async def lent_postgres(address):
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as conn:
        yield AsyncPostgresStore(conn)


ASYNC = {
    "sqlite": lambda _: AsyncSqliteStore.from_conn_string(":memory:"),
    "aiosqlite": lent_sqlite,
    "postgres": AsyncPostgresStore.from_conn_string,
    "pool": lambda address: AsyncPostgresStore.from_conn_string(
        address, pool_config={"min_size": 1, "max_size": 3}
    ),
    "async connection": lent_postgres,
}


@pytest.mark.parametrize("kind", ASYNC)
async def test_async_stores(kind, request):
    address = "" if "sqlite" in kind else request.getfixturevalue("postgres")
    async with ASYNC[kind](address) as store:
        await store.setup()
        await asyncio.gather(*(store.aput(("a", str(n % 2)), f"k{n}", {"n": n}) for n in range(6)))
        assert keys(await store.asearch(("a",), filter={"n": {"$gte": 3}})) == ["k3", "k4", "k5"]
        assert (await store.aget(("a", "1"), "k1")).value == {"n": 1}
        assert await store.alist_namespaces(prefix=("a",)) == [("a", "0"), ("a", "1")]
        await store.adelete(("a", "1"), "k1")
        assert await store.aget(("a", "1"), "k1") is None
        await store.aput(("t",), "k", {}, ttl=0.0001)
        await asyncio.sleep(0.02)
        assert await store.sweep_ttl() == 1
        task = await store.start_ttl_sweeper(1)
        assert await store.start_ttl_sweeper(1) is task
        assert await store.stop_ttl_sweeper(5) is True
        assert task.cancelled()
        # From another thread the sync methods work too.
        assert (await asyncio.to_thread(store.get, ("a", "0"), "k2")).value == {"n": 2}


async def test_an_async_embed():
    async def aembed(texts):
        return embed(texts)

    async with AsyncSqliteStore.from_conn_string(":memory:", index={"dims": 9, "embed": aembed}) as store:
        await store.aput(("d",), "a", {"text": "aaaa"})
        await store.aput(("d",), "b", {"text": "bbbb"})
        assert [item.key for item in await store.asearch(("d",), query="b")] == ["b", "a"]


async def test_a_sync_embed_leaves_the_event_loop_to_others():
    threads = []

    def slowly(texts):
        threads.append(threading.current_thread())
        return embed(texts)

    async with AsyncSqliteStore.from_conn_string(":memory:", index={"dims": 9, "embed": slowly}) as store:
        await store.aput(("d",), "a", {"text": "aaaa"})
        assert await store.asearch(("d",), query="a")
    assert len(threads) == 2
    assert threading.current_thread() not in threads


class SlowlyRead(UserDict):
    def __init__(self):
        super().__init__(n=1)
        self.started, self.go_on = threading.Event(), threading.Event()

    def keys(self):
        self.started.set()
        self.go_on.wait(5)
        return super().keys()


@pytest.mark.parametrize("kind", ["postgres", "pool"])
async def test_what_is_still_done_when_an_async_store_ends_is_waited_for(kind, postgres):
    async with ASYNC[kind](postgres) as store:
        await store.setup()
        value = SlowlyRead()
        put = asyncio.create_task(store.aput(("a",), "k", value))
        await asyncio.to_thread(value.started.wait, 5)
        put.cancel()  # its thread goes on, and may need the event loop for it
        value.go_on.set()
    with PostgresStore.from_conn_string(postgres) as again:
        assert again.get(("a",), "k").value == {"n": 1}


async def test_a_sync_store_has_async_methods(tmp_path):
    with SqliteStore.from_conn_string(str(tmp_path / "items.db")) as store:
        await store.aput(("a",), "k", {"n": 1})
        assert (await store.aget(("a",), "k")).value == {"n": 1}


# -- where they are kept -------------------------------------------------------------------------------------


def test_items_survive_beside_threads_and_the_tables_need_no_setup(address, request):
    from stores import opened

    classes = PostgresStore if "host=" in address else SqliteStore
    with classes.from_conn_string(address) as store, opened(address) as saver:
        saver.setup()
        store.put(("a",), "k", {"n": 1})
    with classes.from_conn_string(address) as store:
        assert store.get(("a",), "k").value == {"n": 1}


def test_a_pool_and_a_connection_of_ones_own(postgres):
    with PostgresStore.from_conn_string(postgres, pool_config={"max_size": 2}) as store:
        store.put(("a",), "k", {"n": 1})
    with psycopg_pool.ConnectionPool(postgres, kwargs={"autocommit": True}, min_size=1) as pool:
        assert PostgresStore(pool).get(("a",), "k").value == {"n": 1}
    with psycopg.connect(postgres) as conn, pytest.raises(StoreError, match="Open it with autocommit=True"):
        PostgresStore(conn).get(("a",), "k")
    for cls in (PostgresStore, AsyncPostgresStore):
        with pytest.raises(TypeError, match="needs a psycopg connection or a pool"):
            cls("text")


def test_a_connection_as_sqlite3_opens_it_will_do():
    conn = sqlite3.connect(":memory:")
    store = SqliteStore(conn, deserializer=lambda text: {"text": text})
    store.setup()
    store.put(("a",), "k", {"n": 1})
    assert store.get(("a",), "k").value == {"text": '{"n": 1}'}
    conn.close()
    with pytest.raises(StoreError, match="SQLite store"):
        store.get(("a",), "k")


def test_tables_of_a_newer_nbhitl_are_refused(address):
    classes = PostgresStore if "host=" in address else SqliteStore
    with classes.from_conn_string(address) as store:
        store.setup()
        store.conn.execute("INSERT INTO nbhitl_items_schema (version) VALUES (99)")
    with classes.from_conn_string(address) as store, pytest.raises(NewerStore, match="newer nbhitl"):
        store.get(("a",), "k")


def test_the_same_methods_with_the_same_parameters():
    import inspect

    from langgraph.store.postgres import AsyncPostgresStore as TheirAsyncPostgresStore
    from langgraph.store.sqlite import AsyncSqliteStore as TheirAsyncSqliteStore

    pairs = [
        (TheirSqliteStore, SqliteStore),
        (TheirAsyncSqliteStore, AsyncSqliteStore),
        (TheirPostgresStore, PostgresStore),
        (TheirAsyncPostgresStore, AsyncPostgresStore),
    ]
    for theirs, ours in pairs:
        names = [n for n in dir(theirs) if not n.startswith("_") and inspect.isfunction(getattr(theirs, n))]
        for name in ["__init__", "from_conn_string", *names]:
            wanted = inspect.signature(getattr(theirs, name)).parameters
            have = inspect.signature(getattr(ours, name)).parameters
            assert [*wanted] == [*have], (ours, name)
            assert inspect.iscoroutinefunction(getattr(theirs, name)) == inspect.iscoroutinefunction(
                getattr(ours, name)
            )
