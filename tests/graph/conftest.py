"""Every test of answers runs sync and async, in memory, in a file and in PostgreSQL, where it asks for these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stores import address_of, opened

from .asking import Async, Sync, memory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def saver(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param
    with memory(None) if kind == "memory" else opened(address_of(kind, request)) as saver:
        yield saver
