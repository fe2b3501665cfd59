"""How the tests of the contract open a saver, and what they say of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck

from ..building import Run, found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbhitl.checkpoint.steps import StepSaver

# One test for several savers, each with a store that grows from example to example.
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]


def states(run: Run, **how: Any) -> list[Any]:
    return [found(stored) for stored in run.saver.history(run.thread, run.ns, **how)]


def config(thread: str, checkpoint_id: str | None = None, ns: str | None = "") -> dict[str, Any]:
    names = {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": checkpoint_id}
    return {"configurable": {key: value for key, value in names.items() if value is not None}}


def state_of(run: Run, interrupt_id: str) -> str:
    return next(c.state for c in run.saver.claims(run.thread) if c.interrupt_id == interrupt_id)


class OpensASaver(ABC):
    names_may_hold_nul = True
    knows_of_changes = True  # without reading again
    kept_after_deletion = 3  # of three steps that a run makes after its thread was deleted

    @abstractmethod
    @pytest.fixture
    def saver(self, tmp_path: Any) -> Iterator[StepSaver]:
        """An empty saver."""

    @pytest.fixture
    def run(self, saver: StepSaver) -> Run:
        return Run(saver)
