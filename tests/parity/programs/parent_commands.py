"""Commands to the graph above."""

import operator
from typing import Annotated

from langgraph.errors import ParentCommand
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1"}}


def program_parent_command(record, any_saver):
    def leave(state):
        return Command(graph=Command.PARENT, goto="other", update={"path": ["left"]})

    inner = StateGraph(State).add_node("write", lambda state: {"path": ["dropped"]}).add_node(leave)
    inner = inner.add_edge(START, "write").add_edge("write", "leave").compile()
    builder = (
        StateGraph(State)
        .add_node("child", inner, destinations=("other",))
        .add_node("other", lambda state: {"path": ["other"]})
    )
    graph = builder.add_edge(START, "child").compile(checkpointer=any_saver)
    record("result", graph.invoke({"path": ["in"]}, CONFIG))
    record("updates", list(graph.stream({"path": ["in"]}, {"configurable": {"thread_id": "2"}})))


def program_parent_command_from_a_function(record, any_saver):
    def leave(state):
        return Command(graph=Command.PARENT, goto="other", update={"path": ["left"]})

    inner = StateGraph(State).add_node(leave).add_edge(START, "leave").compile()
    log = []

    def caller(state):
        log.append("before")
        inner.invoke({"path": []})
        log.append("never")

    builder = StateGraph(State).add_node(caller).add_node("other", lambda state: {"path": ["other"]})
    graph = builder.add_edge(START, "caller").compile(checkpointer=any_saver)
    record("result", graph.invoke({"path": []}, CONFIG))
    record("log", log)


def program_parent_command_without_parent(record):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: Command(graph=Command.PARENT, goto="x"))
        .add_edge(START, "a")
        .compile()
    )
    try:
        graph.invoke({"path": []})
    except ParentCommand as error:
        record("goto", error.args[0].goto)


def program_parent_command_two_levels(record):
    def leave(state):
        return Command(graph=Command.PARENT, goto="near", update={"path": ["left"]})

    inner = StateGraph(State).add_node(leave).add_edge(START, "leave").compile()
    middle = (
        StateGraph(State)
        .add_node("inner", inner)
        .add_node("near", lambda state: {"path": ["near"]})
        .add_edge(START, "inner")
        .compile()
    )
    graph = StateGraph(State).add_node("middle", middle).add_edge(START, "middle").compile()
    record("the nearest parent takes it", graph.invoke({"path": ["in"]}))
