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


def compared(shape: str, acts: list[Act]) -> str:
    """Do the same on both engines, and return how far they were compared: to the "end", or which difference came."""
    on = {engine: build(shape, engine) for engine in ENGINES}
    reader = Reader(on[LANGGRAPH])
    for act in acts:
        if reader.answers_elsewhere(act):
            return "D25"
        expected, actual = (do(graph, engine, act) for engine, graph in on.items())
        if reader.differs():
            return "D25 or D12"
        if actual in REFUSED and expected != actual:
            return "D2 or D4"
        assert actual == expected, act
        states = [seen(graph) for graph in on.values()]
        assert states[1] == states[0], act
    told = [history(graph) for graph in on.values()]
    assert told[1] == told[0]
    return "end"


@pytest.mark.parametrize("seed", range(EVERYDAY))
def test_a_random_course(seed: int) -> None:
    shape, acts = course(seed)
    print(shape, acts)
    compared(shape, acts)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_more() -> None:
    """Most of them are compared to their end."""
    ends = Counter()
    for seed in range(EVERYDAY, EVERYDAY + 400):
        shape, acts = course(seed)
        try:
            ends[compared(shape, acts)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {shape}, {acts}") from error
    assert ends["end"] > 200, ends


def test_what_is_generated() -> None:
    courses = [course(seed) for seed in range(EVERYDAY)]
    assert {shape for shape, _ in courses} == {*SHAPES}
    assert {kind for _, acts in courses for kind, *_ in acts} == {*ACTS}
    assert ENGINES == (LANGGRAPH, NBHITL)
