"""Every program sees the same on both engines, whoever wrote the saver."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .compare import Case, cases, compare, difference, observations
from .swap import LANGGRAPH, NBHITL

CASES = cases()
# What stores and asks most, in PostgreSQL too.
STORING = ("bulk_updates", "durable", "interrupts", "interrupts_in_parallel", "timetravel")
IN_POSTGRESQL = [case for case in CASES if case.saver == "memory" and case.path.stem in STORING]
WITH_SAVERS = [case for case in CASES if case.saver in ("memory", "sqlite")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_program_sees_the_same_on_both_engines(case: Case) -> None:
    found = compare(case)
    assert not found, f"\n{found}"


@pytest.mark.parametrize("case", WITH_SAVERS, ids=str)
def test_program_sees_the_same_with_savers_of_langgraph(case: Case) -> None:
    found = compare(case, savers_of=LANGGRAPH)
    assert not found, f"\n{found}"


@pytest.mark.parametrize("case", IN_POSTGRESQL, ids=str)
def test_program_sees_in_postgresql_what_langgraph_sees_in_memory(case: Case, postgres: str) -> None:
    stored = observations(replace(case, saver=postgres), NBHITL)
    found = difference(observations(case, LANGGRAPH), stored)
    assert not found, f"\n{found}"
