"""Claims on questions for savers that keep none: one answer wins among the threads of this process."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from nbhitl.checkpoint.records import Claim
from nbhitl.constants import ERROR, INTERRUPT
from nbhitl.engine.questions import RESERVED
from nbhitl.errors import AlreadyAnswered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint.records import CheckpointKey, ClaimRequest, TaskWrites

Place = tuple[str, str, str]


class LocalClaims:
    """The claims on one saver's questions: `{(place, interrupt id): (claim, task id, resume entries)}`."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken: dict[tuple[Place, str], tuple[Claim, str, list[Any]]] = {}

    def take(self, request: ClaimRequest) -> None:
        """Claim the request's questions, all or none.

        Raises:
            AlreadyAnswered: another answer came first.
        """
        place = (request.thread_id, request.ns, request.checkpoint_id)
        until = (datetime.fromisoformat(request.at) + timedelta(seconds=request.lease)).isoformat()
        task_of = {row[0]: (task_id, rows) for task_id, rows in request.resumes.items() for row in rows}
        with self._lock:
            for id in request.answers:
                if (place, id) in self._taken:
                    raise _taken_by(self._taken[place, id][0])
            for id, answer in request.answers.items():
                claim = Claim(*place, id, "delivered", answer, request.by, request.at, request.owner, until)
                self._taken[place, id] = (claim, *task_of[id])

    def give_back(self, place: Place, interrupt_ids: Sequence[str]) -> dict[str, list[Any]]:
        """Open questions again, and return what remains of their tasks' answers: `{task_id: entries}`."""
        remaining: dict[str, list[Any]] = {}
        with self._lock:
            for id in interrupt_ids:
                _, task_id, rows = self._taken.pop((place, id), (None, "", []))
                if task_id:
                    remaining[task_id] = [row for row in remaining.get(task_id, rows) if row[0] != id]
        return remaining

    def renew(self, place: Place, interrupt_ids: Sequence[str], at: str, lease: float) -> None:
        """Extend the leases of answers that are being applied."""
        until = (datetime.fromisoformat(at) + timedelta(seconds=lease)).isoformat()
        with self._lock:
            for id in interrupt_ids:
                if (place, id) in self._taken:
                    claim, task_id, rows = self._taken[place, id]
                    self._taken[place, id] = (claim._replace(lease_until=until), task_id, rows)

    def note(self, key: CheckpointKey, tasks: Sequence[TaskWrites]) -> None:
        """Note what tasks left: results and a next question apply their answers, an error ends the lease."""
        left = {writes.task_id: {channel for channel, _ in writes.writes} for writes in tasks}
        asked = {
            i.id
            for writes in tasks
            for channel, value in writes.writes
            if channel == INTERRUPT
            for i in value
        }
        with self._lock:
            for at, (claim, task_id, rows) in self._taken.items():
                channels = left.get(task_id)
                if channels is None or at[0] != tuple(key):
                    continue
                if ERROR in channels:
                    self._taken[at] = (claim._replace(lease_until=None), task_id, rows)
                elif channels - RESERVED or at[1] not in asked:
                    self._taken[at] = (claim._replace(state="applied", lease_until=None), task_id, rows)

    def apply(self, place: Place) -> None:
        """Note that the step of a checkpoint is over: its answers have had their effect."""
        with self._lock:
            for at, (claim, task_id, rows) in self._taken.items():
                if at[0] == place:
                    self._taken[at] = (claim._replace(state="applied", lease_until=None), task_id, rows)

    def of_thread(self, thread_id: str) -> list[Claim]:
        """Return the claims of a thread."""
        with self._lock:
            return [claim for claim, _, _ in self._taken.values() if claim.thread_id == thread_id]


def _taken_by(claim: Claim) -> AlreadyAnswered:
    return AlreadyAnswered(
        f"Question {claim.interrupt_id} of thread {claim.thread_id!r} was answered by {claim.by or 'someone'} at "
        f"{claim.at}; that answer stands. Look at get_state(config).",
        by=claim.by,
        at=claim.at,
    )


_of_saver: WeakKeyDictionary[Any, LocalClaims] = WeakKeyDictionary()
_lock = Lock()


def local_claims(saver: Any) -> LocalClaims:
    """Return the claims on the questions that a saver keeps."""
    with _lock:
        return _of_saver.setdefault(saver, LocalClaims())
