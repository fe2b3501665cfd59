"""Every notebook here is a test: its saved outputs are compared with those of a new run (strict nbval)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

# The same picture has other bytes in another version of Graphviz; its text form, which is compared, has not.
NOT_COMPARED = ("image/svg+xml",)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Leave pictures out of the comparison."""
    collectors = yield
    for collector in collectors:
        if hasattr(collector, "skip_compare"):
            collector.skip_compare += NOT_COMPARED
    return collectors
