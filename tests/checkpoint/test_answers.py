"""What delivers a task's answers: added as bytes to what is there, it is what packing them all would be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbhitl.checkpoint._answers import Answers, joined
from nbhitl.checkpoint.serde import Serde

PLACE = ("t", "", "c")
VALUES = st.recursive(
    st.none() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


def answers(given, before, codec=None):
    return Answers(PLACE, "task", given, before, codec or Serde())


@given(st.lists(VALUES, min_size=1, max_size=40))
def test_answers_that_come_one_by_one_are_stored_as_those_that_come_together(values):
    entries = [[f"q{n}", "digest", value] for n, value in enumerate(values)]
    row = None
    for n in range(len(entries)):
        row = answers(entries[: n + 1], entries[:n]).row_after(row)
    assert Serde().loads(row.value) == entries
    assert row[:-1] == answers(entries, []).row()[:-1]


@pytest.mark.parametrize("size", [1, 15, 16, 17, 65_535, 65_536])
def test_lists_of_all_lengths_are_joined(size):
    item = Serde().dumps([7])
    assert Serde().loads(joined([item] * size)) == [7] * size


@pytest.mark.parametrize(
    "stored", [[], ["q0"], ["q1", "q0"], ["q0", "q2"], ["q0", "q1", "q2"], ["q1"]], ids="-".join
)
@pytest.mark.parametrize("last", ["q2", "q1"])
def test_what_does_not_come_after_what_is_there_is_left_to_who_looks_closer(stored, last):
    """With a `last` that is not the last of all that is given, all are packed and compared."""
    before = [["q0", "digest", 0], ["q1", "digest", 1]]
    found = answers([[name, "digest", int(name[1])] for name in stored], []).row() if stored else None
    new = [*before, ["q2", "digest", 2]] if last == "q2" else [["q1", "digest", 1], *before]
    assert answers(new, before).row_after(found) is None


def test_a_first_answer_is_not_put_in_place_of_another():
    found = answers([["q0", "digest", 0]], []).row()
    assert answers([["q1", "digest", 1]], []).row_after(found) is None
    assert answers([["q1", "digest", 1]], []).row_after(None) is not None
