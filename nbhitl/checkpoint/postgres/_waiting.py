"""The first steps of a new thread wait a moment for what follows, and are sent to the server together with it.

Losing them would cost next to nothing: no node of the thread has ended. So they wait until something else is stored
for the thread, somebody reads, or `AGE` seconds have passed; if the connection is the saver's own.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

import psycopg

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._background import AGE, WRITER
from nbhitl.checkpoint.postgres import queries
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from nbhitl.checkpoint.postgres._batch import Statement
    from nbhitl.checkpoint.postgres._links import Link

    Values = tuple[Any, ...]

_MOST_ROWS, _MOST_BYTES, _LONGEST_NAME = 64, 1 << 16, 500
_SKIPPED = 16
_AGAIN = 0.05
"""Seconds after which the background tries again."""

# Whoever does not know whether they were added before the connection was lost adds them again.
_ADD: Final = f"{_sql.INSERT_STEP} ON CONFLICT DO NOTHING"


class Owner(Protocol):
    """The database that the steps are written to."""

    link: Link

    def borrow(self) -> Any:
        """Return a connection for the thread that calls."""

    def failure(self, error: BaseException, conn: Any = None, thread: str | None = None) -> StoreError:
        """Return the error that says which store and thread it was and what to do."""


class Waiting:
    """Steps that wait, as the columns of their table; for any number of threads.

    Whoever has the connection takes steps out to write them, and puts them back before giving the connection back if
    that fails. So nobody who has it finds them neither here nor on the server.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.start_anew()

    def start_anew(self) -> None:
        """Forget all steps."""
        self.rows: list[Values] = []
        self._due = 0.0
        self._skipped = 0
        # Threads whose first steps the server has refused: who goes on with one has to be told.
        self._lost: set[str] = set()
        self._lock = Lock()

    def take(self, row: Values) -> bool:
        """Let a step wait, if it is one that may; return whether it does."""
        if not (self._owner.link.is_own and _may_wait(row) and self._took(row)):
            return False
        try:
            WRITER.watch(self)
        except RuntimeError:  # no threads on this platform, or the interpreter is about to end
            self.write_now()
        return True

    def _took(self, row: Values) -> bool:
        thread, _, _, parent, *_ = row
        with self._lock:
            rows = self.rows
            if parent is None:
                self._lost.discard(thread)
            if len(rows) >= _MOST_ROWS:
                return False
            if parent is None:
                if self._skipped:
                    self._skipped -= 1
                    return False
            elif not any(before[2] == parent and before[0] == thread for before in rows):
                return False
            if not rows:
                self._due = monotonic() + AGE
            rows.append(row)
        return True

    def leave(self, threads: Collection[str] | None = None) -> list[Values]:
        """Return the steps of these threads, or all; they do not wait any more."""
        if not self.rows:
            return []
        with self._lock:
            left = [row for row in self.rows if threads is None or row[0] in threads]
            self.rows = [row for row in self.rows if threads is not None and row[0] not in threads]
        return left

    def put_back(self, rows: list[Values]) -> None:
        """Let steps wait on that could not be written, before those that came later."""
        if rows:
            with self._lock:
                self.rows = rows + self.rows
                self._due = monotonic() + _AGAIN
            with suppress(RuntimeError):  # no threads: the next call on the saver writes them
                WRITER.watch(self)

    def write_now(self) -> None:
        """Write the steps that wait.

        Raises:
            StoreError: they cannot be written. If the connection is lost they wait on; otherwise the server refuses
                them, and whoever goes on with their threads is told too.
        """
        if not self.rows:
            return
        owner = self._owner
        conn = owner.borrow()
        try:
            self._write(conn)
        except psycopg.Error as error:
            refused = [] if conn.closed else self.leave()
            self._lost.update([row[0] for row in refused])
            raise owner.failure(error, conn, refused[0][0] if refused else None) from error
        finally:
            owner.link.give_back(conn)

    def _write(self, conn: Any) -> None:
        rows = self.leave()
        try:
            if rows:
                self._owner.link.exchange(conn, [(queries.LAZILY, ()), *writing(rows)])
        except BaseException:
            self.put_back(rows)
            raise

    def tell_lost(self, threads: Sequence[str]) -> None:
        """Refuse to go on with a thread whose first steps the server has refused.

        Raises:
            StoreError: this is one.
        """
        lost = self._lost and self._lost.intersection(threads)
        if lost:
            self._lost -= lost
            raise StoreError(
                f"{self._owner.link.name}, thread {min(lost)!r}: its first steps could not be saved, as an earlier "
                "error has told. Give the graph its input again."
            )

    def write_behind(self, now: float) -> None:
        """In the background: write the steps that have waited for too long, unless the connection is in use."""
        if not self.rows:
            WRITER.leave(self)
            if self.rows:  # since a moment ago
                WRITER.watch(self)
        elif now >= self._due:
            # A failure is not lost: the steps wait on, and the next call on the saver meets it again.
            with suppress(psycopg.Error, StoreError):
                self._write_if_free()

    def _write_if_free(self, patience: float = 0.0) -> bool:
        link = self._owner.link
        conn = link.borrow_now(patience)
        if conn is None:
            return False
        try:
            self._write(conn)
        finally:
            link.give_back(conn)
        self._skipped = _SKIPPED  # their nodes are slow, and the next ones' likely too
        return True

    def bring_log_home(self) -> None:
        """The server does that."""

    def write_at_exit(self, patience: float) -> None:
        """Write the steps that wait before the process ends.

        Raises:
            StoreError: they cannot be written.
        """
        try:
            if self.rows and not self._write_if_free(patience):
                raise psycopg.OperationalError("a thread keeps its connection in use")
        except psycopg.Error as error:
            raise self._owner.failure(error) from error

    def forget_waiting(self) -> None:
        """In a forked process: what waits is the parent's to write."""
        self.start_anew()


def _may_wait(row: Values) -> bool:
    """Whether a step is one of a graph at the top, and none that the server may refuse: its own run has to hear of it."""
    thread, ns, *_, body = row
    is_plain = thread.isascii() and "\0" not in thread and len(thread) <= _LONGEST_NAME
    return not ns and is_plain and len(body) <= _MOST_BYTES


def writing(rows: Sequence[Values]) -> list[Statement]:
    """Return what adds first steps, and moves the questions on that somebody else has asked of the same thread.

    What the newest step of a thread does to its questions is what all of them did, one after another; and nothing if
    it was there already: then they may be its own.
    """
    statements: list[Statement] = []
    newest = {row[0]: row for row in rows}
    for row in rows:
        thread, ns, own, parent, *_ = row
        if newest[thread] is not row:
            statements.append((_ADD, row))
            continue
        settle, values = _sql.settle(thread, ns, parent, "input" if parent is None else "loop", own)
        added = f"WITH added AS ({_ADD} RETURNING 1) {settle} AND EXISTS (SELECT 1 FROM added)"
        statements.append((added, (*row, *values)))
    return statements
