"""One SQLite connection: transactions, a lock, and errors that say what to do. Knows nothing of steps."""

from __future__ import annotations

import sqlite3
import time
from threading import RLock
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.sqlite import queries
from nbhitl.errors import NewerStore, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

_ERRORS = (sqlite3.Error, UnicodeError, OverflowError)

Params = "Sequence[Any] | dict[str, Any]"


class Transaction:
    """Begins, and commits or rolls back; holds the database's lock meanwhile."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.end(commit=kind is None)


class Database:
    """A connection that any thread may use, one at a time.

    Args:
        conn: made with `check_same_thread=False` if more than one thread shall use it.
        name: how errors call it.
    """

    def __init__(self, conn: sqlite3.Connection, name: str) -> None:
        self.conn = conn
        self.name = name
        self.transaction = Transaction(self)
        self._lock = RLock()
        self._ready = False

    def all(self, sql: str, values: Params = ()) -> list[Any]:
        """Return the rows of a query."""
        with self._lock:
            try:
                self._ready or self.setup()
                return self.conn.execute(sql, values).fetchall()
            except _ERRORS as error:
                raise self.failure(error) from error

    def one(self, sql: str, values: Params = ()) -> Any:
        """Return the first row of a query, or None."""
        with self._lock:
            try:
                self._ready or self.setup()
                return self.conn.execute(sql, values).fetchone()
            except _ERRORS as error:
                raise self.failure(error) from error

    def do(self, sql: str, values: Params = ()) -> None:
        """Change something, within a transaction."""
        try:
            self.conn.execute(sql, values)
        except _ERRORS as error:
            raise self.failure(error) from error

    def do_alone(self, sql: str, values: Params = ()) -> int:
        """Change something in a transaction of its own; return how many rows were changed."""
        with self._lock:
            try:
                self._ready or self.setup()
                if self.conn.isolation_level is not None:  # a connection that does not commit by itself
                    return self._do_and_commit(sql, values)
                if self.conn.in_transaction:
                    raise self.failure(sqlite3.OperationalError("the connection is within a transaction"))
                return self.conn.execute(sql, values).rowcount
            except _ERRORS as error:
                raise self.failure(error) from error

    def _do_and_commit(self, sql: str, values: Params) -> int:
        with self.transaction:
            return self.conn.execute(sql, values).rowcount

    def do_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change something for each of the rows, within a transaction."""
        try:
            self.conn.executemany(sql, rows)
        except _ERRORS as error:
            raise self.failure(error) from error

    def begin(self) -> None:
        """Take the lock and the right to write, waiting for other processes."""
        self._lock.acquire()
        try:
            self._ready or self.setup()
            self.conn.execute("BEGIN IMMEDIATE")
        except BaseException as error:
            self._lock.release()
            if isinstance(error, _ERRORS):
                raise self.failure(error) from error
            raise

    def end(self, *, commit: bool) -> None:
        """End the transaction, and give the lock back."""
        try:
            self.conn.execute("COMMIT" if commit else "ROLLBACK")
        except _ERRORS as error:
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")
            if commit:
                raise self.failure(error) from error
        finally:
            self._lock.release()

    def setup(self) -> None:
        """Make the tables, or bring them up to date. Done by itself at the first use; doing it again is harmless.

        Raises:
            NewerStore: a newer nbhitl has written this store.
            StoreError: SQLite cannot open it.
        """
        with self._lock:
            if self._ready:
                return
            try:
                if self._version() != len(queries.MIGRATIONS):
                    self._use_wal()
                    self._migrate()
            except _ERRORS as error:
                raise self.failure(error) from error
            self._ready = True

    def _version(self) -> int:
        """The version of the tables; 0 before there are any."""
        if self.conn.execute(queries.SCHEMA_EXISTS).fetchone() is None:
            return 0
        version: int = self.conn.execute(queries.READ_VERSION).fetchone()[0] or 0
        known = len(queries.MIGRATIONS)
        if version > known:
            raise NewerStore(
                f"{self.name} was written by a newer nbhitl (its tables have version {version}, this nbhitl knows "
                f"{known}). Upgrade nbhitl, or use another file."
            )
        return version

    def _migrate(self) -> None:
        self.conn.execute("BEGIN IMMEDIATE")
        try:
            done = self._version()  # read again: another process may have been faster
            if done < len(queries.MIGRATIONS):
                self.conn.execute(queries.CREATE_SCHEMA)
                for script in queries.MIGRATIONS[done:]:
                    for statement in script.split(";"):
                        if statement.strip():
                            self.conn.execute(statement)
                self.conn.execute(queries.WRITE_VERSION, (len(queries.MIGRATIONS),))
            self.conn.execute("COMMIT")
        except BaseException:
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")
            raise

    def _use_wal(self) -> None:
        """Let readers and one writer work at once. SQLite does not wait by itself for its turn to switch."""
        patience = time.monotonic() + 10
        while True:
            try:
                self.conn.execute("PRAGMA journal_mode = WAL").fetchone()
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > patience:
                    raise
                time.sleep(0.01)

    def failure(self, error: Exception) -> StoreError:
        """Return the error that says which store it was and what to do."""
        return StoreError(f"{self.name}: {error}. {_advice(error)}")


def _advice(error: Exception) -> str:
    text = str(error)
    if "same thread" in text or "created in a thread" in text:
        return "Open it with sqlite3.connect(path, check_same_thread=False), or use SqliteSaver.from_conn_string(path)."
    if "locked" in text:
        return (
            "Another process has been writing for too long; end it, or open the file with a longer timeout=."
        )
    if "within a transaction" in text:
        return "Commit or roll back your own transaction first, or give the saver a connection of its own."
    if "closed database" in text:
        return "Use the saver inside its `with` block, or keep its connection open."
    if "UNIQUE" in text:
        return "A checkpoint of this id is there already; ids must be fresh."
    if "malformed" in text or "not a database" in text:
        return "The file is damaged or of another kind; restore it from a copy, or use another file."
    if "full" in text or "disk" in text:
        return "Make room on the disk and check that the folder can be written to."
    if "readonly" in text or "unable to open" in text:
        return "Check that the folder exists and that the file can be written to."
    if isinstance(error, (UnicodeError, OverflowError)):
        return "Thread ids, namespaces and node names must be text that UTF-8 can hold."
    return "Check the file and its folder."


Work = "Callable[[], Any]"
