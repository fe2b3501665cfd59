"""A session without a graph, for tests of views: one open card a payload."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbhitl.review.reading import make_question
from nbhitl.review.session import Progress, ReviewSession

if TYPE_CHECKING:
    from nbhitl.review.card import Card


class FakeCourier:
    """Delivers by waiting `seconds`; a decision for which `fail` returns an error raises it."""

    def __init__(self, seconds: float = 0.0, fail: Any = None) -> None:
        self.seconds = seconds
        self.fail = fail
        self.sent: list[Any] = []
        self.stopped = threading.Event()
        self.session: ReviewSession
        self.threads: list[threading.Thread] = []

    def deliver(self, card: Card) -> None:
        card.sent_from_here()
        session = self.session
        session.started()
        for step in range(2):
            session.progressed(
                Progress(node=card.question.node, step=step + 1, elapsed=step * self.seconds / 2)
            )
            time.sleep(self.seconds / 2)
        error = self.fail(card.decision) if self.fail else None
        if error is None:
            self.sent.append(card.decision.answer)
            session.delivered(card)
        else:
            session.failed(card, error)
        rest = [other.question for other in session.open_cards]
        session.ended("failed" if error else "paused" if rest else "finished", rest)
        if error is not None:
            raise error

    def deliver_later(self, card: Card) -> None:
        self._in_background(self.deliver, card)

    def retry(self, card: Card, *, wait: bool) -> None:
        self.fail = None
        with self.session._lock:
            card.resent()
        self.session.changed()
        if wait:
            self.deliver(card)
        else:
            self.deliver_later(card)

    def ask_again(self, card: Card, *, wait: bool) -> None:
        question = card.question
        again = make_question(
            id=question.id + "-again",
            kind=question.kind,
            thread_id=question.thread_id,
            node=question.node,
            payload=question.payload,
        )
        self.session.sync([again])

    def stop(self) -> None:
        self.stopped.set()

    def _in_background(self, work: Any, card: Card) -> None:
        def run() -> None:
            with contextlib.suppress(Exception):  # the session has it; a thread has nobody to raise to
                work(card)

        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(5)


def fake_session(
    *payloads: Any,
    node: str = "delete_rows",
    thread_id: str = "orders-1",
    seconds: float = 0.0,
    fail: Any = None,
    schema: Any = None,
    replies: Any = None,
    breakpoint: bool = False,
    clock: Any = lambda: datetime(2026, 11, 20, 12, 0, 42, tzinfo=UTC),
) -> ReviewSession:
    courier = FakeCourier(seconds, fail)
    session = ReviewSession(thread_id, courier, by="ada", clock=clock)
    courier.session = session
    questions = [
        make_question(
            id=f"{index:032x}",
            kind="breakpoint" if breakpoint else "interrupt",
            thread_id=thread_id,
            node=node,
            payload=payload,
            response_schema=schema,
            replies=replies,
            asked_at="2026-11-20T12:00:00+00:00",
            routes=("__end__", "clean_up") if breakpoint else (),
        )
        for index, payload in enumerate(payloads, 1)
    ]
    session.ended("paused", questions)
    return session
