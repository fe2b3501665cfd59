"""The connection of an `AsyncSqliteSaver` that opened its file itself, with methods to await, as aiosqlite's has them.

Programs set PRAGMAs with it and keep tables of their own in the file: `await saver.conn.execute(...)`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence

T = TypeVar("T")


class AwaitedConnection:
    """A connection whose work is done by `run` in the saver's thread; each statement is committed by itself.

    Args:
        conn: the connection behind it.
        run: takes a function and awaits what it returns, called when no one else uses the connection.
    """

    def __init__(self, conn: sqlite3.Connection, run: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        self._conn, self._run = conn, run

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> Answered[AwaitedCursor]:
        """Return a cursor with all rows of a statement; await it, or use it as `async with`."""
        return self._answered(partial(self._conn.execute, sql, tuple(parameters)))

    def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Answered[AwaitedCursor]:
        """As `execute`, once for each of the parameters."""
        return self._answered(partial(self._conn.executemany, sql, [tuple(each) for each in parameters]))

    def executescript(self, script: str) -> Answered[AwaitedCursor]:
        """As `execute`, for several statements with semicolons between them."""
        return self._answered(partial(self._conn.executescript, script))

    async def execute_fetchall(self, sql: str, parameters: Iterable[Any] = ()) -> list[Any]:
        """Return all rows of a statement."""
        return await (await self.execute(sql, parameters)).fetchall()

    async def commit(self) -> None:
        """Commit what a `BEGIN` of the program's own began; without one nothing is left to do."""
        await self._run(self._conn.commit)

    async def rollback(self) -> None:
        """Take back what was done since a `BEGIN` of the program's own."""
        await self._run(self._conn.rollback)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._conn.in_transaction

    @property
    def total_changes(self) -> int:
        """How many rows the connection has changed."""
        return self._conn.total_changes

    def cursor(self) -> Answered[AwaitedCursor]:
        """Return a cursor for statements of its own; await it, or use it as `async with`."""

        async def unused() -> AwaitedCursor:
            return AwaitedCursor(self)

        return Answered(unused)

    def _answered(self, statement: Callable[[], sqlite3.Cursor]) -> Answered[AwaitedCursor]:
        async def executed() -> AwaitedCursor:
            cursor = AwaitedCursor(self)
            await self._run(lambda: cursor.hold(statement()))
            return cursor

        return Answered(executed)


class AwaitedCursor:
    """The rows of its last statement, all of them read; what executes and what fetches is awaited."""

    def __init__(self, connection: AwaitedConnection) -> None:
        self.connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Any] = []
        self._next = 0

    def hold(self, cursor: sqlite3.Cursor) -> None:
        """Take all that `cursor` has, and close it."""
        self.description, self.rowcount, self.lastrowid = (
            cursor.description,
            cursor.rowcount,
            cursor.lastrowid,
        )
        self._rows = cursor.fetchall() if cursor.description else []
        self._next = 0
        cursor.close()

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> AwaitedCursor:
        """Hold the rows of a statement instead; return the cursor."""
        return self._took(await self.connection.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> AwaitedCursor:
        """As `execute`, once for each of the parameters."""
        return self._took(await self.connection.executemany(sql, parameters))

    async def executescript(self, script: str) -> AwaitedCursor:
        """As `execute`, for several statements with semicolons between them."""
        return self._took(await self.connection.executescript(script))

    def _took(self, other: AwaitedCursor) -> AwaitedCursor:
        self.description, self.rowcount, self.lastrowid = other.description, other.rowcount, other.lastrowid
        self._rows, self._next = other._rows, 0
        return self

    async def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        return next(iter(self._taken(1)), None)

    async def fetchmany(self, size: int = 1) -> list[Any]:
        """Return the next rows, at most `size`."""
        return list(self._taken(size))

    async def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return list(self._taken(len(self._rows)))

    async def close(self) -> None:
        """Forget the rows."""
        self._rows = []

    def __aiter__(self) -> AwaitedCursor:
        return self

    async def __anext__(self) -> Any:
        for row in self._taken(1):
            return row
        raise StopAsyncIteration

    def _taken(self, number: int) -> Sequence[Any]:
        rows = self._rows[self._next : self._next + number]
        self._next += len(rows)
        return rows


class Answered(Generic[T]):
    """What `make` returns, awaited with `await`, or at the beginning of an `async with` block that then closes it."""

    def __init__(self, make: Callable[[], Awaitable[T]]) -> None:
        self._make = make
        self._made: Any = None

    def __await__(self) -> Generator[Any, Any, T]:
        return self._make().__await__()

    async def __aenter__(self) -> T:
        self._made = made = await self._make()
        return made

    async def __aexit__(self, *_: object) -> None:
        await self._made.close()
