"""The PostgreSQL store for asyncio: the event loop never waits for the database."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._opening import closed_if_it_fails, opened_aside
from nbhitl.checkpoint.postgres import connect
from nbhitl.checkpoint.postgres._links import lent
from nbhitl.store._swept import AsyncSweptStore
from nbhitl.store.postgres import PoolConfig, PostgresIndexConfig, pool_arguments
from nbhitl.store.postgres._database import ItemDatabase

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nbhitl.store.base import TTLConfig

__all__ = ["AsyncPostgresStore", "PoolConfig"]


class AsyncPostgresStore(AsyncSweptStore):
    """Keeps items in a PostgreSQL database; async methods work on threads of the store's own.

    The sync methods work too; of a store that was given an async connection or pool, from other threads than the one
    that runs the event loop.

    Args:
        conn: a psycopg connection with `autocommit=True` or a pool of them, async or sync. The caller closes it.
        pipe: LangGraph's; see `PostgresStore`.
        deserializer: makes an item's value of JSON text.
        index: as for `PostgresStore`; `embed` may be async.
        ttl: how long items are kept; see `nbhitl.store.base.TTLConfig`.
    """

    def __init__(
        self,
        conn: Any,
        *,
        pipe: Any = None,
        deserializer: Callable[[str], dict[str, Any]] | None = None,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        if not (hasattr(conn, "getconn") or hasattr(conn, "pgconn")):
            raise TypeError(
                f"AsyncPostgresStore needs a psycopg connection or a pool of them, not {type(conn).__name__}. "
                "Use AsyncPostgresStore.from_conn_string(...)."
            )
        link, workers = lent(conn)
        self._database = ItemDatabase(link)
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="nbhitl-postgres-store")
        super().__init__(self._database, index=index, ttl=ttl, deserializer=deserializer)

    @property
    def conn(self) -> Any:
        """The connection or pool."""
        return self._database.link.given

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,
        pool_config: PoolConfig | None = None,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> AsyncIterator[AsyncPostgresStore]:
        """Connect, and close the connection or pool at the end of the `async with` block; see `PostgresStore`.

        Raises:
            StoreError: the database cannot be reached.
            ImportError: `pool_config` was given, and psycopg-pool is not installed.
        """
        if pool_config is not None:
            async with _pool(conn_string, pool_config) as pool:
                store = cls(pool, index=index, ttl=ttl)
                try:
                    yield store
                finally:
                    await store._end()
            return
        conn = await opened_aside(connect, conn_string)
        with closed_if_it_fails(conn):
            store = cls(conn, index=index, ttl=ttl)
        link = store._database.link
        link.own(partial(connect, conn_string))
        try:
            yield store
        finally:
            try:
                await store._end()
            finally:
                link.close()

    async def _end(self) -> None:
        """Stop what the store has started, and wait for what is being done; for that the event loop must go on."""
        await self.stop_ttl_sweeper()
        await asyncio.shield(asyncio.to_thread(self._workers.shutdown))

    async def _off_the_loop(self, method: Callable[..., Any], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        self._database.link.serve(loop)
        return await loop.run_in_executor(self._workers, partial(method, *args))


def _pool(conn_string: str, config: PoolConfig) -> Any:
    try:
        from psycopg_pool import AsyncConnectionPool
    except ImportError as error:
        raise ImportError("pool_config needs the package psycopg-pool: pip install psycopg-pool") from error
    return AsyncConnectionPool(conn_string, **pool_arguments(config), open=False)
