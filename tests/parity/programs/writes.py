"""Writes to keys: their order, unknown keys, lists that grow, values of many types."""

import operator
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import InvalidUpdateError
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict


def program_two_writes_to_one_key(record, any_saver):
    class State(TypedDict):
        hello: str
        ok: Annotated[list, operator.add]

    builder = StateGraph(State)
    builder.add_node("a", lambda state: {"hello": "a", "ok": ["a"]})
    builder.add_node("b", lambda state: {"hello": "b", "ok": ["b"]})
    graph = builder.add_edge(START, "a").add_edge(START, "b").compile(checkpointer=any_saver)
    config = {"configurable": {"thread_id": "1"}}
    record.error("conflict", lambda: graph.invoke({"hello": "x"}, config), "At key 'hello'")
    try:
        graph.invoke({"hello": "x"}, config)
    except InvalidUpdateError as error:
        record("is InvalidUpdateError", "Can receive only one value per step" in str(error))


def program_order_of_writes(record, any_saver):
    import time

    class State(TypedDict):
        items: Annotated[list, operator.add]

    def slow(state):
        time.sleep(0.02)
        return {"items": ["a"]}

    builder = StateGraph(State)
    builder.add_node("c", lambda state: {"items": ["c"]})
    builder.add_node("a", slow)
    builder.add_node("b", lambda state: {"items": ["b"]})
    builder.add_edge(START, "c").add_edge(START, "a").add_edge(START, "b")
    graph = builder.compile(checkpointer=any_saver)
    record("by name, not by completion", graph.invoke({"items": []}, {"configurable": {"thread_id": "1"}}))


def program_unknown_keys(record):
    class State(TypedDict):
        a: int

    graph = StateGraph(State).add_node("n", lambda state: {"a": 1, "zzz": 2}).add_edge(START, "n").compile()
    record("keys outside the state are dropped", graph.invoke({"a": 0}))
    record("updates still show them", list(graph.stream({"a": 0}, stream_mode="updates")))
    record.error("only unknown keys as input", lambda: graph.invoke({"zzz": 1}))


def program_values_of_many_types(record, saver):
    import datetime
    import decimal
    import uuid

    class State(TypedDict):
        value: Any

    values = [
        datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
        datetime.date(2024, 1, 2),
        datetime.timedelta(seconds=3),
        decimal.Decimal("1.50"),
        uuid.UUID(int=7),
        {1, 2},
        frozenset({3}),
        b"bytes",
        {1: "int key", "nested": [{"a": None}]},
        float("inf"),
        "text \u2603",
        [],
        {},
        -1,
        2**62,
    ]
    graph = (
        StateGraph(State).add_node("n", lambda state: None).add_edge(START, "n").compile(checkpointer=saver)
    )
    for number, value in enumerate(values):
        config = {"configurable": {"thread_id": str(number)}}
        graph.invoke({"value": value}, config)
        stored = graph.get_state(config).values["value"]
        record(f"{type(value).__name__}", (stored == value, type(stored).__name__, stored))


class Grown(TypedDict):
    items: Annotated[list, operator.add]
    messages: Annotated[list, add_messages]


def program_whoever_has_a_list_keeps_it_as_it_was(record, saver):
    """Nodes, path functions and readers of the stream that keep the lists which they got; the state's own lists grow."""
    kept = []

    def step(state):
        kept.append((state["items"], state["messages"]))
        number = len(state["items"])
        return {"items": [number], "messages": [AIMessage(f"m{number}", id=f"id{number}")]}

    def onwards(state):
        kept.append((state["items"], state["messages"]))
        if len(state["items"]) % 3 == 0:
            state["items"].append("changed by the path function")
            state["messages"].pop()
        return "step" if len(state["items"]) < 8 else END

    def lengths():
        return [(len(items), [message.id for message in messages]) for items, messages in kept]

    graph = StateGraph(Grown).add_node("step", step).add_edge(START, "step")
    graph = graph.add_conditional_edges("step", onwards).compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("input", graph.invoke({"items": ["first"], "messages": [HumanMessage("hi", id="h")]}, config))
    record("kept", lengths())
    kept.clear()
    start = {"items": ["second"], "messages": [HumanMessage("again", id="h2")]}
    record("chunks", list(graph.stream(start, config, stream_mode="values")))
    record("kept", lengths())
    record(
        "history",
        [(s.values.get("items"), len(s.values.get("messages", []))) for s in graph.get_state_history(config)],
    )


def program_a_list_that_a_node_changes_in_place_grows_on(record, saver):
    def step(state):
        if len(state["items"]) == 2:
            state["items"].append("not returned")
        return {"items": [len(state["items"])]}

    graph = StateGraph(Grown).add_node("step", step).add_edge(START, "step")
    graph = graph.add_conditional_edges("step", lambda state: "step" if len(state["items"]) < 6 else END)
    graph = graph.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}}
    record("end", graph.invoke({"items": [0]}, config))
    record("saved", graph.get_state(config).values)
