"""The programs of issue 3's surface; `PARITY_NEXT=1` turns them on until the engine has it all."""

from __future__ import annotations

import os

import pytest

from .compare import Case, cases, compare

CASES = cases("programs_next") if os.environ.get("PARITY_NEXT") else []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_program_sees_the_same_on_both_engines(case: Case) -> None:
    found = compare(case)
    assert not found, f"\n{found}"
