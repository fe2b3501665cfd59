"""Pauses of a saver: saved where a run stops to ask, and kept in the process: then an answer need not read them again."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from nbhitl.checkpoint._answers import Answers
from nbhitl.checkpoint._core import StepGone
from nbhitl.checkpoint._filters import name_of
from nbhitl.checkpoint._review import ReviewSaver
from nbhitl.checkpoint._rows import CLASSIC, encode_writes
from nbhitl.checkpoint._unpacked import packed
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.checkpoint.claims import take_unread
from nbhitl.checkpoint.records import KeptAgain
from nbhitl.checkpoint.serde import Serde

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint._rows import StepRow, WriteRow
    from nbhitl.checkpoint.records import (
        Answering,
        Claim,
        ClaimRequest,
        Kept,
        PauseRecord,
        PendingQuestion,
        TaskWrites,
    )

_MOST_KEPT = 256
_KNOWN_ASKING = 4096


class PauseSaver(ReviewSaver):
    """Where runs have stopped to ask."""

    def questions(self, thread_id: str) -> list[tuple[PendingQuestion, Claim]]:
        """Return every question of a thread with how it stands, in the order in which they were asked.

        Raises:
            TypeError: a config in the place of a name.
        """
        asked = self._rows.questions(name_of(thread_id, "questions"))
        return [(self._listed(question), self._as_claim(question)) for question in asked]

    def put_pause(self, record: PauseRecord) -> None:
        """Save where a run stopped to ask: the writes of its tasks, and the questions, which are then open.

        Raises:
            UnsupportedValue: a payload that cannot be stored; nothing was saved.
        """
        if record.kept is None or not _is_faithful(type(self.serde)):
            self._put_pause(record)
            return
        with self._rows.held:
            self._put_pause(record)
            found = self._rows.standing(record.thread_id, record.ns)
        if found is not None and found[0].checkpoint_id == record.checkpoint_id:
            if len(self._paused) >= _MOST_KEPT:
                self._paused.clear()
            self._paused[record.thread_id, record.ns] = found, self.serde, record.kept

    def answer_pause(self, answering: Answering) -> KeptAgain | None:
        """Take up an answer to the question of a pause that was kept, and return what was kept.

        None if nothing was, or if anything has been saved in its thread since: then the answer is not taken up. What was
        kept is given away: the next call finds nothing.

        Raises:
            StoreError: what has to be read again is damaged.
            UnsupportedValue: the answer cannot be stored.
        """
        paused = self._paused.pop((answering.thread_id, answering.ns), None)
        # Whoever puts a `claim` of their own there is told of every answer.
        if paused is None or getattr(self.claim, "__func__", None) is not ReviewSaver.claim:
            return None
        found, serde, kept = paused
        standing, seen = self._rows.at_hand(answering.thread_id, answering.ns)
        if standing != found or self.serde is not serde:
            return None
        again = self._kept_again(found, kept)
        request = None if again is None else answering.request_for(kept, again.answers)
        return again if request is not None and self._take_up(request, seen) else None

    def _kept_again(self, found: tuple[StepRow, object], kept: Kept) -> KeptAgain | None:
        state, answers = kept.changeable
        values = given = None
        if answers:
            newest = self._rows.newest(*found[0][:2])
            if newest is None or newest[0] != found[0]:
                return None
            given = self._answers_in(newest[1])
        if state:
            try:
                folded = self._recalled(packed(found[0]), share=True)
            except StepGone:
                return None
            if folded.body.kind == CLASSIC:  # what stands beside the state there has to be told from it
                return None
            values = folded.values
        return KeptAgain(kept, values, given)

    def _take_up(self, request: ClaimRequest, seen: object) -> bool:
        """Take up the one answer of a request, its task's last, as `claim` does; False if the thread has changed."""
        ((interrupt_id, answer),) = request.answers.items()
        ((task, given),) = request.resumes.items()
        place = (request.thread_id, request.ns, request.checkpoint_id)
        data = self._encode_answer(interrupt_id, answer)
        about = (request.by, request.at, request.owner, request.lease)
        taken = take_unread((*place, interrupt_id, task), data, *about)
        answers = Answers(place, task, given, given[:-1], self._codec)
        return self._rows.take_alone(taken, answers, seen).changed > 0

    def _put_pause(self, record: PauseRecord) -> None:
        place = (record.thread_id, record.ns, record.checkpoint_id)
        rows = self._write_rows(place, record.tasks)
        asked = self._encode_questions(place, record.questions)
        with self._rows.atomic(record.thread_id):
            if len(self._asking) >= _KNOWN_ASKING:
                self._asking.clear()
            self._asking.add(place[0])
            quickly = self._ask_next(record.tasks, asked, rows)
            if quickly is None:
                self._ask(place, record.tasks, asked, rows)
        if quickly is not None and not quickly.changed:  # it was asked before
            with self._rows.atomic(record.thread_id):
                self._ask(place, record.tasks, asked, rows)

    def _write_rows(self, place: tuple[str, str, str], tasks: Sequence[TaskWrites]) -> list[WriteRow]:
        codec = self._codec
        if len(tasks) == 1:
            return encode_writes(place, tasks[0], codec, WRITES_IDX_MAP)
        return [row for task in tasks for row in encode_writes(place, task, codec, WRITES_IDX_MAP)]


@lru_cache(maxsize=64)
def _is_faithful(kind: type) -> bool:
    """Whether a serializer of this class gives back what it was given; a user's own may change values, or hide them."""
    return issubclass(kind, Serde) and kind.__module__.startswith("nbhitl.checkpoint.")
