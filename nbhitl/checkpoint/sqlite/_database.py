"""One SQLite connection: transactions, a lock, and errors that say what to do.

Steps may wait a moment to be written together (`_group.py`). They are written with whatever else is done on the
connection next, before it, in the same transaction; so nothing that is read or written here comes before them.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import suppress
from threading import RLock
from time import monotonic
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._background import WRITER
from nbhitl.checkpoint._row_store import Tally
from nbhitl.checkpoint.sqlite import queries
from nbhitl.checkpoint.sqlite._changed_rows import forget, numbers, teach, was_noted
from nbhitl.checkpoint.sqlite._errors import store_error
from nbhitl.checkpoint.sqlite._group import threads_of
from nbhitl.checkpoint.sqlite._layout import check_rows, keep_log_long, lay_out
from nbhitl.checkpoint.sqlite._log import Log
from nbhitl.checkpoint.sqlite._migration import migrate, version
from nbhitl.checkpoint.sqlite._shown import show_checkpoints
from nbhitl.checkpoint.sqlite._transaction import Transaction
from nbhitl.checkpoint.sqlite._waiting import Waiting
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from contextlib import AbstractContextManager

    from nbhitl.checkpoint.sqlite._group import Values

_ERRORS = (sqlite3.Error, UnicodeError, OverflowError)


class Database:
    """A connection that any thread may use, one at a time.

    Args:
        conn: made with `check_same_thread=False` if more than one thread shall use it.
        name: how errors call it.
        file: where it is, so that steps may wait: whoever writes them behind the caller's back opens it once more.
    """

    conn: sqlite3.Connection
    is_far = False
    take_and_answer = ""
    # Whether questions may hold pending writes, so that it is worth a try to answer there.
    keeps_beside = True
    tables: Any = queries  # which tables to make, and where their version is written

    def __init__(self, conn: sqlite3.Connection | None, name: str, file: str = "") -> None:
        self.given: Any = conn
        if conn is not None:
            self.conn = conn
        self.name = name
        self.waiting = Waiting(file)
        self._log = Log(self.waiting.opened)
        self._group = self.waiting.group
        self._lock = RLock()
        self.held: AbstractContextManager[object] = self._lock
        self._ready = False
        # How many rows this object has changed, and what the connection's count was when its transaction began.
        self._own = self._own_before = self._failed = 0
        self._is_open = False  # whether a transaction was begun here

    def atomic(self, threads: tuple[str, ...] = (), rewriting: bool = False) -> Transaction:
        """Return a transaction; SQLite lets one write at a time, whatever the thread."""
        return Transaction(self, threads)

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""
        with self._lock:
            try:
                if self._group.rows:
                    self.write_waiting()
                elif not self._ready:
                    self.setup()
                return self.conn.execute(sql, values).fetchall()
            except _ERRORS as error:
                raise self.failure(error, sql, values) from error

    def one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first row of a query, or None."""
        with self._lock:
            try:
                if self._group.rows:
                    self.write_waiting()
                elif not self._ready:
                    self.setup()
                return self.conn.execute(sql, values).fetchone()
            except _ERRORS as error:
                raise self.failure(error, sql, values) from error

    def change_mark(self, thread: str) -> tuple[int, int, int] | None:
        """Return what any change but this object's own commits makes different; None within a transaction."""
        conn = self.conn
        with self._lock:
            try:
                if self._group.rows:
                    self.write_waiting()
                elif not self._ready:
                    self.setup()
                if self._is_open:
                    self.end_left_over()
                if conn.in_transaction:
                    return None
                by_others: int = conn.execute(queries.DATA_VERSION).fetchone()[0]
                return by_others, conn.total_changes - self._own, self._failed
            except _ERRORS as error:
                raise self.failure(error, threads=(thread,)) from error

    def own_mark(self, thread: str) -> tuple[int, int] | None:
        """Return the part of `change_mark` that tells of changes on this connection, without asking the file."""
        with self._lock:
            try:
                if self._is_open:
                    self.end_left_over()
                own = self.conn.total_changes - self._own, self._failed
                return None if self.conn.in_transaction else own
            except _ERRORS as error:
                raise self.failure(error, threads=(thread,)) from error

    def knows_quiet(self, thread: str) -> bool:
        """Whether this transaction has found out that no question of the thread is live."""
        return thread in self.waiting.quiet

    def brings(self, step: Values) -> bool:
        """Whether this transaction adds that step; not all of which it does need be known here."""
        carried = self.waiting.carried
        return bool(carried) and carried[-1][:3] == step

    def each(self, statements: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Any]]:
        """Return the rows of each query."""
        return [self.all(sql, values) for sql, values in statements]

    def do(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Change something, within a transaction."""
        try:
            self.conn.execute(sql, values)
        except _ERRORS as error:
            raise self.failure(error, sql, values) from error

    def do_alone(self, sql: str, values: Sequence[Any], number: int) -> bool:
        """Change something in a transaction of its own; return whether it has noted `number`, one of its values."""
        conn = self.conn
        with self._lock:
            try:
                if not self._ready:
                    self.setup()
                if self._group.rows:
                    with self.atomic():
                        conn.execute(sql, values)
                    return was_noted(number)
                if self._is_open:
                    self.end_left_over()
                if conn.in_transaction:
                    raise self.failure(sqlite3.OperationalError("the connection is within a transaction"))
                before = conn.total_changes
                conn.execute(sql, values)
                self._own += conn.total_changes - before
                return was_noted(number)
            except BaseException as error:
                forget(number)
                if isinstance(error, _ERRORS):
                    raise self.failure(error, sql, values) from error
                raise

    def insert_if_quiet(self, row: Values) -> bool:
        """Add a step; see `RowStore.insert_if_quiet`."""
        number = next(numbers)
        return self.do_alone(queries.INSERT_IF_QUIET, (*row, number), number)

    def insert_lazily(self, row: Values) -> bool:
        """Add a step, now or a moment later together with those that follow it; see `RowStore.insert_if_quiet`."""
        now = monotonic()
        if self.waiting.may_take(row, now) and self._wait(row, now):
            return True
        added = self.insert_if_quiet(row)
        self.waiting.saved(row, monotonic())
        return added

    def _wait(self, row: Values, now: float) -> bool:
        waiting = self.waiting
        with self._lock:
            try:
                if self.conn.in_transaction or not (self._group.rows or self._first_waits()):
                    return False
            except _ERRORS as error:
                raise self.failure(error, rows=(row,)) from error
            if waiting.take(row, now):
                self.write_waiting()
                waiting.saved(row, monotonic())
        return True

    def _first_waits(self) -> bool:
        if not self._ready:
            self.setup()
        return self.waiting.begin(self.conn, self)

    def write_waiting(self) -> None:
        """Write the steps that wait.

        Raises:
            StoreError: they cannot be written; they wait on, for the next call.
        """
        with self._lock:
            if self._group.rows:
                with self.atomic():
                    pass

    def do_counted(self, sql: str, values: Sequence[Any] = ()) -> Tally:
        """Change something, within a transaction; return how many rows were changed."""
        try:
            return Tally(self.conn.execute(sql, values).rowcount)
        except _ERRORS as error:
            raise self.failure(error, sql, values) from error

    def do_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        """Change something for each of the rows, within a transaction."""
        try:
            self.conn.executemany(sql, rows)
        except _ERRORS as error:
            raise self.failure(error, sql, next(iter(rows), ())) from error

    def begin(self, threads: Sequence[str] = ()) -> None:
        """Take the lock and the right to write, waiting for other processes; errors name the first of `threads`."""
        with self._lock:  # Ctrl-C cannot come between taking it here and giving it back
            try:
                if not self._ready:
                    self.setup()
                if self._is_open:
                    self.end_left_over()
                conn = self.conn
                if conn.in_transaction:
                    raise sqlite3.OperationalError("cannot start a transaction within a transaction")
                self._is_open = True
                self._lock.acquire()  # once more, until the transaction ends
                conn.execute("BEGIN IMMEDIATE")
                self._own_before = conn.total_changes
                if self._group.rows:
                    self.waiting.carry(conn)
            except BaseException as error:
                if self._is_open:
                    self.end_left_over()
                if isinstance(error, _ERRORS):
                    raise self.failure(error, rows=self._group.rows, threads=threads) from error
                raise

    def end_own_left_over(self) -> None:
        """As `end_left_over`, if no other thread holds the lock."""
        if self._lock.acquire(blocking=False):
            self.end_left_over()
            self._lock.release()

    def end_left_over(self) -> None:
        """Undo a transaction that Ctrl-C has left open, or that failed to begin; the caller holds the lock.

        There is one if it is open while its thread does something else: transactions are not nested.
        """
        if self._is_open:
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")
            self.waiting.undone()
            self._failed += 1
            self._is_open = False
            self._lock.release()

    def end(self, *, commit: bool, threads: Sequence[str] = ()) -> None:
        """End the transaction, and give the lock back; errors name the first of `threads`."""
        conn, waiting = self.conn, self.waiting
        try:
            conn.execute("COMMIT" if commit else "ROLLBACK")
            if commit:
                if waiting.carried:
                    waiting.committed()
                self._own += conn.total_changes - self._own_before
        except BaseException as error:
            if self._in_use():
                conn.execute("ROLLBACK")
            if not isinstance(error, _ERRORS):  # Ctrl-C
                raise
            if commit:
                raise self.failure(error, rows=waiting.carried, threads=threads) from error
        finally:
            if waiting.carried:
                waiting.undone()
            self._is_open = False
            self._lock.release()

    def write_behind(self, now: float) -> None:
        """In the background: write the steps that have waited for too long, unless the connection is in use."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            # A failure is not lost: the steps wait on, and the next call on the saver meets it again.
            with suppress(*_ERRORS):
                if not self._in_use() and self.waiting.write_behind(now):
                    WRITER.leave(self)
        finally:
            self._lock.release()

    def bring_log_home(self) -> None:
        """In the background: bring the file's log home, if that is worth it. SQLite does it itself if this fails."""
        with suppress(*_ERRORS):
            self._log.bring_home(self.conn)

    def close(self) -> None:
        """Close the connection; afterwards nobody has the file open for it."""
        with self._log.held:
            self.conn.close()

    def write_at_exit(self, patience: float) -> None:
        """Write the steps that wait before the process ends.

        Raises:
            StoreError: they cannot be written.
        """
        if not self._lock.acquire(timeout=patience):
            raise self.failure(sqlite3.OperationalError("a thread keeps it locked"), rows=self._group.rows)
        try:
            self.write_waiting()
        except StoreError as failed:  # the connection may have been closed: another one will do
            try:
                written = self.waiting.write_behind(math.inf, patience=patience)
            except _ERRORS:
                written = False
            if not written:
                raise failed from None
        finally:
            self._lock.release()

    def _in_use(self) -> bool:
        try:
            return self.conn.in_transaction
        except sqlite3.ProgrammingError:  # it was closed meanwhile
            return False

    def forget_waiting(self) -> None:
        """In a forked process: what waits is the parent's to write, and so is the lock."""
        self._lock = self.held = RLock()
        self._failed += 1
        self._is_open = False
        self.waiting.forget()

    @property
    def is_setup(self) -> bool:
        """Whether the tables are known to be there."""
        return self._ready

    def setup(self) -> None:
        """Make the tables, or bring them up to date. Done by itself at the first use.

        Raises:
            NewerStore: a newer nbhitl has written this store.
            StoreError: SQLite cannot open it.
        """
        with self._lock:
            if self._ready:
                return
            try:
                check_rows(self.conn)
                if version(self.conn, self.tables, self.name) != len(self.tables.MIGRATIONS):
                    lay_out(self.conn)
                    migrate(self.conn, self.tables, self.name)
                keep_log_long(self.conn)
                teach(self.conn)
                if self.tables is queries:
                    show_checkpoints(self)
            except _ERRORS as error:
                raise self.failure(error) from error
            self._ready = True

    def failure(
        self,
        error: Exception,
        sql: str = "",
        values: Sequence[Any] = (),
        rows: Sequence[Values] = (),
        threads: Sequence[str] = (),
    ) -> StoreError:
        """Return the error that says which store and thread it was and what to do.

        Args:
            error: what SQLite says.
            sql: the statement that failed.
            values: what it binds.
            rows: steps that are not written.
            threads: what the transaction is about, if it is one that failed as a whole.
        """
        if rows:
            waiting = ", ".join(map(repr, threads_of(rows)[:3]))
            return store_error(f"{self.name}, thread {waiting}, {len(rows)} steps not saved yet", error)
        thread = _sql.thread_of(sql, values) or next(iter(threads), None)
        return store_error(self.name if thread is None else f"{self.name}, thread {thread!r}", error)
