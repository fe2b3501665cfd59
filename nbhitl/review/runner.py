"""Runs the flows of one thread: here, in the background, or on an event loop; one at a time."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from nbhitl.errors import ReviewError
from nbhitl.review.drive import adrive, drive

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from nbhitl.review.card import Card
    from nbhitl.review.drive import Flow
    from nbhitl.review.flows import Flows
    from nbhitl.review.protocol import Graph

T = TypeVar("T")

POLL = 0.02
"""Seconds between looks at a lock or a flag from an event loop, where blocking is not possible."""

logger = logging.getLogger("nbhitl")


class Runner:
    """A courier (see `review.session`) for one thread of one graph.

    Once a flow has run on an event loop (`arun`), all later ones run there, clicks included: async nodes and
    savers belong to their loop.
    """

    def __init__(self, graph: Graph, flows: Flows) -> None:
        self.graph = graph
        self.flows = flows
        self.loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- running flows --------------------------------------------------------------------------

    def run(self, flow: Flow[T], *, wait: bool = True) -> T:
        """Run a flow on this thread; with `wait=False` only if no other run is under way.

        Raises:
            ReviewError: another run is under way and `wait` is False.
        """
        with self._alone(wait):
            return drive(self.graph, flow)

    async def arun(self, flow: Flow[T], *, wait: bool = True) -> T:
        """Run a flow on this event loop."""
        self.loop = asyncio.get_running_loop()
        lock = self.flows.shared.running
        while not lock.acquire(blocking=False):
            if not wait:
                self._refuse_second_run()
            await asyncio.sleep(POLL)
        try:
            return await adrive(self.graph, flow)
        finally:
            lock.release()

    def in_background(self, work: Callable[[], Any]) -> threading.Thread:
        """Start `work()` on a thread of its own, in a copy of this context; what it raises is on the card."""
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(_quietly, work), name="nbhitl-run", daemon=True)
        thread.start()
        return thread

    @contextmanager
    def _alone(self, wait: bool) -> Iterator[None]:
        lock = self.flows.shared.running
        if not lock.acquire(blocking=wait):
            self._refuse_second_run()
        try:
            yield
        finally:
            lock.release()

    def _refuse_second_run(self) -> None:
        raise ReviewError(
            f"Thread {self.flows.reading.thread_id!r} is running already. Wait for it (thread.wait(), or "
            "await thread.decided()), or stop it (thread.stop())."
        )

    # -- Courier --------------------------------------------------------------------------------

    def deliver(self, card: Card) -> None:
        """Send the decision of `card` and run on."""
        self._perform(card, self.flows.answer(card), wait=True)

    def deliver_later(self, card: Card) -> None:
        """The same in the background."""
        self._perform(card, self.flows.answer(card), wait=False)

    async def adeliver(self, card: Card) -> None:
        """Send the decision of `card` and run on, on this event loop."""
        await self._adeliver(card, self.flows.answer(card))

    def retry(self, card: Card, *, wait: bool) -> None:
        """Run the failed node again."""
        self.flows.session.resend(card)
        self._perform(card, self.flows.retry(card), wait=wait)

    def ask_again(self, card: Card, *, wait: bool) -> None:
        """Ask a failed or stale question anew."""
        self.flows.session.begin_asking_again(card)
        self._perform(card, self.flows.ask_again(card), wait=wait)

    def stop(self) -> None:
        """Ask the running graph to stop after the task that it is in."""
        if (watch := self.flows.watch) is not None:
            watch.stop()

    def _perform(self, card: Card, flow: Flow[None], *, wait: bool) -> None:
        if self.loop is not None and not self.loop.is_closed():
            self._perform_on_loop(self.loop, card, flow, wait)
        elif wait:
            self._deliver_here(card, flow)
        else:
            self.in_background(lambda: self._deliver_here(card, flow))

    def _deliver_here(self, card: Card, flow: Flow[None]) -> None:
        card.sent_from_here()
        with self._ending(card):
            self.run(flow)

    async def _adeliver(self, card: Card, flow: Flow[None]) -> None:
        with self._ending(card):
            await self.arun(flow)

    def _perform_on_loop(
        self, loop: asyncio.AbstractEventLoop, card: Card, flow: Flow[None], wait: bool
    ) -> None:
        """Deliver on the thread's event loop. Called on that loop, this can't wait: `decided()` does."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is loop:
            task = loop.create_task(_aquietly(self._adeliver(card, flow)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        coroutine = self._adeliver(card, flow)
        if wait:
            asyncio.run_coroutine_threadsafe(coroutine, loop).result()
        else:
            asyncio.run_coroutine_threadsafe(_aquietly(coroutine), loop)

    @contextmanager
    def _ending(self, card: Card) -> Iterator[None]:
        """Leave no card behind in "sending", whatever went wrong."""
        try:
            yield
        except BaseException as error:
            if card.state == "sending":
                self.flows.session.failed(card, error)
            raise


def _quietly(work: Callable[[], Any]) -> None:
    """Run `work()`; its errors are on the card or in the session, a thread has nobody to raise to."""
    try:
        work()
    except Exception as error:
        logger.debug("A run in the background ended with %r", error)


async def _aquietly(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except Exception as error:
        logger.debug("A run in the background ended with %r", error)
