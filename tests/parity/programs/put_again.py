"""Programs that move saved threads to a new form of the state: they put checkpoints again that are there already."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    log: Annotated[list, operator.add]
    form: str


def first(state):
    return {"log": ["first"], "form": "old"}


def second(state):
    return {"log": ["second"]}


def last(state):
    return {"log": ["last"]}


def asks(state):
    return {"log": [interrupt("go on?"), state.get("form")]}


def compiled(saver, node):
    builder = StateGraph(State).add_node(first).add_node(second).add_node(node)
    return (
        builder.add_edge(START, "first")
        .add_edge("first", "second")
        .add_edge("second", node.__name__)
        .compile(checkpointer=saver)
    )


def put_again(saver, found, **values):
    checkpoint = dict(found.checkpoint)
    versions = {key: saver.get_next_version(checkpoint["channel_versions"].get(key), None) for key in values}
    checkpoint["channel_values"] = {**checkpoint["channel_values"], **values}
    checkpoint["channel_versions"] = {**checkpoint["channel_versions"], **versions}
    saver.put(found.parent_config or CONFIG, checkpoint, found.metadata, versions)


def record_history(record, graph):
    for snapshot in graph.get_state_history(CONFIG):
        record("values", snapshot.values)
        record("tasks", [(task.name, task.result, task.interrupts) for task in snapshot.tasks])


def program_the_checkpoint_of_a_question_is_put_again(record, saver):
    graph = compiled(saver, asks)
    graph.invoke({"log": []}, CONFIG)
    put_again(saver, saver.get_tuple(CONFIG), form="new")
    record("still asked", graph.get_state(CONFIG).interrupts)
    record("end", graph.invoke(Command(resume="yes"), CONFIG))
    record_history(record, graph)


def program_an_older_checkpoint_is_put_again(record, saver):
    graph = compiled(saver, last)
    graph.invoke({"log": ["in"]}, CONFIG)
    for number in (2, 1):
        put_again(saver, list(saver.list(CONFIG))[number], form="new", log=["made anew"])
        record_history(record, graph)
    record("again", graph.invoke({"log": ["in"]}, CONFIG))
