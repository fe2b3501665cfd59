"""What deletes expired items from time to time: a thread, or a task of an event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nbhitl.store.base import TTLConfig

_INTERVAL = 5


def interval_of(given: int | None, ttl: TTLConfig | None) -> float:
    """Return the seconds between two sweeps."""
    return 60 * float(given or (ttl or {}).get("sweep_interval_minutes") or _INTERVAL)


class Sweeper:
    """Calls `sweep` every so many seconds, in a thread of its own, until stopped."""

    def __init__(self, sweep: Callable[[], object]) -> None:
        self._sweep = sweep
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._running: Future[None] | None = None

    def start(self, seconds: float) -> Future[None]:
        """Begin, unless it runs; the future is done when it has been stopped, or a sweep has failed."""
        if self._running is not None and not (self._running.done() or self._stop.is_set()):
            return self._running
        running: Future[None] = Future()
        running.set_running_or_notify_cancel()
        # An event of its own: a thread that was told to stop, and has not done so yet, must not go on.
        self._running, self._stop = running, threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(seconds, self._stop, running), name="nbhitl-ttl-sweeper", daemon=True
        )
        self._thread.start()
        return running

    def _run(self, seconds: float, stop: threading.Event, running: Future[None]) -> None:
        try:
            while not stop.wait(seconds):
                self._sweep()
        except Exception as error:  # whoever holds the future hears of it
            running.set_exception(error)
        else:
            running.set_result(None)

    def stop(self, timeout: float | None) -> bool:
        """Stop, and say whether it has ended within `timeout` seconds."""
        thread = self._thread
        if thread is None:
            return True
        self._stop.set()
        thread.join(timeout)
        return not thread.is_alive()


class AsyncSweeper:
    """As `Sweeper`, in a task of the running event loop."""

    def __init__(self, sweep: Callable[[], Awaitable[object]]) -> None:
        self._sweep = sweep
        self._task: asyncio.Task[None] | None = None

    def start(self, seconds: float) -> asyncio.Task[None]:
        """Begin, unless it runs; the task ends when it is stopped, or a sweep has failed."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(seconds), name="nbhitl-ttl-sweeper")
        return self._task

    async def _run(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._sweep()

    async def stop(self, timeout: float | None) -> bool:
        """Stop, and say whether it has ended within `timeout` seconds."""
        task, self._task = self._task, None
        if task is None:
            return True
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=timeout)
        return bool(done)
