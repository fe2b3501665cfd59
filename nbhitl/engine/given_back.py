"""Open questions again whose answers a run has taken up, and that stopped before any of its nodes could use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.claims import DELIVERED, RECORDED, moment
from nbhitl.checkpoint.digests import payload_digest
from nbhitl.engine.instructions import StoreCall
from nbhitl.errors import ReviewError, UnknownInterruptError, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from nbhitl.checkpoint.records import ClaimRequest

_REFUSED = (ReviewError, UnknownInterruptError, UnsupportedValue)
"""With these a store says that it has not taken an answer up; with others, as of a lost connection, it may have."""


def give_back(request: ClaimRequest, error: BaseException) -> Generator[Any, Any, None]:
    """Release the claims that a request has made, if it has made any.

    Only for a run that was stopped by `error` while it claimed, or after it and before it asked its driver for
    anything else: then no task has begun with the answers.
    """
    if isinstance(error, _REFUSED):
        return
    place = (request.thread_id, request.ns, request.checkpoint_id)
    by_this_run = (DELIVERED, request.owner, moment(request.at))
    claims = yield StoreCall("claims", (request.thread_id,))
    made = tuple(
        claim.interrupt_id
        for claim in claims
        if claim[:3] == place
        and claim.interrupt_id in request.answers
        and (claim.state, claim.owner, claim.at) == by_this_run
    )
    if made:
        yield StoreCall("release", (*place, made))


def give_back_recorded(place: tuple[str, str, str], answers: Mapping[str, Any]) -> Generator[Any, Any, None]:
    """Open questions again to which just these answers were recorded, without the graph at hand, and do not fit.

    Else nobody could answer: what is recorded is first, and is refused whenever it is delivered.
    """
    claims = yield StoreCall("claims", (place[0],))
    recorded = tuple(
        claim.interrupt_id
        for claim in claims
        if claim.state == RECORDED
        and claim[:3] == place
        and claim.interrupt_id in answers
        and payload_digest(claim.answer) == payload_digest(answers[claim.interrupt_id])
    )
    if recorded:
        yield StoreCall("release", (*place, recorded))


def note_not_given_back(error: BaseException, failed: Exception) -> None:
    """Say with what stopped a run that the store could not be asked about its answers."""
    error.add_note(
        f"Whether the answer was taken up is not known, because the store failed again: {failed} If it was, it is "
        "in doubt when its lease is over; no node has run with it, so it may be released then."
    )
