"""A node that asks its own run to stop after the step: `runtime.control` is there without one being given."""

import operator
from typing import Annotated

from langgraph.errors import GraphDrained
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime, get_runtime
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


def stops(state, runtime: Runtime):
    if not state["path"]:
        runtime.control.request_drain("enough")
    return {"path": ["stops"]}


def follows(state):
    return {"path": ["follows"]}


def two(first=stops, **options):
    builder = StateGraph(State).add_node("first", first).add_node("second", follows)
    return builder.add_edge(START, "first").add_edge("first", "second").compile(**options)


def drained(record, graph, **options):
    try:
        record("ended", graph.invoke({"path": []}, CONFIG, **options))
    except GraphDrained as error:
        record("drained", error.reason)


def program_asked_by_a_node(record, saver):
    graph = two(checkpointer=saver)
    drained(record, graph)
    record("state", (graph.get_state(CONFIG).next, graph.get_state(CONFIG).values))
    record("goes on", graph.invoke(None, CONFIG))


def program_asked_without_a_saver(record):
    drained(record, two())
    only = StateGraph(State).add_node(stops).add_edge(START, "stops").compile()
    record.error("last node", lambda: only.invoke({"path": []}))


def program_asked_below(record, saver):
    graph = two(two(), checkpointer=saver)
    drained(record, graph, durability="sync")
    left = graph.get_state(CONFIG, subgraphs=True)
    record("left", [(task.name, task.error, task.state and task.state.next) for task in left.tasks])
    record("goes on", list(graph.stream(None, CONFIG, stream_mode=["values", "tasks"])))


async def program_asked_beside_others(record, saver):
    async def asks(state):
        get_runtime().control.request_drain()
        return {"path": ["asks"]}

    builder = StateGraph(State).add_node(asks).add_node("beside", follows).add_node("join", follows)
    builder.add_edge(START, "asks").add_edge(START, "beside").add_edge(["asks", "beside"], "join")
    graph = builder.compile(checkpointer=saver)
    try:
        record("ended", await graph.ainvoke({"path": []}, CONFIG))
    except GraphDrained as error:
        record("drained", error.reason)
    left = await graph.aget_state(CONFIG)
    record("state", (left.next, left.values))
    record("goes on", await graph.ainvoke(None, CONFIG))
