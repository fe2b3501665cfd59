"""Programs that send what the engine reports elsewhere: to another process, or into a model of their own."""

import operator
import pickle
from typing import Annotated, get_type_hints

from langgraph.channels import UntrackedValue
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import PutOp
from langgraph.types import Command, PregelTask, Send, StateSnapshot, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    log: Annotated[list, operator.add]
    connection: Annotated[str, UntrackedValue]


def spread(state):
    return [Send("work", {"log": [number]}) for number in (1, 2)]


def work(state):
    return {"log": [interrupt({"work": state["log"]})]}


def asks_about_the_connection(state):
    return {"log": [state.get("connection"), interrupt("go on?")]}


def asking(node, saver):
    builder = StateGraph(State).add_node(node)
    return builder.add_edge(START, node.__name__).compile(checkpointer=saver)


def program_a_snapshot_is_pickled(record, saver):
    graph = (
        StateGraph(State)
        .add_node("spread", lambda state: {"log": [0]})
        .add_node(work)
        .add_edge(START, "spread")
        .add_conditional_edges("spread", spread, ["work"])
        .compile(checkpointer=saver)
    )
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"log": []}, config)
    for snapshot in graph.get_state_history(config):
        again = pickle.loads(pickle.dumps(snapshot))
        record("the same", again == snapshot)
        record("tasks", [(task.name, task.interrupts, type(task).__name__) for task in again.tasks])


def program_what_comes_with_an_answer_is_not_saved_where_its_key_is_not(record, saver):
    graph = asking(asks_about_the_connection, saver)
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke({"log": [], "connection": "first"}, config)
    record(
        "end",
        graph.invoke(Command(resume="yes", update={"connection": "second", "log": ["by hand"]}), config),
    )
    for snapshot in graph.get_state_history(config):
        record("values", snapshot.values)


def program_types_of_fields_can_be_read(record):
    for kind in (StateSnapshot, PregelTask, CheckpointTuple, Runtime, PutOp):
        record(kind.__name__, {"state", "config", "stream_writer", "value"} & get_type_hints(kind).keys())
