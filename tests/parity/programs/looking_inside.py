"""Programs that look at what a saver keeps, and into a graph's nodes."""

import operator
import sqlite3
from typing import Annotated

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
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
    saver = SqliteSaver(sqlite3.connect(":memory:", check_same_thread=False))
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
