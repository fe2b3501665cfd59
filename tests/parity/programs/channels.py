"""Channels and small types, used directly."""

import operator

from langgraph.channels.any_value import AnyValue
from langgraph.channels.binop import BinaryOperatorAggregate
from langgraph.channels.ephemeral_value import EphemeralValue
from langgraph.channels.last_value import LastValue
from langgraph.channels.named_barrier_value import NamedBarrierValue
from langgraph.channels.topic import Topic
from langgraph.channels.untracked_value import UntrackedValue
from langgraph.errors import EmptyChannelError, InvalidUpdateError


def program_last_value(record):
    channel = LastValue(int)
    record.error("empty", channel.get)
    record("available", channel.is_available())
    record("update", channel.update([3]))
    record("value", channel.get())
    record("no update", channel.update([]))
    record.error("two", lambda: channel.update([1, 2]), "Can receive only one value per step")
    record("checkpoint", LastValue(int).from_checkpoint(channel.checkpoint()).get())


def program_binop(record):
    channel = BinaryOperatorAggregate(int, operator.add)
    record("start", channel.get())
    channel.update([1, 2, 3])
    record("sum", channel.get())
    copy = channel.from_checkpoint(channel.checkpoint())
    copy.update([10])
    record("copy", (channel.get(), copy.get()))


def program_topic(record):
    channel = Topic(str)
    channel.update(["a", ["b", "c"]])
    record("values", channel.get())
    channel.update([])
    record.error("cleared", channel.get)
    keeping = Topic(str, accumulate=True)
    keeping.update(["a"])
    keeping.update(["b"])
    record("accumulated", keeping.get())


def program_ephemeral(record):
    channel = EphemeralValue(int)
    channel.update([1])
    record("value", channel.get())
    channel.update([])
    record.error("gone", channel.get)
    record.error("two", lambda: channel.update([1, 2]))


def program_any_value(record):
    channel = AnyValue(int)
    channel.update([1, 2])
    record("last", channel.get())
    channel.update([])
    record.error("gone", channel.get)


def program_barrier(record):
    channel = NamedBarrierValue(str, {"a", "b"})
    channel.update(["a"])
    record("half", channel.is_available())
    channel.update(["b"])
    record("full", channel.is_available())
    record("consume", channel.consume())
    record("after", channel.is_available())
    record.error("unknown", lambda: channel.update(["zz"]))


def program_untracked(record):
    channel = UntrackedValue(int)
    channel.update([1])
    record("value", channel.get())
    record("two", _outcome(lambda: channel.update([1, 2])))


def _outcome(call):
    try:
        return call()
    except (InvalidUpdateError, EmptyChannelError) as error:
        return type(error).__name__


def program_state_annotated_with_a_channel(record):
    from typing import Annotated

    from langgraph.graph import START, StateGraph
    from typing_extensions import TypedDict

    class State(TypedDict):
        items: Annotated[list, Topic]
        any: Annotated[int, AnyValue]
        brief: Annotated[int, EphemeralValue]

    seen = []

    def look(state):
        seen.append(dict(state))
        return {"items": "x", "any": 1}

    builder = (
        StateGraph(State)
        .add_node("a", look)
        .add_node("b", look)
        .add_node("c", lambda state: seen.append(dict(state)))
    )
    graph = builder.add_edge(START, "a").add_edge(START, "b").add_edge("a", "c").compile()
    record("result", graph.invoke({"items": "in", "any": 0, "brief": 5}))
    record("seen", seen)
