"""Stores in SQLite and PostgreSQL: what is put in and read, as LangGraph's do where its own two agree."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
import psycopg_pool
import pytest
from database_stores import KINDS, OURS, keys
from langgraph.store.postgres import PostgresStore as TheirPostgresStore
from langgraph.store.sqlite import SqliteStore as TheirSqliteStore

from nbhitl.errors import NewerStore, StoreError, UnsupportedValue
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

THEIRS = {"sqlite": TheirSqliteStore, "postgres": TheirPostgresStore}


def fill(store):
    for n in range(12):
        value = {"n": n, "t": "x" if n % 2 else "y", "l": [n, 1], "b": bool(n % 2), "f": n / 2}
        store.put(("u", str(n % 3)), f"k{n}", value)
    store.put(("users",), "top", {"n": 100})
    store.put(("u",), "root", {"t": "x", "n": 50})
    store.delete(("u", "1"), "k4")
    return store


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
    with closing(sqlite3.connect(":memory:")) as conn:
        store = SqliteStore(conn, deserializer=lambda text: {"text": text})
        store.setup()
        store.put(("a",), "k", {"n": 1})
        assert store.get(("a",), "k").value == {"text": '{"n": 1}'}
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
