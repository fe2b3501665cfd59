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


def program_what_is_left_of_a_step_in_streams(record, saver):
    """A task that wrote nothing to the state has no result there, one that failed no list of questions."""

    def fail(state):
        if len(failures) < 2:
            failures.append("failed")
            raise ValueError("not yet")
        return {"path": ["fail"]}

    failures = []
    results = {"nothing": None, "empty": {}, "goes": Command(goto=[]), "writes": {"path": ["writes"]}}
    builder = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("q")]}).add_node(fail)
    builder.add_edge(START, "ask").add_edge("ask", "fail")
    for name, result in results.items():
        builder.add_node(name, lambda state, result=result: result).add_edge(START, name)
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"path": []}, CONFIG)
    record.chunks("answered", graph.stream(Command(resume="yes"), CONFIG, stream_mode="checkpoints"))
    record.chunks("once more", graph.stream(None, CONFIG, stream_mode="checkpoints"))
    record.chunks("and again", graph.stream(None, CONFIG, stream_mode="checkpoints"))


def program_no_result_of_a_root_state_in_streams(record, saver):
    builder = StateGraph(Annotated[int, operator.add]).add_node("zero", lambda state: 0)
    builder.add_node("ask", lambda state: interrupt("q")).add_edge(START, "zero").add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    graph.invoke(1, CONFIG)
    record.chunks("answered", graph.stream(Command(resume=5), CONFIG, stream_mode="checkpoints"))


def program_parents_in_streams_where_only_the_end_is_saved(record, saver):
    builder = StateGraph(State).add_node("a", lambda state: {"path": ["a"]})
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]}).add_node("z", lambda state: None)
    builder.add_edge(START, "a").add_edge("a", "ask").add_edge("ask", "z")
    graph = builder.compile(checkpointer=saver)
    told = {"stream_mode": "checkpoints", "durability": "exit"}
    for turn in "12":
        record.chunks(f"turn {turn}", graph.stream({"path": [turn]}, CONFIG, **told))
        record.chunks(f"answer {turn}", graph.stream(Command(resume="yes"), CONFIG, **told))
    graph.update_state(CONFIG, {"path": ["by hand"]}, as_node="a")
    record.chunks("after a change", graph.stream(None, CONFIG, **told))
    record("history", list(graph.get_state_history(CONFIG)))


def program_results_of_chosen_keys_in_streams(record, saver):
    class Two(State):
        n: int

    builder = StateGraph(Two).add_node("a", lambda state: {"path": ["a"], "n": 1})
    builder.add_node("ask", lambda state: {"path": [interrupt("q")]}).add_edge(START, "a").add_edge(
        START, "ask"
    )
    graph = builder.compile(checkpointer=saver)
    for number, keys in enumerate((None, "path", ["n"], "n", ["path", "n"], [])):
        config = {"configurable": {"thread_id": str(number)}}
        graph.invoke({"path": []}, config)
        told = graph.stream(Command(resume=1), config, stream_mode="checkpoints", output_keys=keys)
        record.chunks(f"output_keys={keys}", told)


def program_entries_of_none_in_a_config(record):
    builder = StateGraph(State).add_node("a", lambda state, config: {"path": [config.get("tags")]})
    graph = builder.add_edge(START, "a").compile()
    for key in ("configurable", "tags", "metadata", "callbacks", "recursion_limit", "run_name"):
        record(key, graph.invoke({"path": []}, {key: None}))
        record(f"{key} among others", graph.invoke({"path": []}, {key: None, "max_concurrency": 2}))
