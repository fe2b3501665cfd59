"""Why an answer is not sent, or not tried again: its question is not open as it was shown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, ReviewError, StaleQuestion

if TYPE_CHECKING:
    from datetime import datetime

    from nbhitl.review.card import Card
    from nbhitl.review.questions import Question
    from nbhitl.review.shared import Answered
    from nbhitl.review.standing import Standing


def refusal(
    card: Card,
    fresh: Question | None,
    standing: Standing,
    earlier: Answered | None,
    thread_id: str,
    now: datetime,
) -> ReviewError:
    """Return the error for an answer to a question that is gone, in doubt, or another one than was shown.

    Args:
        card: the question as it was shown.
        fresh: the question as it is now, if it is still there.
        standing: where the thread stands.
        earlier: who has answered it, if anybody has.
        thread_id: the thread.
        now: the time, by which a kernel may still be at its answer.
    """
    where = f"Question {card.label} of thread {thread_id!r} (node {card.question.node!r})"
    if fresh is None and earlier is not None:
        if card.decision is not None and (earlier.by, earlier.at) == (card.decision.by, card.decision.at):
            return StaleQuestion(
                f"{where} was answered here, its node failed, and the thread has gone on since. Nothing was run; look at "
                "thread.questions and thread.history()."
            )
        why = f"{where} was answered by {earlier.by or 'someone'} at {earlier.at}; this answer was not sent."
        return AlreadyAnswered(why, by=earlier.by, at=earlier.at)
    if fresh is not None and fresh.doubt is not None:
        why = f"{where}: {fresh.doubt} This answer was not sent."
        first = standing.doubts[0]
        if first.may_be_running(now):
            return AlreadyAnswered(why, by=first.by, at=first.at)
        return AnswerInDoubt(why)
    if fresh is None:
        return StaleQuestion(
            f"{where} is no longer open: the thread has moved on. Nothing was sent; look at thread.questions."
        )
    return StaleQuestion(f"{where} has changed since it was shown. Nothing was sent; look at the new card.")
