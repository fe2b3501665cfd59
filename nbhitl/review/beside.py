"""Claims for an engine that makes none: taken before an answer goes out, settled when the run is over; as flows.

LangGraph's engine knows nothing of claims. Here they are kept beside its saver (`checkpoint.companion`), so of two
kernels on one SQLite file one answers. Who calls `invoke(Command(resume=...))` himself goes past them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.companion import companion_of
from nbhitl.checkpoint.leases import LEASE, end, hold, let_go
from nbhitl.checkpoint.records import ClaimRequest, PauseRecord, QuestionRecord
from nbhitl.review.claims import OWNER, release_doubts
from nbhitl.review.drive import CallSaver, Read
from nbhitl.review.pending import waiting_tasks
from nbhitl.review.standing import checkpoint_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbhitl.checkpoint.records import Claim
    from nbhitl.review.drive import Flow
    from nbhitl.review.pending import Doubt
    from nbhitl.review.protocol import Snapshot
    from nbhitl.review.questions import Question
    from nbhitl.review.standing import Lookout

Place = tuple[str, str, str]


@dataclass
class Beside:
    """The claims that one session makes on the questions of one thread."""

    checkpointer: Any
    thread_id: str
    _held: list[int] = field(default_factory=list)
    _breakpoints: set[str] = field(default_factory=set)

    def take(
        self, question: Question, answer: Any, at_checkpoint: str, by: str | None, at: str
    ) -> Flow[None]:
        """Claim a question of the checkpoint at which the whole thread stands.

        Raises:
            AlreadyAnswered: another answer came first.
            AnswerInDoubt: it did, and whoever gave it never reported back.
        """
        place = (self.thread_id, "", at_checkpoint)
        if question.kind == "breakpoint":
            self._breakpoints.add(question.id)
        asked = QuestionRecord(
            question.id, question.task_id, question.node, question.kind, question.payload, question.digest,
            question.asked_at or at,
        )  # fmt: skip
        yield CallSaver("put_pause", (PauseRecord(*place, [], [asked]),))
        yield from self._claim(place, {question.id: answer}, by, at)

    def _claim(self, place: Place, answers: Mapping[str, Any], by: str | None, at: str) -> Flow[None]:
        request = ClaimRequest(*place, dict(answers), {}, by, at, OWNER, LEASE)
        yield CallSaver("claim", (request,))
        self._held.append(hold(companion_of(self.checkpointer), request))

    def take_over(self, doubts: Sequence[Doubt], by: str | None, at: str) -> Flow[dict[str, Any]]:
        """Claim again what a kernel took up that never reported back; returns the answers, `{id: answer}`."""
        doubtful = [doubt for doubt in doubts if doubt.checkpoint_id]
        answers = yield from release_doubts(self.thread_id, doubtful)
        for doubt in doubtful:
            if doubt.kind == "breakpoint":
                self._breakpoints.add(doubt.interrupt_id)
            place = (self.thread_id, doubt.ns, doubt.checkpoint_id)
            yield from self._claim(place, {doubt.interrupt_id: doubt.answer}, by, at)
        return answers

    def give_back(self) -> Flow[None]:
        """Open again what this session has claimed: nothing ran."""
        claims: list[Claim] = yield CallSaver("claims", (self.thread_id,))
        for claim in claims:
            # One without a lease is of a node that has run, and failed.
            if claim.state == "delivered" and claim.owner == OWNER and claim.lease_until is not None:
                yield CallSaver("release", (*claim[:3], (claim.interrupt_id,)))
        self._let_go()

    def settle(self, lookout: Lookout, error: BaseException | None) -> Flow[None]:
        """Say how the answers of this session ended, after a run that raised `error`."""
        claims: list[Claim] = yield CallSaver("claims", (self.thread_id,))
        held = [
            claim
            for claim in claims
            if claim.state == "delivered" and (claim.owner == OWNER or claim.lease_until is None)
        ]
        if held:
            snapshot: Snapshot = yield Read(lookout.config)
            listed = {asked.id for found in waiting_tasks(snapshot) for asked in found.task.interrupts}
            saved = {doubt.interrupt_id for doubt in (yield from lookout.listed_doubts(snapshot))}
            unused = error is not None and lookout.engine.is_unknown_question(error)
            for claim in held:
                again = claim.interrupt_id in self._breakpoints and claim.checkpoint_id == checkpoint_id(
                    snapshot
                )
                going_on = claim.interrupt_id in listed or again
                is_open = claim.interrupt_id in listed - saved
                yield from self._settle_one(claim, error, unused=unused, is_open=is_open, going_on=going_on)
        self._let_go()

    def _settle_one(
        self, claim: Claim, error: BaseException | None, *, unused: bool, is_open: bool, going_on: bool
    ) -> Flow[None]:
        place = (*claim[:3], (claim.interrupt_id,))
        if unused:  # the question was not open any more
            yield CallSaver("drop", place)
        elif is_open:
            yield CallSaver("release", place)
        elif not going_on:
            yield CallSaver("report", place)
        elif error is None or isinstance(error, Exception):
            yield CallSaver("report", place, {"failed": True})
        else:
            self.abandon()  # stopped in the middle of the node: what it did is not known

    def abandon(self) -> None:
        """End the leases of what this session holds: whether its effects happened is not known."""
        for key in self._held:
            end(key)
        self._held.clear()

    def _let_go(self) -> None:
        for key in self._held:
            let_go(key)
        self._held.clear()
