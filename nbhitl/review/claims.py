"""Claims on static breakpoints, and answers that were taken up and never reported back; as flows.

nbhitl's engine claims the answers to interrupts itself, while it resumes. Going on from a breakpoint resumes
nothing, so it is claimed here. Savers without claims (LangGraph's) keep only the sessions of one process apart,
by `review.shared`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from nbhitl.checkpoint.records import ClaimRequest
from nbhitl.review.drive import CallSaver

if TYPE_CHECKING:
    from nbhitl.checkpoint.records import Claim, PendingQuestion
    from nbhitl.review.decisions import Decision
    from nbhitl.review.drive import Flow

_DELIVERED = ("delivered",)
_ANY_STATE = ("open", "recorded", "delivered", "applied", "dropped")
_OWNER = f"review-{uuid4().hex}"
_LEASE = 60.0
"""Seconds after which a breakpoint that was passed, but whose node has saved nothing, is in doubt."""


def delivered_answers(thread_id: str, checkpoint_id: str) -> Flow[list[PendingQuestion]]:
    """Return the questions whose answer was taken up, but not done with; of subgraphs those of any checkpoint."""
    claims: list[Claim] = yield CallSaver("claims", (thread_id,))
    # Looked at first: listing questions decodes their payloads, claims are a few short fields.
    if not any(claim.state in _DELIVERED for claim in claims):
        return []
    how = {"thread_prefix": thread_id, "states": _DELIVERED}
    listed: list[PendingQuestion] = yield CallSaver("pending", (), how)
    return [q for q in listed if q.thread_id == thread_id and (q.ns or q.checkpoint_id == checkpoint_id)]


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
        request = ClaimRequest(*place, answers, {}, decision.by, decision.at or "", _OWNER, _LEASE)
        yield CallSaver("claim", (request,))
    return ids


def release_breakpoint(thread_id: str, checkpoint_id: str, ids: tuple[str, ...]) -> Flow[None]:
    """Open a breakpoint again that was claimed but not passed."""
    if ids:
        yield CallSaver("release", (thread_id, "", checkpoint_id, ids))
