"""Every test of answers runs sync and async, in memory and in a file, where it asks for these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .asking import Async, Sync, memory, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture(params=[memory, sqlite], ids=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with request.param(tmp_path) as opened:
        yield opened
