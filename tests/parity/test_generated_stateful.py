"""Random forks, updates, replays and answers, with children that keep a state of their own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from .generated_stateful import ACTS, SHAPES, Reader, build, course, do, history, seen
from .swap import ENGINES, LANGGRAPH, NBHITL

if TYPE_CHECKING:
    from .generated_stateful import Act

REFUSED = ("UnknownInterruptError", "AlreadyAnswered")
"""What nbhitl says of an answer to what is not open: D2, D4."""

EVERYDAY = 40

FOUND = [
    (
        "below",
        [
            ("update", 0, "5", "__start__"),
            ("answer there", 1, "0", None),
            ("run again", 2, "1", None),
            ("run again", 1, "7", None),
        ],
    ),
    (
        "in another",
        [
            ("update", 0, "2", None),
            ("fork and run", 1, "4", "b"),
            ("update", 0, "8", "a"),
            ("command", 0, "5", None),
        ],
    ),
    ("beside", [("fork", 0, "4", "b"), ("update", 0, "5", None), ("answer there", 2, "2", None)]),
    (
        "node below",
        [
            ("update", 0, "0", None),
            ("answer there", 1, "0", None),
            ("run again", 2, "3", None),
            ("answer", 0, "8", None),
            ("run again", 2, "3", None),
        ],
    ),
    ("loop", [("fork", 0, "3", None), ("answer there", 1, "8", None), ("fork and run", 2, "7", None)]),
    (
        "called",
        [("update", 0, "2", "b"), ("go on", 0, "0", None), ("update", 0, "1", "a"), ("go on", 0, "5", None)],
    ),
    ("beside", [("update", 0, "0", "b"), ("answer there", 1, "2", None)]),
    (
        "in another",
        [
            ("fork", 0, "5", None),
            ("answer there", 1, "8", None),
            ("run again", 1, "7", None),
            ("goto", 0, "4", None),
            ("fork and run", 5, "1", None),
        ],
    ),
    ("beside", [("fork and run", 0, "1", "b"), ("update", 0, "0", None), ("answer there", 3, "1", None)]),
    (
        "two",
        [
            ("update", 0, "8", None),
            ("update", 0, "7", None),
            ("update", 0, "0", None),
            ("answer there", 3, "5", None),
            ("fork and run", 0, "6", None),
            ("fork and run", 5, "4", None),
        ],
    ),
]
"""Courses of the slow test, made short: what each did differently was mended."""


def compared(shape: str, acts: list[Act]) -> str:
    """Do the same on both engines, and return how far they were compared: to the "end", or which difference came."""
    on = {engine: build(shape, engine) for engine in ENGINES}
    reader = Reader(on[LANGGRAPH])
    written = False
    for act in acts:
        written = written or reader.answers_the_written(act)
        if reader.answers_elsewhere(act):
            return "D25"
        if reader.answered_there(act):
            return "D4"
        expected, actual = (do(graph, engine, act) for engine, graph in on.items())
        if reader.differs():
            return "D25 or D12"
        if actual in REFUSED and expected != actual:
            return "D2 or D4"
        assert actual == expected, act
        states = [seen(graph) for graph in on.values()]
        assert states[1] == states[0], act
    told = [history(graph) for graph in on.values()]
    assert written or told[1] == told[0]
    return "end"


@pytest.mark.parametrize("seed", range(EVERYDAY))
def test_a_random_course(seed: int) -> None:
    shape, acts = course(seed)
    print(shape, acts)
    compared(shape, acts)


@pytest.mark.parametrize(("shape", "acts"), FOUND, ids=str)
def test_a_course_that_differed(shape: str, acts: list[Act]) -> None:
    assert compared(shape, [("input", 0, "i", None), *acts]) == "end"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("length", [6, 10])
def test_many_more(length: int) -> None:
    """Most of them are compared to their end."""
    ends = Counter()
    for seed in range(EVERYDAY, EVERYDAY + 400):
        shape, acts = course(seed, length)
        try:
            ends[compared(shape, acts)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {shape}, {acts}") from error
    assert ends["end"] > (200 if length == 6 else 120), ends


def test_what_is_generated() -> None:
    courses = [course(seed) for seed in range(EVERYDAY)]
    assert {shape for shape, _ in courses} == {*SHAPES}
    assert {kind for _, acts in courses for kind, *_ in acts} == {*ACTS}
    assert ENGINES == (LANGGRAPH, NBHITL)
