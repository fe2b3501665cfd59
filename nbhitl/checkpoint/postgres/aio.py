"""The PostgreSQL saver for asyncio: the event loop never waits for the database."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import psycopg

from nbhitl.checkpoint._opening import closed_if_it_fails, opened_aside
from nbhitl.checkpoint._sql_rows import SqlRows
from nbhitl.checkpoint.postgres import connect
from nbhitl.checkpoint.postgres._database import Database
from nbhitl.checkpoint.postgres._links import lent
from nbhitl.checkpoint.steps import StepSaver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nbhitl.checkpoint.serde import SerializerProtocol

__all__ = ["AsyncPostgresSaver"]

P = ParamSpec("P")
T = TypeVar("T")


class AsyncPostgresSaver(StepSaver):
    """Keeps threads in a PostgreSQL database; async methods work on threads of the saver's own.

    The sync methods work too, from any thread: nodes that are plain functions, and graphs that they call, use
    them. Only a saver that was given an async connection or pool cannot be called in a sync way by the very
    thread that runs the event loop.

    Args:
        conn: a psycopg connection with `autocommit=True` or a pool of them, async or sync. The caller closes
            it.
        pipe: LangGraph's; see `PostgresSaver`.
        serde: turns values into bytes and back; see `PostgresSaver`.
    """

    def __init__(self, conn: Any, pipe: Any = None, serde: SerializerProtocol | None = None) -> None:
        if not (hasattr(conn, "getconn") or isinstance(conn, (psycopg.Connection, psycopg.AsyncConnection))):
            raise TypeError(
                f"AsyncPostgresSaver needs a psycopg connection or a pool of them, not {type(conn).__name__}. "
                "Use AsyncPostgresSaver.from_conn_string(...)."
            )
        link, workers = lent(conn)
        self._database = Database(link)
        self._workers: ThreadPoolExecutor | None = ThreadPoolExecutor(
            workers, thread_name_prefix="nbhitl-postgres"
        )
        super().__init__(SqlRows(self._database, str, str), serde=serde)

    @property
    def conn(self) -> Any:
        """The connection or pool."""
        return self._database.link.given

    @classmethod
    @asynccontextmanager
    async def from_conn_string(
        cls, conn_string: str, *, pipeline: bool = False, serde: SerializerProtocol | None = None
    ) -> AsyncIterator[AsyncPostgresSaver]:
        """Connect, and close the connection at the end of the `async with` block; see `PostgresSaver`.

        Raises:
            StoreError: the database cannot be reached.
        """
        conn = await opened_aside(connect, conn_string)
        with closed_if_it_fails(conn):
            saver = cls(conn, serde=serde)
        saver._database.link.own(partial(connect, conn_string))
        try:
            yield saver
        finally:
            await asyncio.shield(saver._run(saver._database.close))
            saver._end()

    def _end(self) -> None:
        workers, self._workers = self._workers, None
        if workers is not None:
            workers.shutdown(wait=True)

    async def setup(self) -> None:
        """Make the tables; done at the first use anyway.

        Raises:
            NewerStore: a newer nbhitl has written this database.
            StoreError: the database cannot be reached, or this role may not make tables.
        """
        await self._run(self._database.setup)

    async def _run(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        if self._workers is None:
            return method(*args, **kwargs)  # closed, which is what it will say
        loop = asyncio.get_running_loop()
        self._database.link.serve(loop)
        return await loop.run_in_executor(self._workers, partial(method, *args, **kwargs))
