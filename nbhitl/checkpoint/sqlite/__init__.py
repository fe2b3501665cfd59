"""A saver in a SQLite file: survives the process, and several processes may use the file at once."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from nbhitl.checkpoint._opening import closed_if_it_fails
from nbhitl.checkpoint.sqlite._database import Database
from nbhitl.checkpoint.sqlite._errors import store_error
from nbhitl.checkpoint.sqlite._saver import WaitingSaver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from nbhitl.checkpoint.serde import SerializerProtocol

__all__ = ["SqliteSaver"]

_PATIENCE = 30.0
"""Seconds to wait for another process that is writing."""


def connect(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Open a file for a saver of this process's own.

    `synchronous = NORMAL` in WAL mode: what was committed survives a killed process; a power cut may lose the last
    commits, and never damages the file. For no loss then either, open the connection yourself with `FULL`.

    Raises:
        StoreError: SQLite cannot open it.
    """
    text = os.fspath(path)
    try:
        conn = sqlite3.connect(
            text,
            timeout=_PATIENCE,
            check_same_thread=False,
            isolation_level=None,
            uri=text.startswith("file:"),
        )
    except sqlite3.Error as error:
        raise store_error(f"SQLite store {text}", error) from error
    try:
        with closed_if_it_fails(conn):
            conn.execute("PRAGMA synchronous = NORMAL")
    except (sqlite3.Error, UnicodeError) as error:  # a damaged file's message may be no text
        raise store_error(f"SQLite store {text}", error) from error
    return conn


class SqliteSaver(WaitingSaver):
    """Keeps threads in a SQLite database.

    Args:
        conn: a connection, made with `check_same_thread=False` if nodes run in several threads. The saver
            writes in transactions of its own; its tables are named `nbhitl_...` and may stand beside others.
        serde: turns values into bytes and back. Classes of values must be registered with it, which
            `compile()` does for those that the state's schema names.

    Questions, answers, effects of `once()`, results of parallel tasks and the step with which a run ends are in the
    file before the run goes on, in that order after every step before them. So is, with `durability="async"`, an
    intermediate step whose nodes took more than a millisecond. Quicker ones, and the first step of a new thread,
    may wait up to 5 ms for those that follow (more while the file is locked), and are written with them in one
    transaction: a process that is killed meanwhile leaves the steps before, without a gap, and readers on other
    connections see them as much later. Whatever is asked of this saver comes after them. What cannot be written
    is kept, and the next call raises a StoreError; `flush()` writes at once. With `durability="sync"` every
    step is in the file before the next one begins.

    An answer is refused (StoreError) once the file was deleted, moved or replaced; over an aiosqlite connection, and on
    Windows, nobody looks.

    While much is written, a thread of the process opens the file once more and brings the log home; before that the log
    may have 16 MB. A `wal_autocheckpoint` of your own on the connection is kept.
    """

    def __init__(self, conn: sqlite3.Connection, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(opened(conn), serde)

    @property
    def conn(self) -> sqlite3.Connection:
        """The connection.

        Whoever restores a copy into it (`other.backup(saver.conn)`) makes a new saver of it then: SQLite tells this one
        of changes by other connections, but not of that.
        """
        return self._database.conn

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while the connection is in use; take it to use the connection yourself."""
        return self._database.held

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """Lend a cursor for SQL of your own, after all that the saver still has to write.

        The saver's tables are not LangGraph's `checkpoints` and `writes`. Ids of threads and checkpoints can be read
        from `checkpoints` all the same; `saver.threads()`, `list`, `delete_thread` and `prune` do what else programs
        read or change there.

        Args:
            transaction: commit at the end of the `with` block.
        """
        self.setup()
        self.flush()
        with self.lock, closing(self.conn.cursor()) as cursor:
            try:
                yield cursor
            finally:
                if transaction:
                    self.conn.commit()

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str) -> Iterator[SqliteSaver]:
        """Open a file (or `:memory:`) and close it at the end of the `with` block.

        Raises:
            StoreError: SQLite cannot open it.
        """
        conn = connect(conn_string)
        with closed_if_it_fails(conn):
            saver = cls(conn)
        try:
            yield saver
        finally:
            try:
                saver.flush()
            finally:
                saver._database.close()

    @property
    def is_setup(self) -> bool:
        """Whether the tables are known to be there; the first use makes them."""
        return self._database.is_setup

    def setup(self) -> None:
        """Make the tables; done at the first use anyway.

        Raises:
            NewerStore: a newer nbhitl has written this file.
        """
        self._database.setup()


def opened(conn: sqlite3.Connection) -> Database:
    """Return the database that a connection leads to.

    Raises:
        TypeError: it is the path of a file.
    """
    refuse_path(conn, "SqliteSaver", "with")
    return Database(conn, store_name(conn), _file(conn) or "")


def refuse_path(conn: object, saver: str, block: str) -> None:
    """Check that a saver was given a connection.

    Raises:
        TypeError: it was given the path of a file.
    """
    if isinstance(conn, (str, os.PathLike)):
        raise TypeError(
            f"{saver}({conn!r}): that is a path, and a saver takes a connection. To open the file: "
            f"`{block} {saver}.from_conn_string({os.fspath(conn)!r}) as saver:`."
        )


def store_name(conn: sqlite3.Connection) -> str:
    """Return how errors call the store of a connection: by its file."""
    file = _file(conn)
    return "SQLite store (closed)" if file is None else f"SQLite store {file or ':memory:'}"


def _file(conn: sqlite3.Connection) -> str | None:
    """Return the path of a connection's file; "" if it has none, None if it is closed."""
    try:
        rows = conn.execute("PRAGMA database_list").fetchall()
    except sqlite3.Error:
        return None
    return next((str(file) for _, name, file in rows if name == "main" and file), "")
