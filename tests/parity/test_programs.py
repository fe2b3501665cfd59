"""Every program sees the same on both engines, whoever wrote the saver."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .compare import (
    SAVERS_DIFFER,
    Case,
    cases,
    compare,
    difference,
    expected_with,
    observations,
    told_by_langgraph,
)
from .swap import LANGGRAPH, NBHITL

CASES = cases()
# What stores and asks most, in PostgreSQL too.
STORING = ("bulk_updates", "durable", "interrupts", "interrupts_in_parallel", "timetravel")
IN_POSTGRESQL = [case for case in CASES if case.saver == "memory" and case.path.stem in STORING]
# With LangGraph's savers: each program with one of them, in turn; with the other one in the long run.
WITH_SAVERS = [
    pytest.param(case, id=str(case), marks=[pytest.mark.slow] if number % 4 in (1, 2) else [])
    for number, case in enumerate(case for case in CASES if case.saver in ("memory", "sqlite"))
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_program_sees_the_same_on_both_engines(case: Case) -> None:
    found = compare(case)
    assert not found, f"\n{found}"


@pytest.mark.parametrize("case", WITH_SAVERS)
def test_program_sees_the_same_with_savers_of_langgraph(case: Case) -> None:
    found = compare(case, savers_of=LANGGRAPH)
    assert not found, f"\n{found}"


@pytest.mark.parametrize("case", IN_POSTGRESQL, ids=str)
def test_program_sees_in_postgresql_what_langgraph_sees_in_memory(case: Case, postgres: str) -> None:
    stored = observations(replace(case, saver=postgres), NBHITL)
    found = difference(told_by_langgraph(case), stored)
    assert not found, f"\n{found}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_langgraph_tells_the_same_with_both_of_its_savers() -> None:
    """So that the quick tests ask it once: what its SQLite saver does otherwise has to be in the list."""
    in_sqlite = [case for case in CASES if case.saver == "sqlite"]
    other = [
        str(case)
        for case in in_sqlite
        if observations(case, LANGGRAPH) != observations(replace(case, saver="memory"), LANGGRAPH)
    ]
    assert set(other) == SAVERS_DIFFER
    assert {str(case) for case in in_sqlite if expected_with(case) == case} == SAVERS_DIFFER
