"""The store does what LangGraph's does, and keeps its values to itself."""

from __future__ import annotations

import asyncio
import importlib
from collections import UserDict
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from nbhitl.store.base import (
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchItem,
    SearchOp,
)
from nbhitl.store.memory import InMemoryStore

ENGINES = ["langgraph", "nbhitl"]


def filled(package):
    store = importlib.import_module(f"{package}.store.memory").InMemoryStore()
    for n in range(15):
        store.put(
            ("u", str(n % 3)), f"k{n}", {"n": n, "t": "x" if n % 2 else "y", "nest": {"a": n}, "l": [n, 1]}
        )
    store.put(("u",), "top", {"n": 100})
    store.put(("gone",), "k", {"n": 1})
    store.delete(("u", "1"), "k4")
    return store


def outcome(program, package):
    try:
        return program(filled(package))
    except Exception as error:
        return type(error).__name__, str(error).split(". ")[0]


def same(program):
    theirs, ours = outcome(program, "langgraph"), outcome(program, "nbhitl")
    assert ours == theirs
    return ours


def found(items):
    return [(item.namespace, item.key, item.value, item.score) for item in items]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"limit": 3, "offset": 2},
        {"limit": 100},
        {"offset": 50},
        {"query": "hello", "limit": 3},
        *(
            {"filter": wanted, "limit": 100}
            for wanted in (
                {"t": "x"},
                {"t": "x", "n": 3},
                {"n": {"$gt": 10}},
                {"n": {"$gte": 10, "$lt": 13}},
                {"n": {"$lte": 1}},
                {"n": {"$eq": 3}},
                {"n": {"$ne": 3}},
                {"n": {"$in": [1]}},
                {"nest": {"a": 3}},
                {"nest": {"a": {"$gt": 12}}},
                {"nest": {"a": 3, "b": 4}},
                {"l": [3, 1]},
                {"l": [3]},
                {"zz": 1},
                {"zz": None},
                {"zz": {"$ne": 3}},
            )
        ),
    ],
    ids=repr,
)
def test_search(how):
    for prefix in ((), ("u",), ("u", "1"), ("nobody",)):
        same(lambda store, prefix=prefix: found(store.search(prefix, **how)))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"prefix": ("u",)},
        {"suffix": ("1",)},
        {"max_depth": 1},
        {"prefix": ("*", "1")},
        {"prefix": ("u", "*")},
        {"limit": 2},
        {"offset": 2},
        {"prefix": ("z",)},
        {"prefix": ("u",), "suffix": ("2",)},
    ],
    ids=repr,
)
def test_list_namespaces(how):
    same(lambda store: store.list_namespaces(**how))


@pytest.mark.parametrize("namespace", [("a.b",), ("a", ""), ("a\0",), ("a", 3)])
def test_namespaces_that_nothing_is_in_are_refused_by_every_question(namespace):
    for ask in (
        lambda store: store.get(namespace, "k"),
        lambda store: store.delete(namespace, "k"),
        lambda store: store.search(namespace),
        lambda store: store.list_namespaces(prefix=namespace),
        lambda store: store.list_namespaces(suffix=namespace),
        lambda store: asyncio.run(store.alist_namespaces(prefix=namespace)),
    ):
        assert same(ask)[0] == "InvalidNamespaceError"


@pytest.mark.parametrize("namespace", [(), ("a.b",), ("a", ""), ("a\0",), ("langgraph", "x"), ("a", 3)])
def test_namespaces_that_no_item_can_have(namespace):
    assert same(lambda store: store.put(namespace, "k", {}))[0] == "InvalidNamespaceError"
    with pytest.raises(ValueError):
        InMemoryStore().put(namespace, "k", {})
    assert issubclass(InvalidNamespaceError, ValueError)


def test_get_put_and_delete():
    def program(store):
        store.put(("a",), 3, {"x": 1})
        store.put(("a",), "none", None)
        store.delete(("a",), "missing")
        item = store.get(("a",), "3")
        return item.value, item.key, item.namespace, store.get(("a",), "none"), store.get(("b",), "k")

    same(program)


def test_a_time_to_live_is_refused_where_it_would_not_be_kept():
    assert same(lambda store: store.put(("a",), "k", {}, ttl=5))[0] == "NotImplementedError"
    same(lambda store: store.put(("a",), "k", {}, ttl=None))


def test_a_batch_reads_what_was_there_before_it():
    store = InMemoryStore()
    store.put(("w",), "a", {"v": 1})
    ops = [PutOp(("w",), "a", {"v": 2}), GetOp(("w",), "a"), PutOp(("w",), "a", {"v": 3}), SearchOp(("w",))]
    put, got, _, searched = store.batch(ops)
    assert put is None
    assert (got.value, searched[0].value, store.get(("w",), "a").value) == ({"v": 1}, {"v": 1}, {"v": 3})
    assert store.batch([ListNamespacesOp((MatchCondition("prefix", ("w",)),))]) == [[("w",)]]
    with pytest.raises(ValueError, match="Unknown operation type"):
        store.batch([3])


def test_values_are_kept_apart_from_the_programs():
    store = InMemoryStore()
    mine = {"list": [1]}
    store.put(("a",), "k", mine)
    mine["list"].append(2)
    store.get(("a",), "k").value["list"].append(3)
    store.search(("a",))[0].value["list"].append(4)
    assert store.get(("a",), "k").value == {"list": [1]}


def test_times_tell_when_an_item_was_made_and_changed():
    store = InMemoryStore()
    store.put(("a",), "k", {"v": 1})
    first = store.get(("a",), "k")
    store.put(("a",), "k", {"v": 2})
    second = store.get(("a",), "k")
    assert first.created_at == second.created_at <= first.updated_at <= second.updated_at
    assert second.created_at.tzinfo is UTC
    assert first != second
    assert store.get(("a",), "k") == second
    assert len({first, store.get(("a",), "k")}) == 2


@pytest.mark.parametrize("package", ENGINES)
def test_items_as_data(package):
    base = importlib.import_module(f"{package}.store.base")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    item = base.Item(value={"a": 1}, key="k", namespace=["n", "m"], created_at=at, updated_at=at.isoformat())
    shown = (
        "namespace=['n', 'm'], key='k', value={'a': 1}, created_at='2026-01-02T00:00:00+00:00', "
        "updated_at='2026-01-02T00:00:00+00:00'"
    )
    assert repr(item) == f"Item({shown})"
    assert item.dict()["namespace"] == ["n", "m"]
    assert repr(base.SearchItem(("n", "m"), "k", {"a": 1}, at, at)) == f"Item({shown}, score=None)"


async def test_async_twins():
    store = InMemoryStore()
    await store.aput(("a",), "k", {"v": 1})
    assert (await store.aget(("a",), "k")).value == {"v": 1}
    assert [i.key for i in await store.asearch(("a",), filter={"v": 1})] == ["k"]
    assert await store.alist_namespaces(prefix=("a",)) == [("a",)]
    assert isinstance((await store.abatch([SearchOp(("a",))]))[0][0], SearchItem)
    await store.adelete(("a",), "k")
    assert await store.aget(("a",), "k") is None
    assert await store.alist_namespaces() == []


def test_texts_are_embedded_once_for_a_batch():
    asked = []

    def embed(texts):
        asked.append(texts)
        return [[1.0, float(len(text))] for text in texts]

    store = InMemoryStore(
        index={"dims": 2, "embed": embed, "fields": ["a", "parts[*].t", "parts[-1].t", "n.m"]}
    )
    store.put(("x",), "k", {"a": "one", "parts": [{"t": "two"}, {"t": 3}, {"u": 1}], "n": {"m": {"b": None}}})
    assert asked == [["one", "two", "3", '{"b": null}']]


PATHS = [
    "t", "a.b[0]", "a.b[*].c", "a.b[-1]", "zz", "$", "", "a.{b,c}", "l", "n", "d", "*", "a.*", "f", "a.b[5]", "{t,f}",
    "a.b[1].c", "{d.k,t}", "a.b[1].{c,zz}", "{zz}",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_texts_at_a_path_are_langgraphs(path):
    value = {"a": {"b": ["x", {"c": "y"}, 3]}, "t": "hello", "n": None, "l": [1, 2], "f": 1.5, "d": {"k": 1}}
    theirs, ours = (importlib.import_module(f"{engine}.store.base") for engine in ENGINES)
    assert ours.get_text_at_path(value, path) == theirs.get_text_at_path(value, path)
    assert ours.tokenize_path(path) == theirs.tokenize_path(path)
    if path != "$":
        steps = theirs.tokenize_path(path)
        assert ours.get_text_at_path(value, steps) == theirs.get_text_at_path(value, steps)


@pytest.mark.parametrize("kind", [MappingProxyType, UserDict])
@pytest.mark.parametrize("path", ["$", "text", "*", "more.deep"])
def test_texts_in_mappings_that_are_no_dicts_are_langgraphs(path, kind):
    value = kind({"text": "found", "more": {"deep": 1}})
    theirs, ours = (importlib.import_module(f"{engine}.store.base") for engine in ENGINES)
    assert ours.get_text_at_path(value, path) == theirs.get_text_at_path(value, path)


def test_an_index_without_a_function_is_refused():
    with pytest.raises(TypeError, match="embed is 3; it must be a function of a list of texts"):
        InMemoryStore(index={"dims": 2, "embed": 3})


def test_a_store_of_ones_own_needs_only_the_batches():
    class Logged(BaseStore):
        def __init__(self):
            self.inner, self.ops = InMemoryStore(), []

        def batch(self, ops):
            ops = list(ops)
            self.ops += [type(op).__name__ for op in ops]
            return self.inner.batch(ops)

        async def abatch(self, ops):
            return self.batch(ops)

    store = Logged()
    store.put(("a",), "k", {"v": 1})
    assert isinstance(store.get(("a",), "k"), Item)
    store.search(("a",))
    store.list_namespaces()
    store.delete(("a",), "k")
    assert store.ops == ["PutOp", "GetOp", "SearchOp", "ListNamespacesOp", "PutOp"]
