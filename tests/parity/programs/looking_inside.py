"""Programs that look at what a saver keeps, and into a graph's nodes."""

import operator
import sqlite3
from contextlib import closing
from typing import Annotated

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import EXCLUDED_METADATA_KEYS, get_serializable_checkpoint_metadata
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.prebuilt.chat_agent_executor import AgentState
from langgraph.types import CachePolicy, Interrupt, RetryPolicy
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


def step(state):
    return {"path": ["step"]}


def thread(name):
    return {"configurable": {"thread_id": name}}


def one_step(saver=None):
    return StateGraph(State).add_node("a", step).add_edge(START, "a").compile(checkpointer=saver)


def program_threads_in_memory(record):
    saver = InMemorySaver()
    graph = one_step(saver)
    for name in ("one", "two", "three"):
        graph.invoke({"path": []}, thread(name))
    record("names", sorted(saver.storage))
    record("known", ("one" in saver.storage, "none" in saver.storage, len(saver.storage)))
    record("checkpoints", [len(kept) for kept in saver.storage["one"].values()])
    record("namespaces", list(saver.storage["one"]))
    del saver.storage["one"]
    saver.storage.pop("two", None)
    saver.storage.pop("none", None)
    record("left", list(saver.storage.keys()))
    record("deleted", graph.get_state(thread("one")).values)
    record("anew", graph.invoke({"path": []}, thread("two")))
    saver.storage.clear()
    record("nothing", (list(saver.storage), graph.get_state(thread("three")).values))


def program_a_table_beside_the_savers(record):
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
        saver = SqliteSaver(conn)
        graph = one_step(saver)
        graph.invoke({"path": []}, thread("one"))
        with saver.cursor() as cursor:
            cursor.execute("CREATE TABLE names (thread TEXT, name TEXT)")
            cursor.execute("INSERT INTO names VALUES ('one', 'first chat')")
        with saver.cursor(transaction=False) as cursor:
            record("rows", cursor.execute("SELECT * FROM names").fetchall())
        with saver.lock:
            record("under the lock", saver.conn.execute("SELECT count(*) FROM names").fetchall())
        record("goes on", graph.invoke({"path": []}, thread("one")))


def program_nodes_of_a_graph(record):
    def search(query: str) -> str:
        """Search."""
        return query

    builder = StateGraph(MessagesState).add_node("tools", ToolNode([search])).add_edge(START, "tools")
    record("tools", list(builder.compile().nodes["tools"].bound.tools_by_name))
    child = one_step()
    builder = StateGraph(State).add_node("child", child).add_node("a", step).add_node("b", step)
    builder.add_edge(START, "child").add_edge(START, "a").add_edge(["a", "child"], "b").add_edge("b", END)
    graph = builder.compile()
    record("a child", (graph.nodes["child"].bound is child, graph.nodes["child"].subgraphs == [child]))
    record("triggers", {name: node.triggers for name, node in graph.nodes.items()})
    record("function", graph.nodes["a"].bound.func is step)
    record("run alone", graph.nodes["a"].bound.invoke({"path": []}))


def program_writes_and_values_in_memory(record):
    """What tasks left at each checkpoint, and the values of the keys, as the saver's serializer writes them."""
    saver = InMemorySaver()
    one_step(saver).invoke({"path": []}, thread("one"))
    for (name, namespace, _), left in sorted(saver.writes.items()):
        written = [(number, channel) for (_, number), (_, channel, _, _) in left.items()]
        record("writes", (name, namespace, written))
    written = [
        saver.serde.loads_typed(data)
        for left in saver.writes.values()
        for _, c, data, _ in left.values()
        if c == "path"
    ]
    record("written", sorted(written))  # what tasks left is saved beside them, in either order
    values = [saver.serde.loads_typed(data) for key, data in saver.blobs.items() if key[2] == "path"]
    record("last value", values[-1])
    record("places", sorted({(name, namespace) for name, namespace, _, _ in saver.blobs}))


def program_whether_it_is_set_up(record):
    builder = StateGraph(State).add_node("a", step).add_edge(START, "a")
    record("before", builder.compiled)
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
        saver = SqliteSaver(conn)
        graph = builder.compile(checkpointer=saver)
        record("after", (builder.compiled, graph.validate() is graph, saver.is_setup))
        saver.setup()
        record("tables", saver.is_setup)


async def program_whether_it_is_set_up_async(record):
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        record("before", saver.is_setup)
        await saver.setup()
        record("after", saver.is_setup)


def program_metadata_of_a_savers_own(record):
    config = {"configurable": {"thread_id": "1", "user": "ann", "__hidden": 1}, "metadata": {"n": 3}}
    record("kept", get_serializable_checkpoint_metadata(config, {"source": "loop", "step": 1, "writes": {}}))
    record("left out", sorted(EXCLUDED_METADATA_KEYS))


def program_a_state_read_from_the_wrong_graph(record):
    graph = StateGraph(State).add_node("a", step).add_edge(START, "a").compile(checkpointer=True)
    record.error("read", lambda: graph.get_state(thread("one")))


def program_a_node_called_as_the_default_handler(record):
    builder = StateGraph(State).set_node_defaults(error_handler=lambda state, error: {"path": ["handled"]})
    builder.add_node("__default_error_handler__", step).add_edge(START, "__default_error_handler__")
    record.error("refused", builder.compile)


def program_nodes_copied_to_another_builder(record):
    inner = StateGraph(State).add_node("i", lambda state: {"path": ["i"]}).add_edge(START, "i").compile()
    first = StateGraph(State).add_node("a", lambda state: {"path": ["a"]}, metadata={"about": 1})
    first.add_node("b", inner, retry_policy=RetryPolicy(max_attempts=2)).add_node(
        "c", lambda state: {"path": ["c"]}, defer=True
    )
    second = StateGraph(State)
    for name, spec in first.nodes.items():
        record(name, (spec.metadata, spec.defer, spec.retry_policy is None, spec.cache_policy))
        options = {"metadata": spec.metadata, "defer": spec.defer, "retry_policy": spec.retry_policy}
        second.add_node(name, spec.runnable, **options)
    second.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c")
    record("ran", second.compile().invoke({"path": []}))
    record("alone", first.nodes["b"].runnable.invoke({"path": []}))


async def program_functions_of_a_builders_nodes(record):
    def add(state, config: RunnableConfig):
        return {"path": [config.get("configurable", {}).get("by", "nobody"), *state["path"]]}

    async def later(state):
        return {"path": ["later"]}

    builder = StateGraph(State).add_node(add).add_node(later).add_edge(START, "add").add_edge("add", "later")
    first, second = (builder.nodes[name].runnable for name in ("add", "later"))
    record("called", first.invoke({"path": ["a"]}, {"configurable": {"by": "me"}}))
    record("awaited", (await first.ainvoke({"path": []}, {}), await second.ainvoke({"path": []}, {})))
    record("functions", (first.func is add, second.func, second.afunc is later, first.name))
    try:
        second.invoke({"path": []}, {})
    except TypeError as error:
        record("async", type(error).__name__)
    copy = StateGraph(State).add_node("add", first).add_node("later", second)
    graph = copy.add_edge(START, "add").add_edge("add", "later").compile()
    record("copied", await graph.ainvoke({"path": []}, {"configurable": {"by": "you"}}))


def program_what_a_compiled_graph_tells_of_its_nodes(record):
    inner = StateGraph(State).add_node("i", step).add_edge(START, "i").compile()
    builder = StateGraph(State).add_node("one", step, retry_policy=RetryPolicy(max_attempts=2))
    builder.add_node("two", step, cache_policy=CachePolicy(ttl=3)).add_node("sub", inner)
    builder.add_node("last", step, retry_policy=[RetryPolicy(max_attempts=3)])
    builder.add_edge(START, "one").add_edge("one", "two").add_edge("one", "sub").add_edge(
        ["two", "sub"], "last"
    )
    graph = builder.compile()
    record("triggers", graph.trigger_to_nodes)
    record("policies", (graph.retry_policy, graph.cache_policy))
    for name, node in graph.nodes.items():
        tried = [policy.max_attempts for policy in node.retry_policy or ()]
        kept = None if node.cache_policy is None else node.cache_policy.ttl
        record(name, (tried, node.retry_policy is None, kept, node.tags, node.timeout, node.trace_policy))
    record("one node", graph.nodes["one"].invoke(input={"path": []}))
    record("no stops", (graph.interrupt_before_nodes, graph.interrupt_after_nodes))
    stopping = builder.compile(interrupt_before=["two"], interrupt_after="*")
    record("stops", (stopping.interrupt_before_nodes, stopping.interrupt_after_nodes))


def program_breakpoints_that_are_set_later(record):
    builder = (
        StateGraph(State).add_node("a", step).add_node("b", step).add_edge(START, "a").add_edge("a", "b")
    )
    graph = builder.compile(checkpointer=InMemorySaver())
    record("ends", graph.invoke({"path": []}, thread("1")))
    graph.interrupt_before_nodes = ["b"]
    record("stops", (graph.invoke({"path": []}, thread("2")), graph.get_state(thread("2")).next))
    graph.interrupt_before_nodes.append("a")
    record("stops at once", (graph.invoke({"path": []}, thread("3")), graph.get_state(thread("3")).next))
    graph.interrupt_before_nodes, graph.interrupt_after_nodes = [], "*"
    record("stops after", (graph.invoke({"path": []}, thread("4")), graph.get_state(thread("4")).next))


def program_a_state_like_that_of_the_ready_made_agent(record):
    class Own(AgentState):
        topic: str

    def answer(state):
        return {"messages": [("ai", f"on {state['topic']}, in {state['remaining_steps']} steps")]}

    graph = StateGraph(Own).add_node("answer", answer).add_edge(START, "answer").compile()
    found = graph.invoke({"messages": [("user", "hi")], "topic": "birds"}, {"recursion_limit": 9})
    record("found", ([message.text for message in found["messages"]], sorted(found)))
    record("question", Interrupt.from_ns("why?", "a:1|b:2", response_schema=int))
