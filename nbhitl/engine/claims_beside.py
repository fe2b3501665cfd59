"""Claims on questions for savers that keep none: in what nbhitl keeps beside them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from nbhitl.checkpoint.companion import companion_of, existing_companion, off_the_loop
from nbhitl.checkpoint.records import PauseRecord, QuestionRecord
from nbhitl.checkpoint.steps import StepSaver
from nbhitl.constants import ERROR, INTERRUPT
from nbhitl.engine.questions import RESERVED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nbhitl.checkpoint.records import Claim, ClaimRequest, TaskWrites

Place = tuple[str, str, str]
P = ParamSpec("P")
T = TypeVar("T")


class ClaimsBeside:
    """The claims on one saver's questions; nothing is kept before the first answer.

    They `are_its_own` where a subclass of one of nbhitl's savers is used by LangGraph's interface.
    """

    def __init__(self, saver: Any) -> None:
        self._saver = saver
        self.are_its_own = isinstance(saver, StepSaver)

    def ask(self, record: PauseRecord) -> None:
        """Note static breakpoints, which nothing else in such a saver tells of."""
        if record.questions and record.questions[0].kind != "interrupt":
            companion_of(self._saver).put_pause(PauseRecord(*_place(record), [], record.questions))

    def take(self, request: ClaimRequest) -> None:
        """Claim the request's questions, all or none.

        Raises:
            AlreadyAnswered: another answer came first, in this process or another.
            AnswerInDoubt: it did, and whoever gave it never reported back.
        """
        asked = [
            QuestionRecord(row[0], task_id, "", "interrupt", None, row[1], request.at)
            for task_id, rows in request.resumes.items()
            for row in rows
            if row[0] in request.answers
        ]
        companion = companion_of(self._saver)
        companion.put_pause(PauseRecord(*_place(request), [], asked))
        companion.claim(request)

    def give_back(self, place: Place, interrupt_ids: Sequence[str]) -> dict[str, list[Any]]:
        """Open questions again, and return what remains of their tasks' answers: `{task_id: entries}`.

        Nothing remains to be saved where the saver itself keeps the claims, and takes the answers back with them.
        """
        companion = companion_of(self._saver)
        ids = set(interrupt_ids)
        before = companion.answers_at(*place)
        companion.release(*place, interrupt_ids)
        if self.are_its_own:
            return {}
        return {
            task_id: [row for row in rows if row[0] not in ids]
            for task_id, rows in before.items()
            if any(row[0] in ids for row in rows)
        }

    def renew(self, place: Place, interrupt_ids: Sequence[str], owner: str, at: str, lease: float) -> None:
        """Extend the leases of answers that are being applied."""
        companion_of(self._saver).renew(*place, interrupt_ids, owner=owner, at=at, lease=lease)

    def note(self, place: Place, tasks: Sequence[TaskWrites]) -> None:
        """Note what tasks left: results and a next question apply their answers, an error ends the lease."""
        companion = existing_companion(self._saver)
        held = [] if companion is None else companion.delivered(*place)
        if companion is None or not held:
            return
        left = {writes.task_id: {channel for channel, _ in writes.writes} for writes in tasks}
        asked = {
            i.id
            for writes in tasks
            for channel, value in writes.writes
            if channel == INTERRUPT
            for i in value
        }
        failed = [id for id, task in held if ERROR in left.get(task, ())]
        done = [
            id
            for id, task in held
            if task in left and id not in failed and (left[task] - RESERVED or id not in asked)
        ]
        companion.report(*place, failed, failed=True)
        companion.report(*place, done)

    def apply(self, place: Place, source: str | None, made: str) -> None:
        """Note that the step of a checkpoint is over, with the checkpoint `made`: its answers have had their effect."""
        companion = existing_companion(self._saver)
        if companion is not None and not self.are_its_own:
            companion.settle(*place, source, made)

    async def off_the_loop(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a method of these claims returns; an event loop does not wait for a file."""
        return await off_the_loop(self._saver, partial(call, *args, **kwargs))

    def of_thread(self, thread_id: str) -> list[Claim]:
        """Return the claims of a thread."""
        companion = existing_companion(self._saver)
        return [] if companion is None else companion.claims(thread_id)


def _place(record: PauseRecord | ClaimRequest) -> Place:
    return record.thread_id, record.ns, record.checkpoint_id
