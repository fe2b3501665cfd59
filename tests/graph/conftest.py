"""Every test of answers runs sync and async, in memory and in a file, where it asks for these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stores import address_of, opened

from nbhitl.checkpoint import _background
from nbhitl.checkpoint.steps import StepSaver

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


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each answer found a kept pause."""
    seen: list[bool] = []
    answer_pause = StepSaver.answer_pause

    def answer(self: StepSaver, answering: Any) -> Any:
        found = answer_pause(self, answering)
        seen.append(found is not None)
        return found

    monkeypatch.setattr(StepSaver, "answer_pause", answer)
    # On a slow machine a step may be written in the background, which looks like a change by somebody else.
    monkeypatch.setattr(_background.Writer, "watch", lambda self, late: None)
    return seen
