"""A Command without an answer, at a checkpoint that the config names: a branch of its own, and the old one stays."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]


def build(saver, asks=False):
    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]})
    builder.add_node("b", lambda state: {"log": ["b", interrupt("q")] if asks else ["b"]})
    return builder.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver)


COMMANDS = {
    "update": Command(update={"log": ["cmd"]}),
    "goto": Command(goto="a"),
    "send": Command(goto=Send("a", {"log": []})),
    "update and goto": Command(update={"log": ["cmd"]}, goto="a"),
}


def told(record, label, graph, command, at, config):
    record(f"{label} result", graph.invoke(command, at))
    record(f"{label} there", (graph.get_state(at).values, graph.get_state(at).next))
    record(f"{label} goes on", graph.invoke(None, config))
    record(f"{label} once more", graph.invoke(None, at))
    history = graph.get_state_history(config)
    record(
        f"{label} history",
        [
            (s.values, s.next, s.metadata, [(t.name, t.result, len(t.interrupts)) for t in s.tasks])
            for s in history
        ],
    )


def each(record, saver, place, asks=False):
    for name, command in COMMANDS.items():
        config = {"configurable": {"thread_id": name}}
        graph = build(saver, asks)
        told(record, name, graph, command, place(graph, config), config)


def program_at_a_breakpoint_of_before(record, saver):
    def old(graph, config):
        graph.invoke({"log": ["in"]}, config, interrupt_before=["b"])
        at = graph.get_state(config).config
        graph.invoke(None, config)
        return at

    each(record, saver, old)


def program_at_the_newest_checkpoint_by_name(record, saver):
    def newest(graph, config):
        graph.invoke({"log": ["in"]}, config, interrupt_before=["b"])
        return graph.get_state(config).config

    each(record, saver, newest)


def program_at_the_end(record, saver):
    def end(graph, config):
        graph.invoke({"log": ["in"]}, config)
        return graph.get_state(config).config

    each(record, saver, end)


def program_where_a_question_is_open(record, saver):
    def asked(graph, config):
        graph.invoke({"log": ["in"]}, config)
        return graph.get_state(config).config

    each(record, saver, asked, asks=True)


def program_where_a_question_was_answered(record, saver):
    def answered(graph, config):
        graph.invoke({"log": ["in"]}, config)
        at = graph.get_state(config).config
        graph.invoke(Command(resume="A"), config)
        return at

    each(record, saver, answered, asks=True)


def program_at_a_change_by_hand(record, saver):
    def old_change(graph, config):
        graph.invoke({"log": ["in"]}, config, interrupt_before=["b"])
        at = graph.update_state(config, {"log": ["edit"]}, as_node="a")
        graph.invoke(None, config)
        return at

    each(record, saver, old_change)
