"""Random graphs with state keys of every kind behave the same on both engines."""

from __future__ import annotations

import warnings
from collections import Counter

import pytest

from . import compare as comparing
from .generated_channels import ACTS, KEYS, OUTS, SHAPES, Case, Graphs, KeyedDrive, case
from .swap import ENGINES, LANGGRAPH

EVERYDAY = 40


def _account(planned: Case, engine: str) -> list[tuple[str, str]]:
    with comparing.opened(planned.saver, engine) as saver, warnings.catch_warnings():
        if engine == LANGGRAPH:
            warnings.simplefilter("ignore")
        return KeyedDrive(planned, Graphs(engine), saver).account()


def compared(seed: int) -> bool:
    """Compare to the end, or to where two writes of a step do not fit: what is shown then differs (D14, D16, D19)."""
    planned = case(seed)
    expected, actual = (_account(planned, engine) for engine in ENGINES)
    unfit = [at for at, (_, told) in enumerate(expected, 1) if told == "'InvalidUpdateError'"]
    end = unfit[0] if unfit else None
    found = comparing.difference(expected[:end], actual[:end])
    assert not found, f"seed {seed}: {planned}\n{found}"
    return not unfit


@pytest.mark.parametrize("seed", range(EVERYDAY))
def test_a_graph_with_keys_of_every_kind(seed: int) -> None:
    compared(seed)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_many_more() -> None:
    """Most of them are compared to their end."""
    ends = Counter(compared(seed) for seed in range(EVERYDAY, EVERYDAY + 600))
    assert ends[True] > 400, ends


def test_what_is_generated() -> None:
    cases = [case(seed) for seed in range(EVERYDAY)]
    nodes = [node for planned in cases for node in planned.plan.nodes]
    assert {key for node in nodes for key in node.writes} == {*KEYS}
    assert {node.out for node in nodes} == {*OUTS}
    assert {node.shape for node in nodes} == {*SHAPES}
    assert {act for planned in cases for act, _ in planned.plan.acts} == {*ACTS}
    assert {planned.saver for planned in cases} == {"none", "memory", "sqlite"}
    for what in ("asks", "defer", "fails", "cached", "child"):
        assert sum(bool(getattr(node, what)) for node in nodes) > 2, what
