"""One thread's questions and how they stand: what a view draws, and what its buttons call.

A `ReviewSession` holds one `Card` a question. A card goes through the states

    open <-> editing | rejecting | responding      the person is at it (any view may show this)
    sending                                        the decision is taken; the graph goes on
    decided                                        the graph has gone on; `card.decision` is what was recorded
    stale                                          the question changed before the answer; nothing has run
    failed                                         a node raised after the answer

Only `take` leaves the first group, under a lock: of any number of clicks and calls one is taken. Whoever runs
the graph (a `Courier`) then reports back by `progressed`, `delivered`, `failed`, `went_stale` or `reopened`.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from nbhitl.errors import AlreadyAnswered, ReviewError
from nbhitl.review.answering import prepare
from nbhitl.review.card import Card
from nbhitl.review.diff import same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nbhitl.review.decisions import Decision
    from nbhitl.review.questions import Question

__all__ = ["Courier", "Progress", "ReviewSession", "SessionState"]

SessionState = Literal["idle", "running", "paused", "finished", "stopped", "failed"]

logger = logging.getLogger("nbhitl")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: the node that started last, the step, seconds since the run began, streamed text."""

    node: str = ""
    step: int = 0
    elapsed: float = 0.0
    text: str = ""


class Courier(Protocol):
    """Whoever runs the graph for a session."""

    def deliver(self, card: Card) -> None:
        """Send the decision of `card` to the graph and run on; come back at the next pause or the end.

        Raises what the caller should see: StaleQuestion, AlreadyAnswered, or what a node raised.
        """

    def deliver_later(self, card: Card) -> None:
        """The same in the background: come back at once, report to the session only."""

    def retry(self, card: Card, *, wait: bool) -> None:
        """Run the failed node again with the answer that it has."""

    def ask_again(self, card: Card, *, wait: bool) -> None:
        """Ask a failed or stale question anew; the old card stays as a record."""

    def stop(self) -> None:
        """Ask the running graph to stop after the step that it is in."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class ReviewSession:
    """The questions of one thread, in the order of asking.

    Args:
        thread_id: whose questions they are.
        courier: who runs the graph; may be set later, but before the first answer.
        by: who decides here; `verified` whether anything but the kernel's user name says so.
        clock: the time, in UTC; tests hand in their own.
    """

    def __init__(
        self,
        thread_id: str,
        courier: Courier | None = None,
        *,
        by: str = "someone",
        verified: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.thread_id = thread_id
        self.courier: Courier
        if courier is not None:
            self.courier = courier
        self.by = by
        self.verified = verified
        self.clock = clock
        self.state: SessionState = "idle"
        self.error: str | None = None
        self.progress: Progress | None = None
        self.cards: list[Card] = []
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []
        self._asking_again: set[str] = set()

    @property
    def open_cards(self) -> list[Card]:
        """The cards that wait for a person."""
        return [card for card in self.cards if card.waits]

    @property
    def waiting_cards(self) -> list[Card]:
        """The cards on which a person can do something: answer, or retry and ask anew."""
        return [card for card in self.cards if card.waits or card.state == "failed"]

    @property
    def decisions(self) -> list[Decision]:
        """What was decided here, in the order of asking."""
        return [card.decision for card in self.cards if card.decision is not None]

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener()` after every change, on whichever thread made it; returns how to end that."""
        with self._lock:
            self._listeners.append(listener)

        def forget() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return forget

    def changed(self) -> None:
        """Tell every listener. A view that fails is logged and does not hold up the run."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:
                logger.exception("A view of thread %r failed to redraw", self.thread_id)

    # -- what the person does ------------------------------------------------------------------

    def decide(self, card: Card, decision: Decision, *, wait: bool = True) -> None:
        """Answer a question: check, take, deliver. A second call with the same decision has no effect.

        With `wait` this comes back at the next pause or the end and raises what went wrong; without, it comes
        back at once and what goes wrong is on the card.

        Raises:
            InvalidAnswer: the decision does not fit; the card stays open.
            AlreadyAnswered: the question was answered differently before.
        """
        if not self.take(card, decision):
            if wait:
                card.wait_settled()
            return
        if wait:
            self.courier.deliver(card)
        else:
            self.courier.deliver_later(card)

    def take(self, card: Card, decision: Decision) -> bool:
        """Move `card` to "sending" with `decision`; False if the same answer was taken before.

        Raises:
            InvalidAnswer: the decision does not fit.
            AlreadyAnswered: another answer was taken before.
            ReviewError: the card's question is stale or failed.
        """
        prepared = prepare(card.question, decision)
        with self._lock:
            if card.waits:
                now = self.clock()
                card.taken(
                    replace(
                        prepared,
                        by=self.by,
                        verified=self.verified,
                        at=now.isoformat(timespec="milliseconds"),
                        waited=card.waited(now),
                    )
                )
                first = True
            else:
                self._refuse_other(card, prepared)
                first = False
        if first:
            self.changed()
        return first

    def _refuse_other(self, card: Card, prepared: Decision) -> None:
        if card.state in ("stale", "failed") or card.decision is None:
            raise ReviewError(
                f"Question {card.label} of thread {self.thread_id!r} (node {card.question.node!r}) is "
                f"{card.state}: {card.error or 'it can not be answered any more'}. "
                "Use retry() or ask_again() on it, or answer the newest question (thread.question)."
            )
        if _same_answer(card.decision, prepared):
            return
        raise AlreadyAnswered(
            f"Question {card.label} of thread {self.thread_id!r} (node {card.question.node!r}) was answered "
            f"with {card.decision.kind!r} by {card.decision.by} at {card.decision.at}; this answer was not "
            "sent.",
            by=card.decision.by,
            at=card.decision.at,
        )

    def resend(self, card: Card) -> None:
        """Move a failed card back to "sending", for a retry.

        Raises:
            ReviewError: it has not failed.
        """
        with self._lock:
            if card.state != "failed":
                raise ReviewError(f"{card.label} is {card.state}; only a failed question can be retried.")
            card.resent()
        self.changed()

    def begin_asking_again(self, card: Card) -> None:
        """Hold `card` until `end_asking_again`, so that a double click asks anew once.

        Raises:
            ReviewError: it has neither failed nor gone stale, or is being asked anew already.
        """
        with self._lock:
            if card.state not in ("failed", "stale"):
                raise ReviewError(
                    f"{card.label} is {card.state}; only a failed or stale question can be asked again."
                )
            if card.label in self._asking_again:
                raise ReviewError(f"{card.label} is being asked anew already.")
            self._asking_again.add(card.label)

    def end_asking_again(self, card: Card) -> None:
        """Let go of `card`."""
        with self._lock:
            self._asking_again.discard(card.label)

    # -- what the courier reports --------------------------------------------------------------

    def started(self) -> None:
        """A run has begun."""
        with self._lock:
            self.state, self.error, self.progress = "running", None, Progress()
        self.changed()

    def progressed(self, progress: Progress) -> None:
        """A run is at `progress`."""
        self.progress = progress
        self.changed()

    def delivered(self, card: Card) -> None:
        """The graph has taken the answer of `card`."""
        with self._lock:
            card.settled("decided")
        self.changed()

    def failed(self, card: Card, error: BaseException) -> None:
        """A node raised after the answer of `card`."""
        with self._lock:
            card.settled("failed", describe(error))
        self.changed()

    def went_stale(self, card: Card, why: str) -> None:
        """The question of `card` is not the one that was shown; its answer was not sent."""
        with self._lock:
            card.settled("stale", why)
        self.changed()

    def answered_elsewhere(self, card: Card, why: str) -> None:
        """Someone else's answer came first; this one was not sent."""
        with self._lock:
            card.settled("stale", why)
        self.changed()

    def reopened(self, card: Card, error: str) -> None:
        """The answer of `card` was refused and nothing was saved: the person may answer again."""
        with self._lock:
            card.reopened(error)
        self.changed()

    def ended(
        self,
        state: SessionState,
        questions: Iterable[Question],
        error: str | None = None,
        *,
        runs: Callable[[Question], int] | None = None,
    ) -> None:
        """A run is over, and these questions are open now; `runs` says how often a node has started."""
        with self._lock:
            self.sync(questions, runs=runs, quiet=True)
            self.state, self.error, self.progress = state, error, None
        self.changed()

    def broke(self, error: BaseException) -> None:
        """A run ended before it could say where the thread stands."""
        with self._lock:
            self.state, self.error, self.progress = "failed", describe(error), None
        self.changed()

    def sync(
        self,
        questions: Iterable[Question],
        *,
        runs: Callable[[Question], int] | None = None,
        quiet: bool = False,
    ) -> None:
        """Make the cards match the open questions: new ones get a card, cards without one go stale."""
        with self._lock:
            open_ids = set()
            for question in questions:
                open_ids.add(question.id)
                self._sync_one(question, runs(question) if runs else 1)
            for card in self.cards:
                if card.waits and card.question.id not in open_ids:
                    card.settled("stale", "This question is no longer open: the thread has moved on.")
        if not quiet:
            self.changed()

    def _sync_one(self, question: Question, runs: int) -> None:
        for card in reversed(self.cards):
            if card.question.id != question.id:
                continue
            if card.question.digest == question.digest:
                if card.waits:
                    card.question, card.runs = question, max(card.runs, runs)
                    card.doubt_if_any()
                if card.state != "stale":
                    return
            elif card.waits:
                card.settled("stale", "This question has changed since it was shown.")
            break
        card = Card(self, question, f"q{len(self.cards) + 1}", runs=runs, shown_at=self.clock())
        card.doubt_if_any()
        self.cards.append(card)

    def forget_cards(self) -> None:
        """Drop every card, for a thread that starts over."""
        with self._lock:
            self.cards.clear()
            self.state, self.error, self.progress = "idle", None, None
        self.changed()


def _same_answer(taken: Decision, other: Decision) -> bool:
    return (
        taken.kind == other.kind
        and same(taken.answer, other.answer)
        and taken.route == other.route
        and taken.reason == other.reason
        and same(_args(taken), _args(other))
    )


def _args(decision: Decision) -> Any:
    return [dict(part.args or {}) for part in (decision.actions or (decision,))]


def describe(error: BaseException) -> str:
    """Return an error in a line, for a card: its class and its message."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def labels(cards: Sequence[Card]) -> str:
    """Return the labels of cards, for a message: `q1, q2`."""
    return ", ".join(card.label for card in cards)
