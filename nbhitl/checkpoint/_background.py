"""What is done in the background: one thread of the process that wakes up only while steps wait.

It writes steps for whoever is too slow to do it, and brings logs home while much is written.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Protocol

from nbhitl.errors import StoreError

AGE = 0.005
"""Seconds that steps wait for others at most."""

_IDLE_TICKS = 20
_ROUND = 0.1
_PATIENCE_AT_EXIT = 10.0


class Late(Protocol):
    """A database in which steps may have waited for too long."""

    def write_behind(self, now: float) -> None:
        """Write what is due, if that can be done at once; `Writer.leave` if nothing waits any more."""

    def bring_log_home(self) -> None:
        """Bring home what was written to a log, if there is one and it is worth it. Called now and then."""

    def write_at_exit(self, patience: float) -> None:
        """Write everything; wait so many seconds for others. Raises a StoreError if it cannot be done."""

    def forget_waiting(self) -> None:
        """Drop what waits."""


class Writer:
    """The thread, and the databases with steps that wait (or waited a moment ago)."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """Forget all databases and the thread: after a fork both are the parent's."""
        self._watched: set[Late] = set()
        # Those in which steps have waited since the last round of bringing logs home, and when the next one is.
        self._active: set[Late] = set()
        self._next_round = 0.0
        self._asleep = False
        self._bell = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def watch(self, database: Late) -> None:
        """Write what waits in the database when it is due, unless the database does it first.

        Raises:
            RuntimeError: there can be no thread here.
        """
        if self._thread is None or not self._thread.is_alive():
            self._start()
        self._watched.add(database)
        if self._asleep:
            self._bell.set()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._serve, name="nbhitl-steps", daemon=True)
                thread.start()
                self._thread = thread

    def _serve(self) -> None:
        idle = 0
        while True:
            time.sleep(AGE)
            idle = 0 if self._watched else idle + 1
            self.tick(time.monotonic())
            if idle > _IDLE_TICKS:
                self._sleep()
                idle = 0

    def _sleep(self) -> None:
        """Wait for the next database. Whoever adds one looks at `_asleep` after it, this at the set after that."""
        self._asleep = True
        if not self._watched:
            self._bell.wait()
        self._asleep = False
        self._bell.clear()

    def tick(self, now: float) -> None:
        """Write what is due; bring logs home once in a round."""
        watched = list(self._watched)
        self._active.update(watched)
        for database in watched:
            database.write_behind(now)
        if now >= self._next_round:
            self._next_round = now + _ROUND
            active, self._active = self._active, set()
            for database in active:
                database.bring_log_home()

    def leave(self, database: Late) -> None:
        """Forget a database where nothing waits. Called with its lock held, as `watch` is."""
        self._watched.discard(database)

    def write_all(self) -> None:
        """Write everything that waits, before the process ends.

        Raises:
            StoreError: some cannot be written; it tells of all of them.
        """
        failures: list[StoreError] = []
        for database in list(self._watched):
            try:
                database.write_at_exit(_PATIENCE_AT_EXIT)
            except StoreError as error:
                failures.append(error)
        if failures:
            raise StoreError("The last steps were not saved. " + " ".join(map(str, failures)))

    def forked(self) -> None:
        """In a forked process: what waits is the parent's to write."""
        for database in self._watched:
            database.forget_waiting()
        self.start_anew()


WRITER = Writer()
atexit.register(WRITER.write_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WRITER.forked)
