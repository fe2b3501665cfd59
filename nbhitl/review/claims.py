"""Claims on static breakpoints, and answers that were taken up and never reported back; as flows.

nbhitl's engine claims the answers to interrupts itself, while it resumes. Going on from a breakpoint
resumes nothing, so it is claimed here. For LangGraph's engine see `review.beside`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nbhitl.checkpoint.records import ClaimRequest
from nbhitl.review.drive import CallSaver
from nbhitl.review.pending import Doubt
from nbhitl.review.shared import Answered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint.records import Claim, PendingQuestion
    from nbhitl.review.decisions import Decision
    from nbhitl.review.drive import Flow

_DELIVERED = ("delivered",)
_ANY_STATE = ("open", "recorded", "delivered", "applied", "dropped")
ANSWERED = ("recorded", "delivered", "applied")
OWNER = f"review-{uuid4().hex}"
_LEASE = 60.0
"""Seconds after which a breakpoint that was passed, but whose node has saved nothing, is in doubt."""


def delivered_answers(thread_id: str, checkpoint_id: str) -> Flow[list[Doubt]]:
    """Return the answers that were taken up and not done with; of subgraphs those of any checkpoint.

    A claim without a lease is none of them: its node has reported an error.
    """
    claims: list[Claim] = yield CallSaver("claims", (thread_id,))
    # Looked at first: listing questions decodes their payloads, claims are a few short fields.
    taken = {
        claim.interrupt_id: claim
        for claim in claims
        if claim.state in _DELIVERED and claim.lease_until is not None
    }
    if not taken:
        return []
    how = {"thread_prefix": thread_id, "states": _DELIVERED}
    listed: list[PendingQuestion] = yield CallSaver("pending", (), how)
    return [
        _doubt(question, taken[question.interrupt_id])
        for question in listed
        if question.thread_id == thread_id
        and question.interrupt_id in taken
        and (question.ns or question.checkpoint_id == checkpoint_id)
    ]


def first_answer(thread_id: str, interrupt_id: str) -> Flow[Answered | None]:
    """Return who answered a question, and when, by the store's own account; None if nobody has."""
    claims: list[Claim] = yield CallSaver("claims", (thread_id,))
    return next(
        (
            Answered(claim.by, claim.at)
            for claim in claims
            if claim.interrupt_id == interrupt_id and claim.state in ANSWERED
        ),
        None,
    )


def _doubt(question: PendingQuestion, claim: Claim) -> Doubt:
    return Doubt(
        task_id=question.task_id,
        interrupt_id=question.interrupt_id,
        kind=question.kind,
        payload=question.payload,
        by=claim.by,
        at=claim.at,
        until=claim.lease_until,
        ns=question.ns,
        checkpoint_id=question.checkpoint_id,
        answer=claim.answer,
    )


def release_doubts(thread_id: str, doubts: Sequence[Doubt]) -> Flow[dict[str, Any]]:
    """Open questions again whose answers are in doubt; returns the answers to interrupts, `{id: answer}`."""
    for doubt in doubts:
        place = (thread_id, doubt.ns, doubt.checkpoint_id)
        yield CallSaver("release", (*place, (doubt.interrupt_id,)))
    return {doubt.interrupt_id: doubt.answer for doubt in doubts if doubt.kind == "interrupt"}


def claim_breakpoint(thread_id: str, checkpoint_id: str, decision: Decision) -> Flow[tuple[str, ...]]:
    """Claim all stopped tasks of a breakpoint at once; returns the ids to release.

    None for a breakpoint that no run has stopped at, as on a fork.

    Raises:
        AlreadyAnswered: somebody passed it before.
        AnswerInDoubt: somebody passed it and never reported back.
    """
    how = {"thread_prefix": thread_id, "states": _ANY_STATE}
    listed: list[PendingQuestion] = yield CallSaver("pending", (), how)
    place = (thread_id, "", checkpoint_id)
    ids = tuple(asked.interrupt_id for asked in listed if asked[:3] == place and asked.kind == "breakpoint")
    if ids:
        answers = dict.fromkeys(ids, decision.kind)
        request = ClaimRequest(*place, answers, {}, decision.by, decision.at or "", OWNER, _LEASE)
        yield CallSaver("claim", (request,))
    return ids


def release_breakpoint(thread_id: str, checkpoint_id: str, ids: tuple[str, ...]) -> Flow[None]:
    """Open a breakpoint again that was claimed but not passed."""
    if ids:
        yield CallSaver("release", (thread_id, "", checkpoint_id, ids))
