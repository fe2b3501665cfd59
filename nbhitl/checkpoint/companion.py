"""Claims for savers that keep none, as LangGraph's do: beside the saver, in this process only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import PauseRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.checkpoint.records import Claim, ClaimRequest, PendingQuestion


class ClaimTable:
    """The open questions of a saver that only keeps checkpoints, and who answered them.

    It is as good as a saver's own within one process, and gone with it; any number of threads may use it.
    """

    def __init__(self) -> None:
        self._saver = InMemorySaver()

    def put_pause(self, record: PauseRecord) -> None:
        """Note the questions of a pause; see `StepSaver.put_pause`. The writes are left to the saver."""
        tasks = [task._replace(writes=()) for task in record.tasks]
        place = (record.thread_id, record.ns, record.checkpoint_id)
        self._saver.put_pause(PauseRecord(*place, tasks, record.questions))

    def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """Take up answers, all or none; see `StepSaver.claim`. The caller delivers them."""
        return self._saver.claim(request)

    def release(
        self, thread_id: str, ns: str, checkpoint_id: str, interrupt_ids: Iterable[str]
    ) -> tuple[Claim, ...]:
        """Open questions again; see `StepSaver.release`."""
        return self._saver.release(thread_id, ns, checkpoint_id, interrupt_ids)

    def settle(self, thread_id: str, ns: str, parent_id: str | None, source: str | None) -> None:
        """After a checkpoint was saved: answers delivered at its parent are applied, open questions over."""
        self._saver.settle(thread_id, ns, parent_id, source)

    def claims(self, thread_id: str) -> list[Claim]:
        """Return how every question of a thread stands; see `StepSaver.claims`."""
        return self._saver.claims(thread_id)

    def pending(self) -> list[PendingQuestion]:
        """Return the open questions; see `StepSaver.pending`."""
        return self._saver.pending()

    def forget(self, thread_id: str) -> None:
        """Drop everything about a thread that was deleted."""
        self._saver.delete_thread(thread_id)
