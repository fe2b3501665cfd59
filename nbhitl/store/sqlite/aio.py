"""The SQLite store for asyncio: the event loop never waits for the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._opening import closed_if_it_fails, opened_aside
from nbhitl.checkpoint.sqlite import connect, store_name
from nbhitl.store._swept import AsyncSweptStore
from nbhitl.store.sqlite._database import ItemDatabase, LentItemDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nbhitl.store.base import IndexConfig, TTLConfig

__all__ = ["AsyncSqliteStore"]


class AsyncSqliteStore(AsyncSweptStore):
    """Keeps items in a SQLite database; async methods work on a thread of the store's own.

    The sync methods work too; of a store that was given an aiosqlite connection, from other threads than the one
    that runs the event loop.

    Args:
        conn: an aiosqlite connection, or one of sqlite3's made with `check_same_thread=False`. The caller closes it.
        deserializer: makes an item's value of JSON text.
        index: as for `SqliteStore`; `embed` may be async.
        ttl: how long items are kept; see `nbhitl.store.base.TTLConfig`.
    """

    def __init__(
        self,
        conn: Any,
        *,
        deserializer: Callable[[str], dict[str, Any]] | None = None,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        self._worker: ThreadPoolExecutor | None = None
        self._database: ItemDatabase | LentItemDatabase
        if isinstance(conn, sqlite3.Connection):
            self._database = ItemDatabase(conn, store_name(conn))
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="nbhitl-sqlite-store")
        else:
            self._database = LentItemDatabase(conn)
        super().__init__(self._database, index=index, ttl=ttl, deserializer=deserializer)

    @property
    def conn(self) -> Any:
        """The connection that the store was given."""
        return self._database.given

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
        cls, conn_string: str, *, index: IndexConfig | None = None, ttl: TTLConfig | None = None
    ) -> AsyncIterator[AsyncSqliteStore]:
        """Open a file (or `:memory:`) and close it at the end of the `async with` block.

        Raises:
            StoreError: SQLite cannot open it.
        """
        conn = await opened_aside(connect, conn_string)
        with closed_if_it_fails(conn):
            store = cls(conn, index=index, ttl=ttl)
        try:
            yield store
        finally:
            await store._close()

    async def _close(self) -> None:
        """Wait for what is being done, then close the file."""
        await self.stop_ttl_sweeper()
        await asyncio.shield(self._off_the_loop(self._database.conn.close))
        if self._worker is not None:
            self._worker.shutdown(wait=True)

    async def _off_the_loop(self, method: Callable[..., Any], *args: Any) -> Any:
        call = partial(method, *args)
        if isinstance(self._database, LentItemDatabase):
            return await self._database.run(call)
        return await asyncio.get_running_loop().run_in_executor(self._worker, call)
