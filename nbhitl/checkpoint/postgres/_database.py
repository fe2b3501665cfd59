"""PostgreSQL as a database of rows: transactions, locks, migrations, and steps that wait to be sent with others."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import psycopg

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._row_store import Tally
from nbhitl.checkpoint.postgres import queries
from nbhitl.checkpoint.postgres._errors import store_error
from nbhitl.checkpoint.postgres._waiting import Waiting, writing

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from nbhitl.checkpoint.postgres._batch import Answer, Statement
    from nbhitl.checkpoint.postgres._links import Link
    from nbhitl.errors import StoreError

_ERRORS = (psycopg.Error, UnicodeError, OverflowError)
_COMMIT: Statement = ("COMMIT", ())
_ROLLBACK: Statement = ("ROLLBACK", ())
_MOST_GATHERED = 500


class Database:
    """Connections to a PostgreSQL database, for any number of threads.

    Args:
        link: lends the connections.
    """

    held: AbstractContextManager[object] = nullcontext()
    is_far = True
    take_and_answer = queries.TAKE_AND_ANSWER
    tables: Any = queries  # which tables to make, and where their version is written

    def __init__(self, link: Link) -> None:
        self.link = link
        self.waiting = Waiting(self)
        self._own = threading.local()
        self._ready = False

    @property
    def name(self) -> str:
        """How errors call the store."""
        return self.link.name

    def atomic(self, threads: tuple[str, ...], rewriting: bool) -> Transaction:
        """Return a transaction that holds these threads; see `RowStore.atomic`."""
        self._end_left_over()
        self.be_ready()
        locks: list[Statement] = [(queries.LOCK_THREAD, (thread,)) for thread in sorted(set(threads))]
        if rewriting:
            locks += [(queries.HOLD_STEPS, (thread,)) for thread in sorted(set(threads))]
        return Transaction(self, [(queries.BEGIN, ()), *locks], threads)

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""
        return self._read((sql, values))[0].rows

    def one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first row of a query, or None."""
        rows = self._read((sql, values))[0].rows
        return rows[0] if rows else None

    def each(self, statements: Sequence[Statement]) -> list[list[Any]]:
        """Return the rows of each query, asked in one go."""
        return [answer.rows for answer in self._read(*statements)] if statements else []

    def change_mark(self, thread: str) -> None:
        """Unknown: to find out would take as long as to read again."""
        self._end_left_over()

    def _end_left_over(self) -> None:
        """Undo a transaction of this thread that Ctrl-C has kept from ending: none is begun, and no newest step is
        asked for, within another.
        """
        left: Transaction | None = getattr(self._own, "transaction", None)
        if left is not None:
            left.undo()

    def knows_quiet(self, thread: str) -> bool:
        """It does not: a transaction begins with what it does."""
        return False

    def do(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Change something, within a transaction."""
        self.now.gather([(sql, values)])

    def do_counted(self, sql: str, values: Sequence[Any] = ()) -> Tally:
        """Change something, within a transaction; return how many rows that will have changed at its end."""
        tally = Tally()
        self.now.count((sql, values), tally)
        return tally

    def do_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        """Change something for each of the rows, within a transaction."""
        self.now.gather([(sql, values) for values in rows])

    def insert_if_quiet(self, row: tuple[Any, ...]) -> bool:
        """Add a step; see `RowStore.insert_if_quiet`."""
        return self._do_alone(queries.INSERT_IF_QUIET, row) == 1

    def insert_lazily(self, row: tuple[Any, ...]) -> bool:
        """Add a step that need not be on the server's disk yet; see `RowStore.insert_if_quiet`."""
        if self._ready and self.waiting.take(row):
            return True
        return self._do_alone(queries.INSERT_LAZILY, row) == 1

    def _do_alone(self, sql: str, row: tuple[Any, ...]) -> int:
        """Add a step in a transaction of its own; return how many rows were changed."""
        self.be_ready()
        self.waiting.tell_lost(row[:1])
        return self._alone((sql, row), again=False, carrying=row[:1])[0].changed

    @property
    def now(self) -> Transaction:
        """The transaction of the thread that calls."""
        transaction: Transaction = self._own.transaction
        return transaction

    @now.setter
    def now(self, transaction: Transaction | None) -> None:
        self._own.transaction = transaction

    def _read(self, *statements: Statement) -> list[Answer]:
        transaction: Transaction | None = getattr(self._own, "transaction", None)
        if transaction is not None:
            return transaction.send(*statements)
        self.be_ready()
        self.waiting.write_now()
        return self._alone(*statements, again=self.link.renews)

    def _alone(self, *statements: Statement, again: bool, carrying: Sequence[str] = ()) -> list[Answer]:
        """Send statements, after the steps of the threads `carrying` that wait; once more if the connection turns out
        to be lost and `again`.
        """
        conn, rows = self.borrow(), []
        try:
            rows = self.waiting.leave(carrying)
            return self.link.exchange(conn, [*writing(rows), *statements], len(statements))
        except BaseException as error:
            self.waiting.put_back(rows)
            if not isinstance(error, _ERRORS):
                raise
            if not (again and conn.closed):
                raise self.failure(error, conn, _sql.thread_of(*statements[0])) from error
        finally:
            self.link.give_back(conn)
        return self._alone(*statements, again=False, carrying=carrying)

    def close(self) -> None:
        """Write the steps that wait, and close the saver's own connection.

        Raises:
            StoreError: they cannot be written.
        """
        try:
            self.waiting.write_now()
        finally:
            self.link.close()

    def borrow(self) -> Any:
        """Return a connection for the thread that calls; `link.give_back` ends it."""
        try:
            return self.link.borrow()
        except _ERRORS as error:
            raise self.failure(error) from error

    def failure(self, error: BaseException, conn: Any = None, thread: str | None = None) -> StoreError:
        """Return the error that says which store and thread it was and what to do."""
        return store_error(self.link.name, error, thread, lost=conn is not None and conn.closed)

    def be_ready(self) -> None:
        """Make the tables at the first use."""
        if not self._ready:
            self.setup()

    def setup(self) -> None:
        """Make the tables, or bring them up to date.

        Raises:
            NewerStore: a newer nbhitl has written this store.
            StoreError: the database cannot be reached, or this role may not make tables.
        """
        if self._version() < len(self.tables.MIGRATIONS):
            with Transaction(self, [(queries.BEGIN, ()), (queries.LOCK_SETUP, ())]):
                self._migrate(self.now)
        self._ready = True

    def _migrate(self, transaction: Transaction) -> None:
        done = self._version()  # read again: another process may have been faster
        if done == len(self.tables.MIGRATIONS):
            return
        scripts = [self.tables.CREATE_SCHEMA, *self.tables.MIGRATIONS[done:]]
        transaction.gather([(part, ()) for script in scripts for part in _sql.parts(script)])
        transaction.gather([(self.tables.WRITE_VERSION, (len(self.tables.MIGRATIONS),))])

    def _version(self) -> int:
        """The version of the tables; 0 before there are any."""
        if not self._look(self.tables.SCHEMA_EXISTS):
            return 0
        version: int = self._look(self.tables.READ_VERSION) or 0
        _sql.refuse_newer(self.link.name, version, len(self.tables.MIGRATIONS))
        return version

    def _look(self, sql: str) -> Any:
        transaction: Transaction | None = getattr(self._own, "transaction", None)
        statement: Statement = (sql, ())
        if transaction is not None:
            return transaction.send(statement)[0].rows[0][0]
        return self._alone(statement, again=self.link.renews)[0].rows[0][0]


class Transaction:
    """Begins with the first query, and commits or rolls back at the end.

    What only changes something is gathered, and sent in one go with the next query or the end.

    Args:
        first: the statements with which it begins.
        threads: what it is about; their steps that wait are written with it.
    """

    __slots__ = ("_begun", "_carried", "_conn", "_database", "_gathered", "_problem", "_tallies", "_threads")

    def __init__(self, database: Database, first: list[Statement], threads: Sequence[str] = ()) -> None:
        self._database = database
        self._gathered = first
        self._threads = threads
        self._carried: list[tuple[Any, ...]] = []
        self._begun = False
        self._tallies: list[tuple[int, Tally]] = []
        self._problem: StoreError | None = None
        self._conn: Any = None

    def __enter__(self) -> None:
        database = self._database
        database.waiting.tell_lost(self._threads)
        self._conn = database.borrow()
        try:
            self._carried = database.waiting.leave(self._threads)
            self._gathered += writing(self._carried)
            database.now = self
        except BaseException:  # Ctrl-C
            database.waiting.put_back(self._carried)
            self._give_back()
            raise

    def gather(self, statements: list[Statement]) -> None:
        """Send these statements later."""
        self._gathered += statements
        if len(self._gathered) > _MOST_GATHERED:
            self.send(self._gathered.pop())

    def count(self, statement: Statement, tally: Tally) -> None:
        """Send a statement later, and note then how many rows it changed."""
        self._tallies.append((len(self._gathered), tally))
        self._gathered.append(statement)

    def send(self, *statements: Statement) -> list[Answer]:
        """Send what was gathered and these statements; return what each of these gave."""
        return self._send([*self._gathered, *statements], len(statements))

    def _commit(self) -> None:
        """What is sent in one go is a transaction, without BEGIN and COMMIT."""
        if self._begun or len(self._gathered) == 1 or not self._database.link.is_own:
            self.send(_COMMIT)
        else:
            self._send(self._gathered, 1, whole=True)

    def _send(self, batch: list[Statement], wanted: int, *, whole: bool = False) -> list[Answer]:
        tallies, left_out = self._tallies, int(whole)
        self._gathered, self._tallies = [], []
        try:
            found = len(batch) - left_out if tallies else wanted
            answers = self._exchange(batch[left_out:], found, whole=whole)
        except _ERRORS as error:
            self._problem = self._database.failure(error, self._conn, *self._threads[:1])
            raise self._problem from error
        for place, tally in tallies:
            tally.changed = answers[place - left_out].changed
        return answers[-wanted:]

    def _exchange(self, batch: list[Statement], wanted: int, *, whole: bool) -> list[Answer]:
        """Nothing has been committed before the end: what a lost connection took along can begin anew."""
        link = self._database.link
        first, self._begun = not self._begun, not whole
        try:
            return link.exchange(self._conn, batch, wanted)
        except _ERRORS:
            ends = whole or batch[-1] is _COMMIT
            if not (first and self._conn.closed and link.renews and not ends):
                raise
        self._give_back()
        self._conn = self._database.borrow()
        return link.exchange(self._conn, batch, wanted)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._problem is not None:
                raise self._problem
            if kind is None:
                self._commit()
                self._begun, self._carried = False, []
        finally:
            self.undo()

    def undo(self) -> None:
        """Undo what is not committed, and give the connection back."""
        self._database.waiting.put_back(self._carried)
        self._carried = []
        if self._begun:
            self._roll_back()
        self._database.now = None
        self._give_back()

    def _roll_back(self) -> None:
        if self._conn is None or self._conn.closed:
            return
        try:
            self._database.link.exchange(self._conn, [_ROLLBACK])
        except psycopg.Error:  # a transaction ends with its connection
            self._database.link.end(self._conn)

    def _give_back(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            self._database.link.give_back(conn)
