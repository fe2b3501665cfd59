"""How a state key takes writes: what its rule is, and what a fold only appended."""

from __future__ import annotations

import operator

import pytest

from nbhitl.channels import BinaryOperatorAggregate, DeltaChannel, LastValue, Topic, UntrackedValue
from nbhitl.engine.keys import KeyKind, KeyRule
from nbhitl.graph.message import add_messages, appended_messages
from nbhitl.types import MISSING


def joined(value, writes):
    return [*value, *(item for write in writes for item in write)]


def longest(old, new):
    return max(old, new, key=len)


@pytest.mark.parametrize(
    ("channel", "kind", "initial", "saved", "edits", "batched"),
    [
        (LastValue(list), KeyKind.LAST, MISSING, True, False, False),
        (BinaryOperatorAggregate(list, operator.add), KeyKind.REDUCE, [], True, False, False),
        (BinaryOperatorAggregate(list, longest), KeyKind.REDUCE, [], True, False, False),
        (BinaryOperatorAggregate(list, add_messages), KeyKind.REDUCE, [], True, True, False),
        (DeltaChannel(joined, list), KeyKind.REDUCE, [], True, False, True),
        (Topic(list), KeyKind.OBJECT, MISSING, True, False, False),
        (UntrackedValue(list), KeyKind.OBJECT, MISSING, False, False, False),
    ],
)
def test_the_rule_follows_from_the_channel(channel, kind, initial, saved, edits, batched):
    rule = KeyRule("k", channel)
    assert (rule.kind, rule.saved, rule.edits, rule.batched) == (kind, saved, edits, batched)
    assert rule.initial == initial
    assert rule.first_value() == initial
    assert rule.first_value() is not rule.initial or initial is MISSING


def test_lists_that_are_added_up_gain_the_update():
    rule = KeyRule("k", BinaryOperatorAggregate(list, operator.add))
    assert rule.appended([1], [1, 2], [2]) == [2]
    assert rule.appended((1,), [1, 2], [2]) is None
    assert rule.appended([1], [1, 2], (2,)) is None
    old = [1]
    assert rule.grown(old, (2,)) is None
    assert old == [1]
    assert rule.grown(old, [2]) == ([1, 2], [2])
    assert old == [1, 2]


def test_what_another_reducer_appends_it_says_itself():
    assert KeyRule("k", BinaryOperatorAggregate(list, longest)).appended is None
    assert KeyRule("k", BinaryOperatorAggregate(list, add_messages)).appended is appended_messages
    assert KeyRule("k", DeltaChannel(add_messages, list)).appended is appended_messages


A, B, C = [1], [2], [3]


@pytest.mark.parametrize(
    ("new", "tail"),
    [
        ([A, B, C], [C]),
        ([A, B], []),
        ([A], None),
        ([[1], B, C], None),
        ((A, B, C), None),
    ],
)
def test_of_a_reducer_in_batches_a_longer_list_with_the_same_items_tells(new, tail):
    rule = KeyRule("k", DeltaChannel(joined, list))
    assert rule.appended([A, B], new, None) == tail
    assert rule.appended((A, B), new, None) is None


def test_a_list_that_was_changed_in_place_does_not_tell_what_it_gained():
    rule, items = KeyRule("k", DeltaChannel(joined, list)), [A, B]
    assert rule.appended(items, items, None) is None
