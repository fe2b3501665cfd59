"""How many processes share the tests (one more than cores, none for a selection), and what they share."""

from __future__ import annotations

import os
import re
import sys

import pytest

LONGEST = "tests/parity/test_programs.py"
"""A fifth of the suite in one file: its worker begins with it, or the others would wait for it at the end."""
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
MOST = 4
"""Workers: each starts a PostgreSQL server of its own, and the longest file sets the pace anyway."""


def pytest_configure() -> None:
    """Keep compiled modules, even where a setting says not to: each process to come would compile the package again."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return what `-n auto` means: 0, this process alone, where files or words were given or there is one core.

    A worker costs seconds before its first test, which only the whole suite earns back. There is one more than cores:
    some always wait, for a browser, another process or a clock.
    """
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores + 1, MOST) if whole and cores > 1 else 0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest file. Refuse ids that only one process has: others would not know which test is meant."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    if odd := [item.nodeid for item in items if ADDRESS.search(item.nodeid)]:
        raise pytest.UsageError(f"{odd[0]}: the id of a test must not hold an address; give it `ids=`")
