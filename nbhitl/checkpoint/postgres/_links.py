"""Connections to PostgreSQL: somebody else's or the saver's own, one or a pool, sync or of an event loop.

A link lends a connection to one thread at a time and sends statements, those that belong together in one go.
"""

from __future__ import annotations

import asyncio
import select
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.rows import tuple_row

from nbhitl.checkpoint.postgres._batch import Answer, exchanged
from nbhitl.checkpoint.postgres._errors import store_name, store_named_by
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from nbhitl.checkpoint.postgres._batch import Statement

_MOST_ENDED = 64
_MOST_WORKERS = 8


class Link:
    """Connections that block while they wait.

    Args:
        given: a psycopg connection or pool.
    """

    def __init__(self, given: Any) -> None:
        self.given = given
        self.name = _pool_name(given)
        self._named = False
        self._is_pool = hasattr(given, "getconn")
        self._reopen: Callable[[], Any] | None = None
        self._lock = threading.RLock()
        self._is_lent = False

    def borrow(self) -> Any:
        """Return a connection for this thread alone, until it is given back."""
        conn = self._of_pool() if self._is_pool else self._the_one()
        try:
            if self._reopen is not None and has_ended(conn):
                conn = self.given = self._reopen()
            self._look_at(conn)
        except BaseException:
            self.give_back(conn)
            raise
        return conn

    def _the_one(self) -> Any:
        """The only connection. Ctrl-C can keep a thread from giving it back: what that has begun is undone here."""
        self._lock.acquire()
        if not self._is_lent:
            self._is_lent = True
            return self.given
        self._lock.release()  # this thread has it still; the lock counts
        conn = self.given
        if not conn.closed and conn.pgconn.transaction_status != TransactionStatus.IDLE:
            self.exchange(conn, [("ROLLBACK", ())])
        return conn

    def borrow_now(self, patience: float = 0.0) -> Any:
        """As `borrow` of the saver's own connection; None if somebody else uses it for so many seconds or more."""
        if not self._lock.acquire(timeout=patience):
            return None
        try:
            return self.borrow()
        finally:
            self._lock.release()

    def _of_pool(self) -> Any:
        """A connection of the pool that the server has not ended while nobody looked."""
        for _ in range(_MOST_ENDED):
            conn = self._wait(self.given.getconn())
            if not has_ended(conn):
                break
            self._wait(self.given.putconn(conn))  # the pool opens another one in its place
        return conn

    def _look_at(self, conn: Any) -> None:
        if not self._named:
            self.name, self._named = store_name(conn.info), True
        if not conn.closed and not conn.autocommit:
            raise StoreError(
                f"{self.name}: its connection does not commit by itself, and the saver ends its transactions. "
                "Open it with autocommit=True, or use from_conn_string()."
            )

    def give_back(self, conn: Any) -> None:
        """End what `borrow` began."""
        if self._is_pool:
            self._wait(self.given.putconn(conn))
        else:
            self._is_lent = False
            self._lock.release()

    def end(self, conn: Any) -> None:
        """Close a connection of which nobody knows how it is."""
        self._wait(conn.close())

    def own(self, reopen: Callable[[], Any]) -> None:
        """Take notice that the connection is the saver's own: `reopen` opens another in place of one that was lost."""
        self._reopen = reopen

    @property
    def is_own(self) -> bool:
        """Whether the saver has opened the connection: so it reads what was committed meanwhile, and closes it."""
        return self._reopen is not None

    @property
    def renews(self) -> bool:
        """Whether a connection that was lost is replaced by the next `borrow`."""
        return self._is_pool or self._reopen is not None

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take notice of the event loop from which the saver is called."""

    def close(self) -> None:
        """Close the saver's own connection; it is not opened again."""
        self._reopen = None
        self.given.close()

    def exchange(self, conn: Any, batch: Sequence[Statement], wanted: int = 1) -> list[Answer]:
        """Send statements in one go; return what the last ones gave, as many as are `wanted`."""
        with conn.lock:
            if conn.closed or not conn.pgconn.pipeline_status:
                answers: list[Answer] = conn.wait(exchanged(conn, batch, wanted))
                return answers
        with conn.pipeline() as pipe:  # the caller's, which goes on
            cursors = [_cursor(conn, statement) for statement in batch]
            pipe.sync()
        return [_answer(cursor) for cursor in cursors[-wanted:]]

    def _wait(self, result: Any) -> Any:
        return result


def _pool_name(given: Any) -> str:
    """How errors call the store of a pool that has not given a connection yet, if its address is known."""
    address = getattr(given, "conninfo", "")
    return store_named_by(address) if address and isinstance(address, str) else "PostgreSQL store"


def _has_news(socket: int) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def has_ended(conn: Any) -> bool:
    """Whether the connection of somebody who waits for nothing is closed, by the server too.

    So a server's restart, or its patience with those who keep silent for long, is met before anything is sent.
    """
    for _ in range(3):
        if conn.closed or not _has_news(conn.pgconn.socket):
            break
        try:
            conn.pgconn.consume_input()
        except psycopg.OperationalError:
            return True
    return bool(conn.closed)


def _cursor(conn: Any, statement: Statement) -> psycopg.Cursor[Any]:
    """Execute a statement in a cursor of psycopg's plain kind, whatever kinds the connection was told to make."""
    sql, values = statement
    return psycopg.Cursor(conn, row_factory=tuple_row).execute(marked(sql), values or None, binary=True)


def _answer(cursor: psycopg.Cursor[Any]) -> Answer:
    return Answer(cursor.fetchall() if _has_rows(cursor) else [], cursor.rowcount)


def _has_rows(cursor: psycopg.Cursor[Any] | psycopg.AsyncCursor[Any]) -> bool:
    """As `bool(cursor.description)`, which would describe every column."""
    return cursor.pgresult is not None and cursor.pgresult.status == ExecStatus.TUPLES_OK


@lru_cache(maxsize=256)
def marked(sql: str) -> str:
    """Return a statement with psycopg's marks for values."""
    return sql.replace("?", "%s")


class LentLink(Link):
    """Connections that only an event loop may use; other threads wait for what it does for them."""

    def __init__(self, given: Any) -> None:
        super().__init__(given)
        self._loop = _running_loop()

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is None or not self._loop.is_running():
            self._loop = loop

    def exchange(self, conn: Any, batch: Sequence[Statement], wanted: int = 1) -> list[Answer]:
        answers: list[Answer] = self._wait(_exchange(conn, batch, wanted))
        return answers

    def borrow(self) -> Any:
        """Refuse first whoever would wait for itself, or without end."""
        if self._loop is None or not self._loop.is_running():
            raise StoreError(
                f"{self.name}: its connection belongs to an event loop that does not run. "
                "Call the saver's async methods first, or use PostgresSaver."
            )
        if _running_loop() is self._loop:
            raise StoreError(
                f"{self.name}: called in a sync way by the thread that runs its event loop, which would "
                "wait for itself. Use the async way (await once(...), aget_state(), ainvoke()), or give the saver "
                "a sync connection."
            )
        return super().borrow()

    def _wait(self, result: Coroutine[Any, Any, Any]) -> Any:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(result, self._loop).result()


def lent(given: Any) -> tuple[Link, int]:
    """Return the link to somebody's connection or pool, sync or async, and how many threads are worth having for it."""
    is_pool = hasattr(given, "getconn")
    is_async = asyncio.iscoroutinefunction(given.getconn if is_pool else given.execute)
    workers = min(getattr(given, "max_size", 1), _MOST_WORKERS) if is_pool else 1
    return (LentLink(given) if is_async else Link(given)), workers


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _exchange(conn: Any, batch: Sequence[Statement], wanted: int) -> list[Answer]:
    async with conn.lock:
        if conn.closed or not conn.pgconn.pipeline_status:
            answers: list[Answer] = await conn.wait(exchanged(conn, batch, wanted))
            return answers
    async with conn.pipeline() as pipe:
        cursors = [await _acursor(conn, statement) for statement in batch]
        await pipe.sync()
    return [await _aanswer(cursor) for cursor in cursors[-wanted:]]


async def _acursor(conn: Any, statement: Statement) -> psycopg.AsyncCursor[Any]:
    sql, values = statement
    cursor = psycopg.AsyncCursor(conn, row_factory=tuple_row)
    return await cursor.execute(marked(sql), values or None, binary=True)


async def _aanswer(cursor: psycopg.AsyncCursor[Any]) -> Answer:
    return Answer(await cursor.fetchall() if _has_rows(cursor) else [], cursor.rowcount)
