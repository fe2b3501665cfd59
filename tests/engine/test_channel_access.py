"""Code below a node reads and sends by key through the node's config, on both engines alike."""

import asyncio
import operator
from typing import Annotated, TypedDict

import pytest
from langgraph.managed import RemainingSteps as TheirSteps

from nbhitl.managed import RemainingSteps as OurSteps
from tests.engine.engines import BOTH, LANGGRAPH


def schema(e):
    class State(TypedDict):
        a: str
        items: Annotated[list, operator.add]
        never: int
        left: TheirSteps if e is LANGGRAPH else OurSteps

    return State


def graph_of(e, node, *, after=None, **compiled):
    builder = e.StateGraph(schema(e))
    builder.add_node("n", node).add_node("m", lambda state: {"items": [f"m:{state['a']}"]})
    builder.add_edge(e.START, "n")
    if after is not None:
        builder.add_conditional_edges("n", after, ["m", e.END])
    return builder.compile(**compiled)


def access(config):
    return config["configurable"]["__pregel_read"], config["configurable"]["__pregel_send"]


GIVEN = {"a": "given", "items": ["0"]}


@BOTH
def test_reads_the_state_of_the_step_and_with_what_was_sent(e):
    seen = []

    def node(state, config):
        read, send = access(config)
        send([("items", ["sent"]), ("never", 4)])
        for select in (
            "a",
            "items",
            "never",
            ["items", "never"],
            ("left", "a"),
            [],
            "branch:to:m",
            ["branch:to:m"],
        ):
            seen.append((read(select), read(select, fresh=True)))
        for unknown in ("no_such_key", ["no_such_key"], "left"):
            with pytest.raises(KeyError):
                read(unknown)
        return {"items": ["returned"]}

    result = graph_of(e, node).invoke(GIVEN, {"recursion_limit": 9})
    assert seen == [
        ("given", "given"),
        (["0"], ["0", "sent"]),
        (None, 4),
        ({"items": ["0"]}, {"items": ["0", "sent"], "never": 4}),
        ({"a": "given", "left": 8}, {"a": "given", "left": 8}),
        ({}, {}),
        (None, None),
        ({}, {}),
    ]
    assert result == {"a": "given", "items": ["0", "sent", "returned"], "never": 4}


@BOTH
def test_sends_start_nodes_and_unknown_channels_are_left_out_with_a_warning(e, caplog):
    def node(state, config):
        _, send = access(config)
        send([("no_such_key", 1), ("a", "sent"), ("__pregel_tasks", 1)])
        send((("__pregel_tasks", e.Send("m", {"a": "by send"})), ("branch:to:m", None)))

    with caplog.at_level("WARNING"):
        chunks = [*graph_of(e, node).stream(GIVEN, stream_mode="updates")]
    assert chunks[0] == {"n": {"a": "sent"}}
    assert sorted(chunk["m"]["items"][0] for chunk in chunks[1:]) == ["m:by send", "m:sent"]
    assert len([record for record in caplog.records if "ignoring" in record.message.lower()]) == 1 + 1


@BOTH
def test_path_functions_see_what_the_node_sent(e):
    seen = []

    def node(state, config):
        access(config)[1]([("a", "sent")])

    def after(state, config):
        read, _ = access(config)
        seen.append((state["a"], read("a"), read("a", True)))
        return e.END

    graph_of(e, node, after=after).invoke(GIVEN)
    assert seen == [("sent", "given", "sent")]


@BOTH
def test_what_was_sent_before_a_question_is_sent_once(e):
    def node(state, config):
        access(config)[1]([("items", ["before"])])
        return {"items": [e.interrupt("go?")]}

    graph = graph_of(e, node, checkpointer=e.InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    graph.invoke(GIVEN, config)
    assert graph.get_state(config).values["items"] == ["0"]
    assert graph.invoke(e.Command(resume="yes"), config)["items"] == ["0", "before", "yes"]


@BOTH
def test_what_a_failed_attempt_sent_is_dropped(e):
    tries = []

    def node(state, config):
        access(config)[1]([("items", [f"try {len(tries)}"])])
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError

    builder = e.StateGraph(schema(e))
    builder.add_node("n", node, retry_policy=e.RetryPolicy(initial_interval=0.001, jitter=False))
    graph = builder.add_edge(e.START, "n").compile()
    assert graph.invoke(GIVEN)["items"] == ["0", "try 1"]


@BOTH
def test_async_nodes_have_them_too(e):
    async def node(state, config):
        read, send = access(config)
        send([("items", ["sent"])])
        return {"items": [str(len(read("items", fresh=True)))]}

    assert asyncio.run(graph_of(e, node).ainvoke(GIVEN))["items"] == ["0", "sent", "2"]


@BOTH
def test_a_called_graph_has_its_own(e):
    def inner(state, config):
        read, send = access(config)
        send([("items", [*read("items"), "inner"])])

    child = graph_of(e, inner)

    def outer(state, config):
        child.invoke({"a": "below", "items": ["below"]}, config)
        return {"items": access(config)[0]("items")}

    assert graph_of(e, outer).invoke(GIVEN)["items"] == ["0", "0"]
