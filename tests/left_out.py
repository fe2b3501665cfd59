"""What a run leaves out, for its summary: noted where tests are collected, told where the summary is printed."""

from __future__ import annotations

from typing import Any

import pytest

_LINE = pytest.StashKey[str]()
_SENT = "left out"


def note(config: pytest.Config, line: str) -> None:
    """Note a line for the summary; a worker of pytest-xdist sends it to the process that prints."""
    config.stash[_LINE] = line
    if hasattr(config, "workeroutput"):
        config.workeroutput[_SENT] = line


def take_over(node: Any) -> None:
    """Take over what a worker that has ended notes; each of them leaves out the same."""
    if line := getattr(node, "workeroutput", {}).get(_SENT):
        node.config.stash[_LINE] = line


def noted(config: pytest.Config) -> str:
    """Return the line, or an empty one."""
    return config.stash.get(_LINE, "")
