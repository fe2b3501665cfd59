"""Every test of answers runs sync and async, in memory and in a file, where it asks for these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stores import address_of, opened

from .asking import Async, Sync, memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest) -> Iterator[Any]:
    with open_saver(request) as saver:
        yield saver


def open_saver(request: pytest.FixtureRequest) -> AbstractContextManager[Any]:
    """A saver of the kind that the fixture is asked for."""
    kind = request.param
    return memory(None) if kind == "memory" else opened(address_of(kind, request))
