"""Channels one by one: what they hold after each step's writes, the same as LangGraph's."""

from __future__ import annotations

import operator
from collections.abc import MutableSequence, Sequence
from typing import Any

import langgraph.channels as langgraphs
import langgraph.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbhitl.channels as ours
from nbhitl.channels.binop import fold, initial_value, unwrap_overwrite
from nbhitl.errors import EmptyChannelError, InvalidUpdateError
from nbhitl.types import MISSING, Overwrite

EMPTY = "nothing to get"

MAKERS = {
    "any": lambda on: on.AnyValue(int),
    "last": lambda on: on.LastValue(int),
    "deferred": lambda on: on.LastValueAfterFinish(int),
    "untracked": lambda on: on.UntrackedValue(int),
    "untracked, unguarded": lambda on: on.UntrackedValue(int, guard=False),
    "ephemeral": lambda on: on.EphemeralValue(int),
    "ephemeral, unguarded": lambda on: on.EphemeralValue(int, guard=False),
    "sum": lambda on: on.BinaryOperatorAggregate(int, operator.add),
    "topic": lambda on: on.Topic(int),
    "topic, accumulating": lambda on: on.Topic(int, accumulate=True),
    "barrier": lambda on: on.NamedBarrierValue(int, {1, 2}),
    "deferred barrier": lambda on: on.NamedBarrierValueAfterFinish(int, {1, 2}),
}

# Writes of a step, or what the engine tells the channel between steps.
STEPS = st.lists(
    st.lists(st.integers(1, 2), max_size=3) | st.sampled_from(["consume", "finish"]), min_size=1, max_size=5
)

EVERY = pytest.mark.parametrize("kind", MAKERS)


def held(channel: Any) -> Any:
    try:
        value = channel.get()
    except (EmptyChannelError, langgraph.errors.EmptyChannelError):
        assert not channel.is_available()
        return EMPTY
    assert channel.is_available()
    return list(value) if isinstance(value, Sequence) else value


def story(channel: Any, steps: list[list[int] | str]) -> list[Any]:
    """What a channel tells after each step: whether it changed, and what it holds."""
    told = []
    for step in steps:
        try:
            changed = getattr(channel, step)() if isinstance(step, str) else channel.update(step)
        except (InvalidUpdateError, langgraph.errors.InvalidUpdateError):
            return [*told, "refused"]
        told.append((changed, held(channel)))
    return told


@EVERY
@settings(derandomize=True, max_examples=25, deadline=None, database=None)
@given(
    steps=st.lists(
        st.lists(st.integers(1, 2), max_size=3) | st.sampled_from(["consume", "finish"]),
        min_size=1,
        max_size=5,
    )
)
def test_a_channel_tells_what_langgraphs_tells(kind, steps):
    make = MAKERS[kind]
    assert story(make(ours), steps) == story(make(langgraphs), steps)


@EVERY
def test_what_is_stored_comes_back(kind):
    channel = MAKERS[kind](ours)
    channel.update([1])
    again = channel.from_checkpoint(channel.checkpoint())
    assert type(again) is type(channel)
    assert held(again) == (EMPTY if kind.startswith("untracked") else held(channel))


@EVERY
def test_a_copy_is_apart_from_the_original(kind):
    channel = MAKERS[kind](ours)
    channel.key = "k"
    channel.update([1])
    copy = channel.copy()
    assert (copy.key, copy.typ, held(copy)) == ("k", channel.typ, held(channel))
    before = held(channel)
    copy.update([2])
    assert held(channel) == before


@EVERY
def test_a_fresh_channel_has_nothing_of_the_one_it_is_made_from(kind):
    channel = MAKERS[kind](ours)
    fresh = held(MAKERS[kind](ours))
    channel.update([1])
    assert held(channel.from_checkpoint(MISSING)) == fresh


@EVERY
def test_types_of_value_and_update(kind):
    mine, theirs = MAKERS[kind](ours), MAKERS[kind](langgraphs)
    if "topic" in kind:
        assert (mine.ValueType, mine.UpdateType) == (list[int], int | list[int])
    else:
        assert (mine.ValueType, mine.UpdateType) == (theirs.ValueType, theirs.UpdateType)


def test_equal_channels_are_those_that_take_writes_alike():
    kinds = {kind: make(ours) for kind, make in MAKERS.items()}
    for kind, make in MAKERS.items():
        assert [other for other, channel in kinds.items() if channel == make(ours)] == [kind]
    assert ours.BinaryOperatorAggregate(int, operator.add) != ours.BinaryOperatorAggregate(int, operator.mul)
    assert ours.NamedBarrierValue(str, {"a"}) != ours.NamedBarrierValue(str, {"b"})


def test_a_channel_has_a_readable_repr():
    assert repr(ours.LastValue(int, "n")) == "LastValue(key='n', typ=<class 'int'>)"


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (ours.LastValue(int, "n"), "At key 'n': Can receive only one value per step"),
        (ours.EphemeralValue(int, key="n"), "At key 'n': EphemeralValue"),
        (ours.UntrackedValue(int, key="n"), "At key 'n': UntrackedValue"),
        (ours.NamedBarrierValue(int, {7}, key="n"), "At key 'n': 1 is not one of"),
    ],
    ids=lambda item: getattr(item, "key", ""),
)
def test_a_refusal_names_the_key(channel, message):
    with pytest.raises(InvalidUpdateError, match=message):
        channel.update([1, 2])


# -- folding ---------------------------------------------------------------------------------------
def test_fold_takes_writes_in_turn():
    assert fold(operator.add, [0], [[1], [2]], "k") == [0, 1, 2]
    assert fold(operator.add, MISSING, [[1], [2]], "k") == [1, 2]
    assert fold(operator.add, [0], [], "k") == [0]


@pytest.mark.parametrize("overwrite", [Overwrite([9]), {"__overwrite__": [9]}])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_overwrite_stands_alone(overwrite, place):
    writes: list[Any] = [[1], [2]]
    writes.insert(place, overwrite)
    assert fold(operator.add, [0], writes, "k") == [9]


def test_two_overwrites_are_refused():
    with pytest.raises(InvalidUpdateError, match="'k': Can receive only one Overwrite value per super-step"):
        fold(operator.add, [0], [Overwrite([1]), {"__overwrite__": [2]}], "k")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Overwrite(None), (True, None)),
        ({"__overwrite__": 1}, (True, 1)),
        ({"__overwrite__": 1, "more": 2}, (False, None)),
        ({}, (False, None)),
        ([1], (False, None)),
    ],
)
def test_unwrap_overwrite(value, expected):
    assert unwrap_overwrite(value) == expected


class Refuses:
    def __init__(self, needed: int) -> None:
        self.needed = needed


@pytest.mark.parametrize(
    ("typ", "value"),
    [
        (list, []),
        (list[int], []),
        (dict[str, int], {}),
        (int, 0),
        (str, ""),
        (Sequence[int], []),
        (MutableSequence, []),
    ],
)
def test_the_empty_value_of_a_type(typ, value):
    assert initial_value(typ) == value
    assert type(initial_value(typ)) is type(value)


@pytest.mark.parametrize("typ", [Refuses, int | None, Any])
def test_a_type_without_an_empty_value(typ):
    assert initial_value(typ) is MISSING
