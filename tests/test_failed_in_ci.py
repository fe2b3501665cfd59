"""Which failed tests CI runs once more: a few, and the whole notebook of a cell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "failed.py"
CELLS = ["notebooks/01.ipynb::Cell 2", "notebooks/01.ipynb::Cell 3"]


@pytest.mark.parametrize(
    ("failed", "again"),
    [
        (None, ""),
        ([], ""),
        (["tests/a.py::test[x y]", *CELLS], "tests/a.py::test[x y]\nnotebooks/01.ipynb\n"),
        ([f"tests/a.py::test_{n}" for n in range(6)], ""),
    ],
)
def test_what_is_run_once_more(tmp_path, failed, again):
    if failed is not None:
        (tmp_path / "v" / "cache").mkdir(parents=True)
        (tmp_path / "v" / "cache" / "lastfailed").write_text(json.dumps(dict.fromkeys(failed, True)))
    ran = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=True)
    assert ran.stdout == again
