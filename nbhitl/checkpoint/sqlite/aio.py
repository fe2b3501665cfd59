"""The SQLite saver for asyncio: the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from nbhitl.checkpoint._opening import closed_if_it_fails, opened_aside
from nbhitl.checkpoint.sqlite import connect, opened, refuse_path
from nbhitl.checkpoint.sqlite._awaited import AwaitedConnection
from nbhitl.checkpoint.sqlite._lent import LentDatabase
from nbhitl.checkpoint.sqlite._saver import WaitingSaver
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nbhitl.checkpoint.serde import SerializerProtocol
    from nbhitl.checkpoint.sqlite._database import Database

__all__ = ["AsyncSqliteSaver"]

P = ParamSpec("P")
T = TypeVar("T")


class AsyncSqliteSaver(WaitingSaver):
    """Keeps threads in a SQLite database; async methods work on a thread of the saver's own.

    The sync methods work too, from any thread: nodes that are plain functions, and graphs that they call, use
    them. Only a saver that was given an aiosqlite connection cannot be called in a sync way by the very
    thread that runs the event loop.

    Args:
        conn: an aiosqlite connection, or one of sqlite3's made with `check_same_thread=False`. The caller
            closes it.
        serde: turns values into bytes and back; see `SqliteSaver`.
    """

    def __init__(self, conn: Any, *, serde: SerializerProtocol | None = None) -> None:
        refuse_path(conn, "AsyncSqliteSaver", "async with")
        self._worker: ThreadPoolExecutor | None = None
        self._connection = conn
        self._is_closed = False
        self.lock = asyncio.Lock()  # for programs that use `conn`; the saver does not need it
        database: Database
        if isinstance(conn, sqlite3.Connection):
            database = opened(conn)
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="nbhitl-sqlite")
        else:
            database = LentDatabase(conn)
        super().__init__(database, serde)

    @property
    def conn(self) -> Any:
        """The connection that the saver was given; of one made by `from_conn_string`, with methods to await."""
        return self._connection

    @classmethod
    @asynccontextmanager
    async def from_conn_string(cls, conn_string: str) -> AsyncIterator[AsyncSqliteSaver]:
        """Open a file (or `:memory:`) and close it at the end of the `async with` block.

        Raises:
            StoreError: SQLite cannot open it.
        """
        conn = await opened_aside(connect, conn_string)
        with closed_if_it_fails(conn):
            saver = cls(conn)
        saver._connection = AwaitedConnection(conn, saver._alone)
        try:
            yield saver
        finally:
            await saver._close()

    async def _alone(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, called while no one else uses the connection, and after what waits is written."""

        def alone() -> T:
            with self._database.held:
                self.flush()
                return call()

        return await self._run(alone)

    async def _close(self) -> None:
        """Wait for what is being saved, then close the file."""
        await asyncio.shield(self._run(self._written_and_closed))
        self._is_closed = True
        if self._worker is not None:
            self._worker.shutdown(wait=True)

    def _written_and_closed(self) -> None:
        try:
            self.flush()
        finally:
            self._database.close()

    @property
    def is_setup(self) -> bool:
        """Whether the tables are known to be there; the first use makes them."""
        return self._database.is_setup

    async def setup(self) -> None:
        """Make the tables; done at the first use anyway.

        Raises:
            NewerStore: a newer nbhitl has written this file.
        """
        await self._run(self._database.setup)

    async def _run(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._is_closed:
            raise StoreError(
                f"{self._database.name}: its `async with` block has ended, which closed it. Use the saver, and graphs "
                "compiled with it, inside of the block."
            )
        call = partial(method, *args, **kwargs)
        if self._worker is None:
            return cast("T", await cast("LentDatabase", self._database).run(call))
        return await asyncio.get_running_loop().run_in_executor(self._worker, call)
