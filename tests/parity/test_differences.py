"""The list of docs/differences.md is closed: each entry has a test `test_dN_...` in a module beside this one."""

from __future__ import annotations

import re
from pathlib import Path

from .swap import ENGINES, LANGGRAPH, NBHITL


def test_the_list_is_closed() -> None:
    """Every entry of the document has a test, and the other way round."""
    here = Path(__file__).parent
    document = (here.parents[1] / "docs" / "differences.md").read_text()
    listed = {line.split("**")[1] for line in document.splitlines() if line.startswith("| **D")}
    tests = "".join(path.read_text() for path in here.glob("test_differences_of_*.py"))
    assert listed == {
        f"D{number}" for number in re.findall(r"^(?:async )?def test_d(\d+)_", tests, flags=re.MULTILINE)
    }


def test_both_engines_are_compared() -> None:
    assert ENGINES == (LANGGRAPH, NBHITL)
