from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.history import Change, compare_values
from nbhitl.history.compare import same_value

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({"n": 1}, {"n": 1}, []),
        ({"n": 1}, {"n": 2}, [Change("n", "replaced", 1, 2)]),
        ({}, {"n": None}, [Change("n", "added", None, None)]),
        ({"n": 0}, {}, [Change("n", "removed", 0, None)]),
        ({"n": True}, {"n": 1}, [Change("n", "replaced", True, 1)]),
        (
            {"l": [1]},
            {"l": [1, 2, 3]},
            [Change("l[1]", "appended", None, 2), Change("l[2]", "appended", None, 3)],
        ),
        ({"l": []}, {"l": [1]}, [Change("l[0]", "appended", None, 1)]),
        ({"l": [1, 2]}, {"l": [1]}, [Change("l[1]", "removed", 2, None)]),
        ({"l": [1, 2]}, {"l": []}, [Change("l[0]", "removed", 1, None), Change("l[1]", "removed", 2, None)]),
        ({"l": [1, 2, 3]}, {"l": [1, 9, 3]}, [Change("l[1]", "replaced", 2, 9)]),
        ({"l": [1, 3]}, {"l": [1, 2, 3]}, [Change("l[1]", "inserted", None, 2)]),
        (
            {"l": [1, 2]},
            {"l": [9, 2, 3]},
            [Change("l[0]", "replaced", 1, 9), Change("l[2]", "appended", None, 3)],
        ),
        (
            {"l": [1, 2, 3]},
            {"l": [8, 9]},
            [
                Change("l[0]", "replaced", 1, 8),
                Change("l[1]", "replaced", 2, 9),
                Change("l[2]", "removed", 3, None),
            ],
        ),
        ({"u": {"a": 1, "b": 2}}, {"u": {"a": 1, "b": 3}}, [Change("u.b", "replaced", 2, 3)]),
        (
            {"l": [{"id": 1, "t": "x"}, 5]},
            {"l": [{"id": 1, "t": "y"}, 5]},
            [Change("l[0].t", "replaced", "x", "y")],
        ),
        ({"l": (1, 2)}, {"l": [1, 2]}, [Change("l", "replaced", (1, 2), [1, 2])]),
        ([1], [1, 2], [Change("__root__[1]", "appended", None, 2)]),
    ],
)
def test_changes(before, after, changes):
    assert compare_values(before, after) == changes


@settings(derandomize=True)
@given(JSON)
def test_a_state_does_not_differ_from_itself(value):
    assert compare_values({"k": value}, {"k": value}) == []


@settings(derandomize=True)
@given(JSON, JSON)
def test_states_that_differ_have_a_change(before, after):
    changes = compare_values({"k": before}, {"k": after})
    assert bool(changes) == (not same_value_deep(before, after))


def same_value_deep(a, b):
    if type(a) is not type(b):
        return False
    return a == b


@settings(derandomize=True)
@given(st.lists(st.integers(0, 3), max_size=6), st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_of_a_list_that_grew_only_the_new_items_are_told(old, new):
    assert compare_values({"l": old}, {"l": old + new}) == [
        Change(f"l[{i}]", "appended", None, item) for i, item in enumerate(new, start=len(old))
    ]


@settings(derandomize=True)
@given(st.lists(st.integers(0, 3), max_size=6), st.lists(st.integers(0, 3), max_size=6))
def test_the_changes_lead_from_one_list_to_the_other(old, new):
    changes = compare_values({"l": old}, {"l": new})
    place = {change: int(change.key.removeprefix("l[").removesuffix("]")) for change in changes}
    gone = {place[c] for c in changes if c.change == "removed"}
    left = [item for i, item in enumerate(old) if i not in gone]
    for change in changes:
        if change.change in ("appended", "inserted"):
            left.insert(place[change], change.after)
        elif change.change == "replaced":
            assert left[place[change]] == change.before
            left[place[change]] = change.after
    assert left == new


def test_tables_and_arrays_are_compared_as_a_whole():
    frame = pd.DataFrame({"a": [1, None]})
    assert same_value(frame, frame.copy())
    assert not same_value(frame, frame.fillna(0))
    assert same_value(np.array([1, 2]), np.array([1, 2]))
    assert not same_value(np.array([1, 2]), np.array([1, 3]))
    assert not same_value(np.array([1, 2]), np.array([[1, 2], [1, 2]]))
