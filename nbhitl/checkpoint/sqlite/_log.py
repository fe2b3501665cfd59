"""A file's log, brought home in the background while much is written.

SQLite itself does that on the thread whose commit has made the log long: once in some hundred answers somebody waits for
the disk, a twelfth of what they all take. It still does so, for a log four times as long, where the background lags.
"""

from __future__ import annotations

from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

WORTH = 1000
"""Rows that were changed since the log was brought home last, from which on it is worth to be done."""


class Log:
    """The log of one connection's file.

    Args:
        opened: opens the file once more; takes the seconds to wait for others.
    """

    def __init__(self, opened: Callable[[float], sqlite3.Connection]) -> None:
        self.held = Lock()
        self._opened = opened
        self._at_home = 0

    def bring_home(self, conn: sqlite3.Connection) -> None:
        """Copy what the log holds to its place in the file, as far as no reader needs it in the log.

        Others read and write meanwhile.

        Args:
            conn: who has written; it is asked for nothing but how much.

        Raises:
            sqlite3.Error: it cannot be done, or `conn` was closed.
        """
        with self.held:
            changed = conn.total_changes
            if changed - self._at_home < WORTH:
                return
            self._at_home = changed
            with closing(self._opened(0.0)) as again:
                again.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
