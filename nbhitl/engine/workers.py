"""Worker threads for the tasks of sync runs."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import ThreadPoolExecutor
    from contextvars import Context

    from nbhitl.engine.tasks import Task

_pool: ThreadPoolExecutor | None = None
_pool_lock = Lock()


def worker_pool() -> ThreadPoolExecutor:
    """Return the process's worker threads.

    One pool lasts for all runs: starting threads costs more than most nodes. It has no tight bound, because a
    task that calls a graph waits for that graph's tasks; how many tasks of one run go at once is bounded by
    `parallel_limit`.
    """
    global _pool  # noqa: PLW0603 - one pool for the process
    if _pool is None:
        from concurrent.futures import ThreadPoolExecutor  # loads logging

        with _pool_lock:
            _pool = _pool or ThreadPoolExecutor(max_workers=4096, thread_name_prefix="nbhitl")
    return _pool


def _forget_pool() -> None:
    global _pool  # noqa: PLW0603 - the child of a fork has none of its parent's threads
    _pool = None


os.register_at_fork(after_in_child=_forget_pool)


def parallel_limit(max_concurrency: int | None) -> int:
    """Return how many tasks of one run go at once."""
    return max_concurrency or 32


class Crew:
    """The workers of one run. Each takes the next task when it is done with one.

    A worker calls for another before it starts a task, unless one is on its way already: so tasks that take
    time go side by side at once, and many short ones are done by a few threads. Tasks start in the order in which they
    were given: until a worker has called, none takes the next task.
    """

    def __init__(self, work: Callable[[Task, Context], None], limit: int) -> None:
        self._work = work
        self._limit = limit
        self._lock = Lock()
        self._turn = Lock()
        self._waiting: deque[Task] = deque()
        self._workers = 0
        self._at_once = 0  # how many of the next tasks wait only for a thread to be there
        self._one_is_coming = False

    def take_on(self, tasks: Iterable[Task], context: Context) -> None:
        """Let the tasks be done, each in a copy of `context`."""
        with self._lock:
            if not self._waiting:
                self._at_once = self._limit
            self._waiting.extend(tasks)
        self._call_another(context)

    def drop_waiting(self) -> int:
        """Start nothing more; return how many tasks were dropped."""
        return self._drop(0)

    def drop_later(self) -> int:
        """Start no more than go at once, be their threads there yet or not; return how many tasks were dropped."""
        return self._drop(max(self._at_once, 0))

    def _drop(self, kept: int) -> int:
        with self._lock:
            dropped = max(len(self._waiting) - kept, 0)
            for _ in range(dropped):
                self._waiting.pop()
        return dropped

    def _call_another(self, context: Context) -> None:
        with self._lock:
            if self._one_is_coming or not self._waiting or self._workers >= self._limit:
                return
            self._one_is_coming = True
            self._workers += 1
        try:
            worker_pool().submit(self._serve, context)
        except BaseException:
            with self._lock:
                self._one_is_coming = False
                self._workers -= 1
            raise

    def _serve(self, context: Context) -> None:
        has_come = False
        while True:
            with self._turn:
                if not has_come:  # one that waits for its turn is on its way still
                    self._one_is_coming, has_come = False, True
                with self._lock:
                    if not self._waiting:
                        self._workers -= 1
                        return
                    task = self._waiting.popleft()
                    self._at_once -= 1
                with suppress(RuntimeError):  # no more threads to be had: those that are here do the work
                    self._call_another(context)
            self._work(task, context.copy())
