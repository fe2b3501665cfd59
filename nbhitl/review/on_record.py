"""Decisions that the store keeps of a thread: those of earlier kernels, and of other people. A flow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from nbhitl.checkpoint.claims import instant
from nbhitl.errors import InvalidAnswer
from nbhitl.review.answering import prepare
from nbhitl.review.claims import ANSWERED
from nbhitl.review.decisions import Decision, DecisionKind, answer, approve, option, reject
from nbhitl.review.dialects.asked import read_answer
from nbhitl.review.diff import same
from nbhitl.review.drive import CallSaver
from nbhitl.review.reading import make_question

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from nbhitl.checkpoint.records import Claim, PendingQuestion
    from nbhitl.review.drive import Flow
    from nbhitl.review.questions import Question

Decided = tuple["Question", Decision]


def decisions_on_record(thread_id: str, own: Sequence[Decided]) -> Flow[list[Decided]]:
    """Return all that was decided about a thread, by the time of deciding; what is in `own` as it is told there."""
    listed: list[tuple[PendingQuestion, Claim]] = yield CallSaver("questions", (thread_id,))
    known = {question.id for question, _ in own}
    passed = {question.checkpoint_id for question, _ in own if question.kind == "breakpoint"}
    # One clock for all, since a session's is another one than the engine's; of one moment, the order of asking.
    times = {
        asked.interrupt_id: (claim.at or "", place)
        for place, (asked, claim) in enumerate(listed)
        if claim.state in ANSWERED
    }
    found = list(own)
    for asked, claim in listed:
        if claim.state not in ANSWERED or asked.interrupt_id in known or not asked.node:
            continue  # without a node, no more is known than that an answer was given
        if asked.kind == "breakpoint":  # of which each task has a question of its own
            if asked.checkpoint_id in passed:
                continue
            passed.add(asked.checkpoint_id)
        found.append(_decided(asked, claim))
    return sorted(found, key=lambda pair: times.get(pair[0].id, (pair[1].at or "", len(listed))))


def _decided(asked: PendingQuestion, claim: Claim) -> Decided:
    payload = asked.payload
    if asked.kind == "breakpoint" and payload is None:  # nbhitl's engine stores no more of one
        payload = {"node": asked.node, "input": {}}
    question = make_question(
        id=asked.interrupt_id,
        kind="breakpoint" if asked.kind == "breakpoint" else "interrupt",
        thread_id=asked.thread_id,
        node=asked.node,
        payload=payload,
        ns=asked.ns,
        checkpoint_id=asked.checkpoint_id,
        task_id=asked.task_id,
        asked_at=asked.asked_at,
    )
    decision = _passed(claim.answer) if asked.kind == "breakpoint" else _as_told(question, claim.answer)
    asked_at, at = _instant(asked.asked_at), _instant(claim.at)
    return question, replace(
        decision,
        answer=claim.answer,
        question_id=question.id,
        digest=question.digest,
        by=claim.by,
        at=None if at is None else claim.at,
        waited=None if at is None or asked_at is None else max(0.0, (at - asked_at).total_seconds()),
    )


def _instant(text: str | None) -> datetime | None:
    try:
        return instant(text or "")
    except ValueError:  # none, or somebody else has written into the store
        return None


def _passed(kind: Any) -> Decision:
    return Decision(kind=kind) if kind in get_args(DecisionKind) else approve()


def _as_told(question: Question, given: Any) -> Decision:
    """Return the decision that leads to this answer; where none is known that does, the answer as it is."""
    for decision in _likely(question, given):
        try:
            made = prepare(question, decision)
        except InvalidAnswer:
            continue
        if same(made.answer, given):
            return made
    return answer(given)


def _likely(question: Question, given: Any) -> Iterator[Decision]:
    if question.dialect == "ask":
        try:
            yield read_answer(given, question.payload)
        except ValueError:  # somebody has sent what ask() has refused
            return
    yield from (approve(), reject(), *(option(choice.value) for choice in question.options))
