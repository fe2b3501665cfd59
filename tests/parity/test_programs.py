"""Every program sees the same on both engines."""

from __future__ import annotations

import pytest

from .compare import Case, cases, compare


@pytest.mark.parametrize("case", cases("programs"), ids=str)
def test_program_sees_the_same_on_both_engines(case: Case) -> None:
    found = compare(case)
    assert not found, f"\n{found}"
