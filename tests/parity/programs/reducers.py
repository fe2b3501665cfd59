"""Reducers: how writes to a key are put together, and which functions can be one."""

import operator
from dataclasses import dataclass, field
from functools import wraps
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict


def keep_max(left, right):
    return max(left, right)


def merge(left: dict, right: dict) -> dict:
    return {**left, **right}


def maybe_append(left: list | None, right: Any) -> list:
    return [*(left or []), right]


class Sums(TypedDict):
    number: Annotated[int, operator.add]
    text: Annotated[str, operator.add]
    items: Annotated[list, operator.add]
    best: Annotated[int, keep_max]
    facts: Annotated[dict, merge]
    seen: Annotated[set, operator.or_]
    ratio: Annotated[float, operator.add]


def program_many_reducers(record, any_saver):
    def one(state):
        return {
            "number": 1,
            "text": "a",
            "items": [1],
            "best": 4,
            "facts": {"a": 1},
            "seen": {1},
            "ratio": 0.5,
        }

    def two(state):
        return {
            "number": 2,
            "text": "b",
            "items": [2],
            "best": 3,
            "facts": {"b": 2},
            "seen": {2},
            "ratio": 0.25,
        }

    graph = StateGraph(Sums).add_sequence([one, two]).add_edge(START, "one").compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "1"}}
    record("from nothing", graph.invoke({"items": []}, config))
    record(
        "from something",
        graph.invoke({"number": 10, "text": "x", "items": [0], "best": 100, "facts": {"z": 0}}, config),
    )


def program_empty_values(record):
    seen = []
    graph = (
        StateGraph(Sums)
        .add_node("look", lambda state: seen.append(dict(state)))
        .add_edge(START, "look")
        .compile()
    )
    record("what is there before any write", graph.invoke({"items": []}))
    record("seen by the node", seen)


def program_reducer_gets_none(record):
    class State(TypedDict):
        log: Annotated[list | None, maybe_append]
        other: Annotated[Any, maybe_append]

    graph = (
        StateGraph(State).add_node("n", lambda state: {"log": "x", "other": 1}).add_edge(START, "n").compile()
    )
    record("first write", graph.invoke({"log": "in"}))
    record("both", graph.invoke({"log": "in", "other": 0}))


def program_reducer_may_raise(record, any_saver):
    class State(TypedDict):
        items: Annotated[list, operator.add]

    graph = (
        StateGraph(State)
        .add_node("n", lambda state: {"items": "no list"})
        .add_edge(START, "n")
        .compile(checkpointer=any_saver)
    )
    config = {"configurable": {"thread_id": "1"}}
    record.error("from the node", lambda: graph.invoke({"items": []}, config), "can only concatenate list")
    record.error("from the input", lambda: graph.invoke({"items": 3}, config), "can only concatenate list")


def program_lambda_reducer(record):
    class State(TypedDict):
        last: Annotated[list, lambda left, right: (left + right)[-2:]]

    def node(state):
        return {"last": [len(state["last"])]}

    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, node)
    graph = builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").compile()
    record("window", list(graph.stream({"last": [7, 8]}, stream_mode="values")))


def program_none_resets_with_a_custom_reducer(record):
    def add_or_reset(left, right):
        return [] if right is None else left + right

    class State(TypedDict):
        items: Annotated[list, add_or_reset]

    builder = StateGraph(State)
    builder.add_node("fill", lambda state: {"items": [1, 2]})
    builder.add_node("reset", lambda state: {"items": None})
    builder.add_node("again", lambda state: {"items": [3]})
    graph = builder.add_edge(START, "fill").add_edge("fill", "reset").add_edge("reset", "again").compile()
    record("values", list(graph.stream({"items": [0]}, stream_mode="values")))


def program_invalid_reducers(record):
    def takes_one(left):
        return left

    def takes_three(left, right, third):
        return left

    def takes_default(left, right, third=None):
        return [*left, right]

    for reducer in (takes_one, takes_three):
        state = TypedDict("State", {"items": Annotated[list, reducer]})
        record.error(reducer.__name__, lambda state=state: StateGraph(state), "Invalid reducer")
    state = TypedDict("State", {"items": Annotated[list, takes_default]})
    record.error("a third parameter with a default", lambda: StateGraph(state))


def program_reducers_that_tell_no_signature(record):
    for reducer in (max, set.union, dict.update, int):
        state = TypedDict("state", {"key": Annotated[set, reducer]})
        # Which builtins tell theirs differs between versions of Python.
        record.error(reducer.__name__, lambda state=state: StateGraph(state), "signature")
    for reducer in (sum, operator.or_, set.__or__):
        state = TypedDict("state", {"key": Annotated[set, reducer]})
        record(reducer.__name__, list(StateGraph(state).channels))


def program_annotated_without_reducer(record):
    class State(TypedDict):
        note: Annotated[str, "only a comment"]
        other: Annotated[int, {"doc": 1}]

    graph = StateGraph(State).add_node("n", lambda state: {"note": "new"}).add_edge(START, "n").compile()
    record("last value", graph.invoke({"note": "old", "other": 1}))


def program_several_annotations(record):
    class State(TypedDict):
        items: Annotated[list, "a comment", operator.add]
        swapped: Annotated[list, operator.add, "a comment"]

    graph = (
        StateGraph(State)
        .add_node("n", lambda state: {"items": [1], "swapped": [1]})
        .add_edge(START, "n")
        .compile()
    )
    record("the last annotation decides", graph.invoke({"items": [0], "swapped": [0]}))


def program_reducer_called_on_input_of_a_later_run(record, saver):
    class State(TypedDict):
        items: Annotated[list, operator.add]
        plain: list

    graph = (
        StateGraph(State)
        .add_node("n", lambda state: {"items": ["n"]})
        .add_edge(START, "n")
        .compile(checkpointer=saver)
    )
    config = {"configurable": {"thread_id": "1"}}
    record("first", graph.invoke({"items": ["x"], "plain": [1]}, config))
    record("second", graph.invoke({"items": ["y"], "plain": [2]}, config))
    record("other thread", graph.invoke({"items": ["z"]}, {"configurable": {"thread_id": "2"}}))


def program_dataclass_reducers_and_defaults(record, saver):
    @dataclass
    class State:
        items: Annotated[list, operator.add] = field(default_factory=lambda: ["default"])
        total: Annotated[int, operator.add] = 5
        note: str = "none"

    seen = []

    def look(state: State):
        seen.append((state.items, state.total, state.note))
        return {"items": ["x"], "total": 1}

    graph = StateGraph(State).add_node(look).add_edge(START, "look").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("result", graph.invoke({"note": "hi"}, config))
    record("seen", seen)
    record("state", graph.get_state(config).values)


def program_numbers_as_state(record, saver):
    class State(TypedDict):
        i: Annotated[int, operator.add]
        f: Annotated[float, operator.mul]
        b: bool
        big: int

    def node(state):
        return {"i": 2, "f": 3.0, "b": not state["b"], "big": state["big"] * 10}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("numbers", graph.invoke({"i": 1, "f": 2.0, "b": False, "big": 10**15}, config))
    record("stored", graph.get_state(config).values)


def program_a_reducer_around_another_one(record, saver):
    @wraps(add_messages)
    def last_two(left, right):
        return add_messages(left, right)[-2:]

    class Trimmed(TypedDict):
        messages: Annotated[list, last_two]

    graph = StateGraph(Trimmed)
    for name in "abcd":
        graph.add_node(name, lambda state, name=name: {"messages": [AIMessage(name, id=name)]})
    graph = graph.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c").add_edge("c", "d")
    graph = graph.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("end", graph.invoke({"messages": [HumanMessage("hi", id="h")]}, config))
    record("saved", graph.get_state(config).values)
    record("history", [[m.id for m in s.values.get("messages", [])] for s in graph.get_state_history(config)])


def program_schemas_that_give_a_key_different_reducers(record):
    class Adds(TypedDict):
        key: Annotated[list, operator.add]

    class Holds(TypedDict):
        key: list

    class Other(TypedDict):
        key: Annotated[list, lambda left, right: right]

    schemas = (Adds, Holds, Other)
    for state in schemas:
        for other in schemas:
            label = f"{state.__name__} {other.__name__}"
            record.error(f"{label} input", lambda s=state, o=other: bool(StateGraph(s, input_schema=o)))
            record.error(f"{label} output", lambda s=state, o=other: bool(StateGraph(s, output_schema=o)))
            builder = StateGraph(state)
            record.error(
                f"{label} node", lambda b=builder, o=other: bool(b.add_node("n", len, input_schema=o))
            )
