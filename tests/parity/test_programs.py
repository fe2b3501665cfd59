"""Every program sees the same on both engines, whoever wrote the saver."""

from __future__ import annotations

import pytest

from .compare import Case, cases, compare
from .swap import LANGGRAPH

CASES = cases()
WITH_SAVERS = [case for case in CASES if case.saver in ("memory", "sqlite")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_program_sees_the_same_on_both_engines(case: Case) -> None:
    found = compare(case)
    assert not found, f"\n{found}"


@pytest.mark.parametrize("case", WITH_SAVERS, ids=str)
def test_program_sees_the_same_with_savers_of_langgraph(case: Case) -> None:
    found = compare(case, savers_of=LANGGRAPH)
    assert not found, f"\n{found}"
