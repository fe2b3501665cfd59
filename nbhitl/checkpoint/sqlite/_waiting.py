"""The steps that wait on one connection: added, written with what follows, or by another thread if nothing does.

Rows leave only once they are committed. After a failure they wait on, so that the next call on the saver tries
again and tells; in the order in which they came, so that a killed process leaves a prefix.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._background import WRITER
from nbhitl.checkpoint._opening import closed_if_it_fails
from nbhitl.checkpoint.sqlite import queries
from nbhitl.checkpoint.sqlite._group import (
    MOST_BYTES,
    Group,
    Pace,
    attached,
    needed_parents,
    threads_of,
    unstored,
)
from nbhitl.checkpoint.sqlite._layout import leave_log_to_background
from nbhitl.checkpoint.sqlite._open_file import OpenFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nbhitl.checkpoint._background import Late
    from nbhitl.checkpoint.sqlite._group import Step, Values

_AGAIN = 0.05
"""Seconds after which the background tries again."""


class Owner(Protocol):
    """What a saver does about its steps when they are written."""

    def settle_row(self, row: Values) -> None:
        """Move the live questions of a step's thread on; within the transaction that added the step."""

    def forget_thread(self, thread: str) -> None:
        """Forget what is known of a thread that somebody else deleted."""


class Waiting:
    """Steps that wait to be written together.

    All methods but `may_take` and `saved`, which only guess at a pace, are called with the connection's lock held.

    Args:
        file: where the connection's database is; without one, no step waits.
    """

    __slots__ = ("_file", "_pace", "_synchronous", "carried", "group", "open_file", "owner", "quiet")

    def __init__(self, file: str) -> None:
        self.group = Group()
        self.owner: Callable[[], Owner | None] = _nobody
        self._file = file
        self.open_file = OpenFile(file)
        self._pace = Pace()
        self.carried: list[Values] = []
        # Threads without live questions, as the transaction found that carried their steps.
        self.quiet: set[str] = set()
        self._synchronous = -1

    def may_take(self, row: Values, now: float) -> bool:
        """Whether a step need not be written at once. A huge one is: should SQLite refuse it, only its own run hears."""
        return self._file != "" and len(row[10]) < MOST_BYTES and self._pace.may_wait(row[:2], row[3], now)

    def saved(self, row: Values, now: float) -> None:
        """Take notice of a step that was saved."""
        if self._file:
            self._pace.saved(row[:2], now)

    def begin(self, conn: sqlite3.Connection, late: Late) -> bool:
        """Prepare for the first step of a group; return False if nobody could write it later.

        Args:
            conn: the connection.
            late: what the background calls when the steps have waited for too long.
        """
        try:
            WRITER.watch(late)
        except RuntimeError:  # no threads on this platform, or the interpreter is about to end
            self._file = ""
            return False
        if self._synchronous < 0:
            self._synchronous = conn.execute("PRAGMA synchronous").fetchone()[0]
            leave_log_to_background(conn)
        return True

    def take(self, row: Values, now: float) -> bool:
        """Let a step wait; return whether no other one should be waited for."""
        self._pace.saved(row[:2], now)
        return self.group.add(row, now)

    def carry(self, conn: sqlite3.Connection) -> None:
        """Write all of them, within a transaction; `committed` or `undone` has to follow.

        Raises:
            sqlite3.Error: they cannot be written, and the transaction is rolled back.
        """
        rows = self.carried = self.group.taken()
        try:
            self._insert(conn, rows)
        except BaseException:
            if conn.in_transaction:
                conn.execute("ROLLBACK")
            self.undone()
            raise

    def committed(self) -> None:
        """Let go of what was carried."""
        self.carried = []
        self.quiet = set()

    def undone(self) -> None:
        """Let wait on what was carried."""
        if self.carried:
            self.group.put_back(self.carried, 0.0)
            self.carried = []
            self.quiet = set()

    def _insert(self, conn: sqlite3.Connection, rows: list[Values]) -> None:
        try:
            live, missing = _looked(conn, rows)
            kept = attached(rows, missing) if missing else rows
            conn.executemany(_sql.INSERT_STEP, kept)
            self.quiet = {row[0] for row in rows} - live
        except sqlite3.IntegrityError:
            self._sort_out(conn)
            return
        owner = self.owner()
        if owner is not None:
            for row in kept:
                if row[0] in live:
                    owner.settle_row(row)
            for thread, *_ in missing:
                owner.forget_thread(thread)

    def _sort_out(self, conn: sqlite3.Connection) -> None:
        """Leave out the steps that are stored already: whoever was interrupted after a commit writes them again.

        Raises:
            sqlite3.IntegrityError: one is there with another content; it waits no longer.
        """
        conn.execute("ROLLBACK")
        found = [conn.execute(_sql.STEP, row[:3]).fetchone() for row in self.carried]
        self.carried, odd = unstored(self.carried, [row for row in found if row is not None])
        if odd:
            raise sqlite3.IntegrityError(
                f"a step of {odd[0][0]!r} is stored already, with another content (UNIQUE)"
            )
        conn.execute("BEGIN IMMEDIATE")
        self._insert(conn, self.carried)

    def write_behind(self, now: float, *, patience: float = 0.0) -> bool:
        """Write what is due on a connection of its own; return whether nothing waits any more.

        What needs more than to be added (an open question, a deleted thread) waits for the next call on the saver.

        Args:
            now: of the clock `time.monotonic`.
            patience: seconds to wait for other processes that write.

        Raises:
            sqlite3.Error: it cannot be written; it waits on.
        """
        rows = self.group.rows
        if not rows or now < self.group.due:
            return not rows
        self.group.due = now + _AGAIN
        with closing(self.opened(patience)) as conn:
            conn.execute("BEGIN IMMEDIATE")
            if any(_looked(conn, rows)):
                return False
            conn.executemany(_sql.INSERT_STEP, rows)
            conn.execute("COMMIT")
        self.group.taken()
        self._pace.was_slow()
        return True

    def opened(self, patience: float) -> sqlite3.Connection:
        """Return another connection to the file, which waits so many seconds for others.

        Raises:
            sqlite3.Error: it cannot be opened, or is not the one any more that the first connection has open.
        """
        self.open_file.check()
        address = f"{Path(self._file).as_uri()}?mode=rw"
        conn = sqlite3.connect(address, timeout=patience, isolation_level=None, uri=True)
        with closed_if_it_fails(conn):
            conn.execute(f"PRAGMA synchronous = {self._synchronous}")
        return conn

    def forget(self) -> None:
        """Drop everything: it is somebody else's to write."""
        self.group.taken()
        self.carried = []
        self.quiet = set()


def _looked(conn: sqlite3.Connection, rows: Sequence[Values]) -> tuple[set[str], set[Step]]:
    """Return which threads of the rows have live questions, and which needed parents are not there."""
    live = {
        thread
        for thread in threads_of(rows)
        if conn.execute(queries.ANY_LIVE, (thread,)).fetchone() is not None
    }
    missing = {
        step for step in needed_parents(rows) if conn.execute(queries.STEP_EXISTS, step).fetchone() is None
    }
    return live, missing


def _nobody() -> None:
    return None
