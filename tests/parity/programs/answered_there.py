"""Answers to what was asked at an earlier checkpoint, after tasks of it were written for by hand."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def asking(name, ran):
    def ask(state):
        ran.append(name)
        return {"log": [f"{name}: {interrupt(name)}"]}

    return ask


def branching(saver, ran, child):
    ask = asking("b", ran)
    if child != "none":
        below = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile()
        ask = below if child == "node" else lambda state: {"log": below.invoke({"log": []})["log"]}
    builder = StateGraph(State).add_node("b", ask).add_node("p", asking("p", ran))
    builder.add_node("end", lambda state: {"log": ["end"]}).add_edge(START, "b").add_edge(START, "p")
    return builder.add_edge("b", "end").add_edge("p", "end").compile(checkpointer=saver)


def program_after_changes_by_hand(record, saver):
    for child in ("none", "node", "called"):
        for written in ("b", "p", "bp", ""):
            for answered in ("b", "p", "bp"):
                name, ran = f"{child} {written} {answered}", []
                config = {"configurable": {"thread_id": name}}
                graph = branching(saver, ran, child)
                ids = {i.value: i.id for i in graph.invoke({"log": []}, config)["__interrupt__"]}
                then = graph.get_state(config).config
                for node in written:
                    graph.update_state(config, {"log": ["by hand"]}, as_node=node)
                ran.clear()
                answers = {ids[which]: "yes" for which in answered}
                record(name, graph.invoke(Command(resume=answers), then))
                record("ran", sorted(ran))
                record("now", (graph.get_state(config).values, graph.get_state(config).next))
