"""The rest of the surface, and savers written for LangGraph; `PARITY_NEXT=1` until the engine has it all."""

from __future__ import annotations

import os

import pytest

from .compare import Case, cases, compare
from .swap import LANGGRAPH

NEXT = bool(os.environ.get("PARITY_NEXT"))
CASES = cases("programs_next") if NEXT else []
WITH_SAVERS = (
    [case for case in cases("programs") + CASES if case.saver in ("memory", "sqlite")] if NEXT else []
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_program_sees_the_same_on_both_engines(case: Case) -> None:
    found = compare(case)
    assert not found, f"\n{found}"


@pytest.mark.parametrize("case", WITH_SAVERS, ids=str)
def test_program_sees_the_same_with_savers_of_langgraph(case: Case) -> None:
    found = compare(case, savers_of=LANGGRAPH)
    assert not found, f"\n{found}"
