"""The README's first command installs no LangChain: all programs but those about it run the same without."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("without_langchain.py")

# A dict as a node or a path is LangChain's RunnableParallel, a handler gets the id of LangChain's run, and the JSON
# schema of messages is LangChain's.
NEED_LANGCHAIN = {"mistakes-nodes", "mistakes-edges", "schemas-messages_in_json_schemas"}


def seen(*how: str) -> dict[str, list[list[str]]]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *how], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_programs_run_the_same_where_langchain_is_missing():
    installed, missing = seen(), seen("missing")
    assert len(installed) > 800
    differ = {name for name in installed if installed[name] != missing[name]}
    assert {name for name in differ if not name.startswith("lifecycle-")} == NEED_LANGCHAIN
