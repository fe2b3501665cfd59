"""Stores that search by meaning."""

import asyncio

from langchain_core.embeddings import DeterministicFakeEmbedding
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore, Item, PutOp, SearchItem, SearchOp
from langgraph.store.base.batch import AsyncBatchedBaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import AsyncSqliteStore, SqliteStore


def counting(texts):
    return [[float(text.count("a")), float(text.count("b")), 1.0] for text in texts]


def ranked(items):
    return [(item.key, item.score if item.score is None else round(item.score, 6)) for item in items]


def program_search_by_meaning(record):
    asked = []

    def embed(texts):
        asked.append(list(texts))
        return counting(texts)

    store = InMemoryStore(index={"dims": 3, "embed": embed, "fields": ["text"]})
    store.put(("u", "1"), "a", {"text": "aaa", "kind": 1})
    store.put(("u", "1"), "b", {"text": "bbb"})
    store.put(("u", "2"), "none", {"other": "aaa"})
    store.put(("u", "2"), "unindexed", {"text": "aaaa"}, index=False)
    store.put(
        ("u", "2"), "own", {"meta": {"t": "ab", "l": ["x", "y"]}}, index=["meta.t", "meta.l[*]", "no.such"]
    )
    for query in ("a", "b", None, ""):
        record(f"query {query!r}", ranked(store.search(("u",), query=query)))
    record("limited", ranked(store.search(("u",), query="a", limit=2, offset=1)))
    record("filtered", ranked(store.search(("u",), query="a", filter={"kind": 1})))
    store.put(("u", "1"), "a", {"text": "bbbb"})
    record("changed", ranked(store.search(("u", "1"), query="b")))
    store.delete(("u", "1"), "a")
    record("deleted", ranked(store.search(("u", "1"), query="b")))
    record("what was embedded", asked)


async def program_whole_values_and_async_embeddings(record):
    asked = []

    async def embed(texts):
        asked.append(list(texts))
        return counting(texts)

    store = InMemoryStore(index={"dims": 3, "embed": embed})
    await store.aput(("x",), "k", {"b": "a", "a": [1, {"z": None}], "u": "é"})
    record("found", ranked(await store.asearch(("x",), query="a")))
    record("what was embedded", asked)
    record.error("in sync code", lambda: store.put(("x",), "k2", {"t": "a"}), "async")
    record.error("no function", lambda: InMemoryStore(index={"dims": 3}), "embed must be provided")


async def program_embeddings_of_langchain(record):
    store = InMemoryStore(index={"dims": 8, "embed": DeterministicFakeEmbedding(size=8)})
    store.batch([PutOp(("x",), name, {"text": name}) for name in ("one", "two", "three")])
    record("sync", ranked(store.search(("x",), query="one")))
    record("async", ranked(await store.asearch(("x",), query="one")))
    record("batch", [ranked(found) for found in store.batch([SearchOp(("x",), query="two", limit=1)])])


def program_memories_in_a_node(record):
    store = InMemoryStore(index={"dims": 3, "embed": counting})
    store.put(("user", "memories"), "1", {"text": "aaa"})
    store.put(("user", "memories"), "2", {"text": "bbb"})

    def chat(state, *, store: BaseStore):
        found = store.search(("user", "memories"), query=state["messages"][-1].content, limit=1)
        return {"messages": [("ai", " ".join(item.value["text"] for item in found))]}

    graph = StateGraph(MessagesState).add_node(chat).add_edge(START, "chat").compile(store=store)
    record("answers", [graph.invoke({"messages": text})["messages"][-1].content for text in ("aa", "b")])


def remembering(store):
    def remember(state, runtime: Runtime):
        said = state["messages"][-1].content
        runtime.store.put(("said", "ada"), said, {"text": said, "length": len(said)})
        found = runtime.store.search(("said",), filter={"length": {"$gt": 3}})
        return {"messages": ("ai", ", ".join(sorted(item.key for item in found)))}

    async def aremember(state, *, store: BaseStore):
        await store.aput(("said", "bob"), "k", {"text": state["messages"][0].content})
        item = await store.aget(("said", "bob"), "k")
        return {"messages": ("ai", f"{item.namespace} {item.value}")}

    node = remember if isinstance(store, SqliteStore) else aremember
    return (
        StateGraph(MessagesState).add_node("remember", node).add_edge(START, "remember").compile(store=store)
    )


def program_sqlite_store_in_a_graph(record):
    with SqliteStore.from_conn_string(":memory:") as store:
        store.setup()
        graph = remembering(store)
        for said in ("hello", "yes", "good morning"):
            record(said, graph.invoke({"messages": [("user", said)]})["messages"][-1].content)
        record("namespaces", store.list_namespaces())
        record("item", store.get(("said", "ada"), "yes").value)
        store.delete(("said", "ada"), "yes")
        record("deleted", store.get(("said", "ada"), "yes"))


async def program_sqlite_store_in_an_async_graph(record):
    async with AsyncSqliteStore.from_conn_string(":memory:") as store:
        await store.setup()
        out = await remembering(store).ainvoke({"messages": [("user", "hello")]})
        record("out", out["messages"][-1].content)
        record("namespaces", await store.alist_namespaces(suffix=("bob",)))


class Memories(MessagesState):
    found: list
    read: Item


def told_of(item):
    return type(item).__name__, item.namespace, item.key, item.value, getattr(item, "score", "no score")


def program_items_in_a_state(record):
    """What a store found is saved, and comes back as it was."""
    store = InMemoryStore(index={"dims": 3, "embed": counting})
    store.put(("u", "1"), "a", {"text": "aab"})

    def remember(state, *, store: BaseStore):
        return {"found": store.search(("u",), query="a"), "read": store.get(("u", "1"), "a")}

    builder = StateGraph(Memories).add_node("remember", remember).add_edge(START, "remember")
    builder.add_node("pause", lambda state: None).add_edge("remember", "pause")
    config = {"configurable": {"thread_id": "1"}}
    with SqliteSaver.from_conn_string(":memory:") as in_file:
        for saver in (InMemorySaver(), in_file):
            graph = builder.compile(checkpointer=saver, store=store, interrupt_before=["pause"])
            before = graph.invoke({"messages": []}, config)
            after = graph.get_state(config).values
            record("found", [told_of(item) for item in after["found"]])
            record("read", told_of(after["read"]))
            record("the same", [before[key] == after[key] for key in ("found", "read")])
            record("the same times", before["read"].created_at == after["read"].created_at)
            record("at the end", told_of(graph.invoke(None, config)["read"]))


def program_items_that_are_equal(record):
    """Those with the same contents and times, whether found or read, however well they match."""
    fields = {"namespace": ("u",), "key": "k", "value": {"x": 1}}
    fields |= dict.fromkeys(("created_at", "updated_at"), "2026-01-01T00:00:00+00:00")
    item, other = Item(**fields), Item(**{**fields, "value": {}})
    found, better = SearchItem(**fields, score=0.1), SearchItem(**fields, score=0.5)
    record("equal", [item == found, found == item, found == better, item == other, item == fields])
    record("of a set", len({item, found, better}))


class Batched(AsyncBatchedBaseStore):
    def __init__(self):
        super().__init__()
        self.inner = InMemoryStore()
        self.asked = []

    async def abatch(self, ops):
        ops = list(ops)
        self.asked.append([tuple(op) for op in ops])
        return await self.inner.abatch(ops)

    def batch(self, ops):
        return self.inner.batch(ops)


async def program_what_is_asked_at_once(record):
    """Of two writes of an item the later one is done; what is read twice is read once, before that."""
    store = Batched()
    await store.aput(("u",), "a", {"n": 0})
    puts = [store.aput(("u",), key, {"n": n}) for n, key in enumerate("abacb")]
    reads = [store.aget(("u",), "a"), store.aget(("u",), "a"), store.asearch(("u",)), store.asearch(("u",))]
    results = await asyncio.gather(*puts, *reads)
    record("asked", store.asked)
    record("read", [one.value for one in results[5:7]])
    record("found", [len(one) for one in results[7:]])
    record("then", [(await store.aget(("u",), key)).value for key in "abc"])
    await asyncio.gather(store.aput(("u",), "a", {"n": 9}), store.adelete(("u",), "a"))
    record("deleted last", await store.aget(("u",), "a"))
