"""Answers and claims of a saver: taken up once, released, listed; by the rules of `claims.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from nbhitl.checkpoint import _filters as filters
from nbhitl.checkpoint import claims as rules
from nbhitl.checkpoint._answers import (
    RESUME_IDX,
    Answers,
    not_before,
    resume_row,
    resume_rows,
)
from nbhitl.checkpoint._asking import AskingSaver, Place
from nbhitl.checkpoint._row_store import QuestionFilter
from nbhitl.checkpoint._rows import unreadable
from nbhitl.checkpoint.records import PendingQuestion
from nbhitl.checkpoint.serde import Serde
from nbhitl.errors import StoreError, UnknownInterruptError, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.records import Claim, ClaimRequest, ThreadInfo


class ReviewSaver(AskingSaver):
    """Open questions of all threads, and who may answer them."""

    def claim(self, request: ClaimRequest) -> tuple[Claim, ...]:
        """Take up answers to open questions, all or none, and save what delivers them.

        Of several callers, in any process on the store, one succeeds; the others' answers are not used.

        Raises:
            AlreadyAnswered: an answer to one of them came first.
            AnswerInDoubt: an answer to one of them was taken up and never reported back.
            UnknownInterruptError: (`not_pending`) no such question was asked at this checkpoint.
            UnsupportedValue: an answer that cannot be stored.
        """
        place = (request.thread_id, request.ns, request.checkpoint_id)
        answers = {iid: self._encode_answer(iid, answer) for iid, answer in request.answers.items()}
        alone = self._taken_alone(place, request, answers)
        if alone is not None and self._rows.take_alone(*alone).changed:
            return (rules.answered(alone[0], *request.answers.values()),)
        with self._naming(), self._rows.atomic(request.thread_id):
            taken = self._take(place, request, answers)
        return tuple([rules.answered(q, request.answers[q.interrupt_id]) for q in taken])

    def _take(self, place: Place, request: ClaimRequest, answers: Mapping[str, bytes]) -> list[Question]:
        questions, writes = self._rows.asked_at(*place, answers)
        taken = [
            rules.take(
                question,
                answers[question.interrupt_id],
                request.by,
                request.at,
                request.owner,
                request.lease,
                passed_over=request.passed_over,
            )
            for question in self._in_order(place, answers, questions)
        ]
        before = self._answers_in(writes)
        self._refuse_taken_back(place, not_before(request.resumes, before, answers))
        self._rows.put_questions(taken)
        self._rows.add_writes(resume_rows(place, request.resumes, before, self._codec))
        return taken

    def _refuse_taken_back(self, place: Place, interrupt_ids: Collection[str]) -> None:
        """Refuse to deliver along what was taken back since the thread was read: its question is open again."""
        asked = self._rows.named_questions(*place, interrupt_ids) if interrupt_ids else ()
        if opened := [question.interrupt_id for question in asked if question.state == rules.OPEN]:
            raise rules.taken_back(place, opened)

    def _taken_alone(
        self, place: Place, request: ClaimRequest, answers: Mapping[str, bytes]
    ) -> tuple[Question, Answers] | None:
        """What `RowStore.take_alone` needs where one answer is given, to a question that should be open."""
        if len(answers) != 1 or len(request.resumes) != 1:
            return None
        ((interrupt_id, answer),) = answers.items()
        ((task, given),) = request.resumes.items()
        is_last = given[-1][0] == interrupt_id
        before = given[:-1] if is_last else [entry for entry in given if entry[0] != interrupt_id]
        about = (request.by, request.at, request.owner, request.lease)
        return (
            rules.take_unread((*place, interrupt_id, task), answer, *about),
            Answers(place, task, given, before, self._codec),
        )

    def release(
        self, thread_id: str, ns: str, checkpoint_id: str, interrupt_ids: Iterable[str]
    ) -> tuple[Claim, ...]:
        """Open questions again whose answers did not fit; what was saved to deliver them is taken back.

        Raises:
            AlreadyAnswered: an answer was applied already.
            UnknownInterruptError: (`not_pending`) no such question was asked at this checkpoint.
        """
        place = (thread_id, ns, checkpoint_id)
        with self._rows.atomic(thread_id):
            held = self._named_questions(place, tuple(interrupt_ids))
            opened = [rules.release(question) for question in held]
            self._take_back(place, {question.interrupt_id for question in held})
            self._rows.put_questions(opened)
        return tuple(self._as_claim(question) for question in opened)

    def record_answer(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_id: str,
        answer: Any,
        by: str | None,
        at: str,
    ) -> Claim:
        """Note an answer that somebody who has the graph will deliver. `at` is UTC, ISO 8601.

        Raises:
            AlreadyAnswered: an answer came first.
            UnknownInterruptError: (`not_pending`) no such question was asked at this checkpoint.
        """
        data = self._encode_answer(interrupt_id, answer)
        return self._change(
            (thread_id, ns, checkpoint_id), (interrupt_id,), lambda q: rules.record(q, data, by, at)
        )[0]

    def renew(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_ids: Iterable[str],
        *,
        owner: str,
        at: str,
        lease: float,
    ) -> tuple[Claim, ...]:
        """Extend the lease of delivered answers to `lease` seconds from `at`.

        Raises:
            AlreadyAnswered: a claim is somebody else's, or over.
        """
        place = (thread_id, ns, checkpoint_id)
        return self._change(place, tuple(interrupt_ids), lambda q: rules.renew(q, owner, at, lease))

    def report(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_ids: Iterable[str],
        *,
        failed: bool = False,
    ) -> tuple[Claim, ...]:
        """Say of delivered answers that they have had their effect, or that their nodes raised errors.

        For engines that do not save their steps here; `put_step`, `put_pending` and `put_pause` do it themselves.
        """
        place, ids = (thread_id, ns, checkpoint_id), tuple(interrupt_ids)
        return self._change(place, ids, lambda q: rules.report(q, failed=failed)) if ids else ()

    def delivered(self, thread_id: str, ns: str, checkpoint_id: str) -> list[tuple[str, str]]:
        """Return the questions of a checkpoint whose answers are on their way: `[(interrupt id, task id)]`."""
        held = self._rows.live_questions(thread_id)
        here = (thread_id, ns, checkpoint_id)
        return [(q.interrupt_id, q.task_id) for q in held if q[:3] == here and q.state == rules.DELIVERED]

    def answers_at(self, thread_id: str, ns: str, checkpoint_id: str) -> dict[str, list[Any]]:
        """Return what delivers answers at a checkpoint: `{task_id: [[interrupt id, digest, answer], ...]}`."""
        return self._resumes_at((thread_id, ns, checkpoint_id))

    def drop(
        self,
        thread_id: str,
        ns: str,
        checkpoint_id: str,
        interrupt_ids: Iterable[str],
        only_open: bool = False,
    ) -> tuple[Claim, ...]:
        """Close questions that nobody will answer any more; if said so, only those that nobody has answered."""
        move = rules.drop_open if only_open else rules.drop
        return self._change((thread_id, ns, checkpoint_id), tuple(interrupt_ids), move)

    def claims(self, thread_id: str) -> list[Claim]:
        """Return how every question of a thread stands, each a `Claim`, in the order in which they were asked."""
        return [*map(self._as_claim, self._rows.questions(filters.name_of(thread_id, "claims")))]

    def pending(
        self,
        *,
        node: str | None = None,
        asked_before: timedelta | datetime | str | None = None,
        thread_prefix: str | None = None,
        states: Sequence[str] | str = (rules.OPEN,),
        limit: int | None = None,
    ) -> list[PendingQuestion]:
        """Return the open questions of all threads, oldest first, each a `PendingQuestion`.

        Args:
            node: only of this node.
            asked_before: only those older than this age, or asked before this moment (a `datetime` without a
                time zone is UTC, text is ISO 8601).
            thread_prefix: only of threads whose names begin so.
            states: which states of a claim count; `recorded` and `delivered` are answered but not applied. To list what
                is `applied`, or `dropped` together with `open`, every question that was ever asked is read.
            limit: at most so many.

        Raises:
            TypeError, ValueError: a filter that means nothing.
        """
        wanted = QuestionFilter(
            filters.states_of("pending", states),
            filters.text_of("pending", "node", node),
            None if asked_before is None else filters.moment_of("pending", "asked_before", asked_before),
            filters.text_of("pending", "thread_prefix", thread_prefix),
            filters.limit_of("pending", limit),
        )
        return [self._listed(question) for question in self._rows.find_questions(wanted)]

    def threads(self, *, prefix: str | None = None, limit: int | None = None) -> list[ThreadInfo]:
        """Return the threads by name, each a `ThreadInfo`; only those whose names begin with `prefix` if given.

        Raises:
            TypeError, ValueError: a prefix that is no string, a limit that is no number or below 0.
        """
        return self._rows.threads(
            filters.text_of("threads", "prefix", prefix), filters.limit_of("threads", limit)
        )

    def settle(self, thread_id: str, ns: str, parent_id: str | None, source: str | None, made: str) -> None:
        """Move the claims of a thread on after the checkpoint `made` was saved; `put_step` and `put` do it too."""
        if self._rows.live_questions(thread_id):
            with self._rows.atomic(thread_id):
                self._rows.settle_step(thread_id, ns, parent_id, source, made)

    def _listed(self, question: Question) -> PendingQuestion:
        return PendingQuestion(
            *question[:7], self._shown(question, question.payload), question.digest, question.asked_at,
            question.state, question.by, question.at,
        )  # fmt: skip

    def _as_claim(self, question: Question) -> Claim:
        answer = question.answer
        return rules.answered(question, None if answer is None else self._shown(question, answer))

    def _shown(self, question: Question, data: bytes) -> Any:
        """What is stored of a question, for showing: what cannot be loaded here is shown as its fields."""
        codec = self._codec
        try:
            return codec.loads_lenient(data) if isinstance(codec, Serde) else codec.loads(data)
        except (StoreError, TypeError) as error:  # or it is no bytes: somebody else has written there
            raise self._name_store(unreadable(question, error)) from error

    def _encode_answer(self, interrupt_id: str, answer: Any) -> bytes:
        try:
            return self._codec.dumps(answer)
        except UnsupportedValue as error:
            raise UnsupportedValue(
                f"the answer to interrupt {interrupt_id} cannot be saved: {error}."
            ) from None

    def _change(
        self, place: Place, interrupt_ids: Sequence[str], move: Callable[[Question], Question]
    ) -> tuple[Claim, ...]:
        with self._rows.atomic(place[0]):
            moved = [move(question) for question in self._named_questions(place, interrupt_ids)]
            self._rows.put_questions(moved)
        return tuple(self._as_claim(question) for question in moved)

    def _named_questions(self, place: Place, interrupt_ids: Iterable[str]) -> list[Question]:
        wanted = list(interrupt_ids)
        return self._in_order(place, wanted, self._rows.named_questions(*place, wanted))

    def _in_order(
        self, place: Place, wanted: Collection[str], questions: Iterable[Question]
    ) -> list[Question]:
        known = {question.interrupt_id: question for question in questions}
        missing = [iid for iid in wanted if iid not in known]
        if missing:
            _refuse_unknown(
                place, missing, [question.interrupt_id for question in self._rows.questions(*place)]
            )
        return [known[iid] for iid in wanted]

    def _resumes_at(self, place: Place) -> dict[str, list[Any]]:
        """The answers that tasks of a step have so far: `{task_id: [[interrupt id, digest, answer], ...]}`."""
        return self._answers_in(self._rows.writes(*place))

    def _take_back(self, place: Place, interrupt_ids: Collection[str]) -> None:
        """Take these answers out of what their tasks have been answered."""
        for task, before in self._resumes_at(place).items():
            left = [entry for entry in before if entry[0] not in interrupt_ids]
            if not left:
                self._rows.delete_writes(*place, task, RESUME_IDX)
            elif len(left) < len(before):
                self._rows.add_writes([resume_row(place, task, left, self._codec)])


def _refuse_unknown(place: Place, missing: list[str], known: Iterable[str]) -> NoReturn:
    pending = list(known)
    raise UnknownInterruptError(
        f"Thread {place[0]!r}, checkpoint {place[2]}: no question with id {', '.join(missing)}. "
        f"Questions of this checkpoint: {', '.join(pending) or 'none'}. Read the thread's newest state.",
        reason="not_pending",
        interrupt_ids=missing,
        pending_ids=pending,
    )
