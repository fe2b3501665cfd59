"""What streams and nodes are told of the run's config: the caller's entries, the place, and results of root states."""

import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1", "user": "ada", "flags": [1]}, "metadata": {"team": "x"}}
MODES = ["debug", "checkpoints"]


def with_child(saver):
    child = StateGraph(State).add_node("x", lambda state: {"path": ["x"]})
    child.add_node("ask", lambda state: {"path": [interrupt("q")]}).add_edge(START, "x").add_edge("x", "ask")
    builder = StateGraph(State).add_node("k", child.compile()).add_edge(START, "k")
    return builder.add_node("end", lambda state: None).add_edge("k", "end").compile(checkpointer=saver)


def program_config_and_metadata_of_checkpoints_in_streams(record, saver):
    """The config shows what the run was given, the metadata does not; what an earlier run saved is told as saved."""
    graph = with_child(saver)
    record.chunks("to the pause", graph.stream({"path": []}, CONFIG, stream_mode=MODES, subgraphs=True))
    other = {"configurable": {"thread_id": "1", "user": "bob"}}
    answer = Command(resume="yes")
    record.chunks("to the end", graph.stream(answer, other, stream_mode=MODES, subgraphs=True))
    record("metadata as kept", [list(s.metadata.items()) for s in graph.get_state_history(CONFIG)])


def program_results_of_root_states_in_streams(record, saver):
    builder = StateGraph(Annotated[list, operator.add]).add_node("a", lambda state: ["a"])
    builder.add_node("none", lambda state: None)
    builder.add_node("two", lambda state: [Command(update=["x"]), Command(update=["y"])])
    builder.add_edge(START, "a").add_edge("a", "none").add_edge("none", "two")
    graph = builder.compile(checkpointer=saver)
    record.chunks("stream", graph.stream(["in"], CONFIG, stream_mode=["tasks", "debug", "updates"]))
    record("history", list(graph.get_state_history(CONFIG)))


def program_the_place_in_configs(record, saver):
    places = []

    def note(state, config):
        places.append(
            {key: config["configurable"][key] for key in ("checkpoint_id", "checkpoint_map", "checkpoint_ns")}
        )

    child = StateGraph(State).add_node("in_child", note).add_edge(START, "in_child").compile()
    builder = StateGraph(State).add_node("top", note).add_node("child", child)
    builder.add_node("call", lambda state: child.invoke({"path": []}))
    builder.add_node("hand_on", lambda state, config: child.invoke({"path": []}, config))
    builder.add_edge(START, "top").add_edge("top", "child").add_edge("child", "call").add_edge(
        "call", "hand_on"
    )
    builder.compile(checkpointer=saver).invoke({"path": []}, CONFIG)
    record("places", places)


def program_history_without_an_entry(record, saver):
    """A filter for None finds what does not have the entry."""
    graph = with_child(saver)
    graph.invoke({"path": []}, CONFIG)
    graph.update_state({"configurable": {"thread_id": "1"}}, {"path": ["by hand"]})
    for wanted in ({"user": None}, {"user": "ada"}, {"user": None, "source": "update"}, {"nobody": None}):
        found = graph.get_state_history(CONFIG, filter=wanted)
        record(str(wanted), [(state.metadata["source"], state.metadata["step"]) for state in found])
