"""Threads that graphs of before have left: other nodes, keys and answers than now, and long ones."""

import operator
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    path: Annotated[list, operator.add]


def program_same_thread_other_graph(record, saver):
    first = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_edge(START, "a")
        .compile(checkpointer=saver)
    )
    second = (
        StateGraph(State)
        .add_node("b", lambda state: {"path": ["b"]})
        .add_edge(START, "b")
        .compile(checkpointer=saver)
    )
    first.invoke({"path": ["in"]}, CONFIG)
    record("another graph reads it", second.get_state(CONFIG).values)
    record("and goes on", second.invoke({"path": ["more"]}, CONFIG))


def program_node_renamed_while_paused(record, saver):
    def ask(state):
        return {"path": [interrupt("q")]}

    old = StateGraph(State).add_node("old", ask).add_edge(START, "old").compile(checkpointer=saver)
    old.invoke({"path": []}, CONFIG)
    new = StateGraph(State).add_node("new", ask).add_edge(START, "new").compile(checkpointer=saver)
    record("next", new.get_state(CONFIG).next)
    record("values", new.get_state(CONFIG).values)


def program_field_added_while_paused(record, saver):
    class Bigger(State):
        extra: Annotated[int, operator.add]

    def ask(state):
        return {"path": [interrupt("q")], "extra": 1}

    StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver).invoke(
        {"path": ["in"]}, CONFIG
    )
    graph = StateGraph(Bigger).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    record("state", graph.get_state(CONFIG).values)
    record("resume", graph.invoke(Command(resume="yes"), CONFIG))


def program_long_thread(record, saver):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": [len(state["path"])]})
        .add_edge(START, "a")
        .compile(checkpointer=saver)
    )
    for number in range(40):
        graph.invoke({"path": [f"in{number}"]}, CONFIG)
    state = graph.get_state(CONFIG)
    record("values", state.values)
    record("step", state.metadata["step"])
    history = list(graph.get_state_history(CONFIG))
    record("count", len(history))
    record("an old one", (history[60].values, history[60].next))
    record("replay it", graph.invoke(None, history[61].config))


def program_interrupt_id_of_old_answer_in_history(record, saver):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": [interrupt("q")]})
        .add_edge(START, "a")
        .compile(checkpointer=saver)
    )
    pause = graph.invoke({"path": []}, CONFIG)["__interrupt__"][0]
    graph.invoke(Command(resume="x"), CONFIG)
    asked = [task.interrupts for s in graph.get_state_history(CONFIG) for task in s.tasks if task.interrupts]
    record("history keeps the question", [[item.value for item in found] for found in asked])
    record("with its id", asked[0][0].id == pause.id)
