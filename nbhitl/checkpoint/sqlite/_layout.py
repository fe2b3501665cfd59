"""How a file is laid out: a log that readers and one writer share, and small pages where the file is new.

A commit appends every page that it has touched to the log, and what is in the log has to get to the disk before it is
brought home. What a step or a question changes are rows of some hundred bytes in a handful of trees: with pages a
quarter as large as SQLite's default a third of the bytes is written.
"""

from __future__ import annotations

import sqlite3
import time

_PAGE = 1024
_DEFAULT_PAGE = 4096
_DEFAULT_LOG = 1000
"""Pages in the log at which SQLite brings them home."""

_TIMES = 4

_PATIENCE = 10.0


def check_rows(conn: sqlite3.Connection) -> None:
    """Read a row as everything here does.

    Raises:
        sqlite3.ProgrammingError: the connection was told to give rows or texts of another kind.
    """
    row = conn.execute("SELECT 'text', 1").fetchone()
    try:
        is_usual = row[0] == "text" and row[1] == 1
    except (LookupError, TypeError):
        is_usual = False
    if not is_usual:
        raise sqlite3.ProgrammingError(
            "the connection's row_factory or text_factory makes something else of rows"
        )


def lay_out(conn: sqlite3.Connection) -> None:
    """Prepare a file for a saver's tables: WAL mode, and in a file without any table small pages.

    Raises:
        sqlite3.Error: it cannot be changed, or others have used it for too long.
    """
    if not conn.in_transaction and _is_new(conn):
        _use_small_pages(conn)
    _use_wal(conn)


def keep_log_long(conn: sqlite3.Connection) -> None:
    """Let the log of small pages grow as long as SQLite's default lets it with pages of the default size: what it costs
    to bring it home depends on bytes but for a part that is the same each time.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    usual = _usual_log(conn)
    if usual > _DEFAULT_LOG and conn.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == _DEFAULT_LOG:
        conn.execute(f"PRAGMA wal_autocheckpoint = {usual}")


def leave_log_to_background(conn: sqlite3.Connection) -> None:
    """Let the log grow four times as long before a commit brings it home, unless somebody has chosen how long.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    usual = _usual_log(conn)
    if conn.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == usual:
        conn.execute(f"PRAGMA wal_autocheckpoint = {_TIMES * usual}")


def _usual_log(conn: sqlite3.Connection) -> int:
    """How many pages make a log long."""
    size: int = conn.execute("PRAGMA page_size").fetchone()[0]
    return max(_DEFAULT_LOG, _DEFAULT_LOG * _DEFAULT_PAGE // size)


def _is_new(conn: sqlite3.Connection) -> bool:
    """Whether there is nothing in the file, and nobody has chosen a page size for it."""
    size = conn.execute("PRAGMA page_size").fetchone()[0]
    return size == _DEFAULT_PAGE and conn.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _use_small_pages(conn: sqlite3.Connection) -> None:
    """A file that is in WAL mode already has to leave it for that, which it cannot while others have it open."""
    patience = conn.execute("PRAGMA busy_timeout").fetchone()[0]
    conn.execute("PRAGMA busy_timeout = 0")
    try:
        is_wal = conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        if is_wal:
            conn.execute("PRAGMA journal_mode = DELETE").fetchone()
        conn.execute(f"PRAGMA page_size = {_PAGE}")
        if is_wal:
            conn.execute("VACUUM")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
    finally:
        conn.execute(f"PRAGMA busy_timeout = {patience}")


def _use_wal(conn: sqlite3.Connection) -> None:
    """Let readers and one writer work at once. SQLite does not wait by itself for its turn to switch."""
    patience = time.monotonic() + _PATIENCE
    while True:
        try:
            conn.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patience:
                raise
            time.sleep(0.01)
