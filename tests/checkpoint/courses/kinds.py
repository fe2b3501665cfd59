"""The kinds of savers that courses are tried on, by name: `in memory` is what the others are compared with."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import aiosqlite

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver

from .worlds import AsyncWorld, TwoKernels, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import ExitStack


def in_memory(shape: str) -> World:
    saver = InMemorySaver()
    return World(shape, lambda stack: saver)


def _sqlite(shape: str, path: str) -> World:
    return World(shape, lambda stack: stack.enter_context(SqliteSaver.from_conn_string(path)))


def _two_kernels(shape: str, path: str) -> World:
    return TwoKernels(shape, lambda stack: stack.enter_context(SqliteSaver.from_conn_string(path)))


def _programs_own(shape: str, path: str) -> World:
    """Connections as `sqlite3.connect` makes them, to a file with a rollback journal."""
    without: list[Any] = []

    def opened(stack: ExitStack) -> SqliteSaver:
        conn = stack.enter_context(closing(sqlite3.connect(path, check_same_thread=False)))
        saver = SqliteSaver(conn)
        saver.setup()
        if not without:
            without.append(conn.execute("PRAGMA journal_mode = DELETE").fetchone())
        return saver

    return TwoKernels(shape, opened)


def _async_sqlite(shape: str, path: str) -> World:
    return AsyncWorld(shape, lambda stack: AsyncSqliteSaver.from_conn_string(path))


def _lent(shape: str, path: str) -> World:
    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncSqliteSaver]:
        async with aiosqlite.connect(path) as conn:
            yield AsyncSqliteSaver(conn)

    return AsyncWorld(shape, lambda stack: opened())


def _postgres(shape: str, address: str) -> World:
    from nbhitl.checkpoint.postgres import PostgresSaver

    return World(shape, lambda stack: stack.enter_context(PostgresSaver.from_conn_string(address)))


def _two_on_a_server(shape: str, address: str) -> World:
    from nbhitl.checkpoint.postgres import PostgresSaver

    return TwoKernels(shape, lambda stack: stack.enter_context(PostgresSaver.from_conn_string(address)))


def _pool(shape: str, address: str) -> World:
    from psycopg_pool import ConnectionPool

    from nbhitl.checkpoint.postgres import PostgresSaver

    def opened(stack: ExitStack) -> PostgresSaver:
        pool = ConnectionPool(address, kwargs={"autocommit": True}, min_size=1, max_size=2, open=True)
        return PostgresSaver(stack.enter_context(pool))

    return World(shape, opened)


def _async_postgres(shape: str, address: str) -> World:
    from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver

    return AsyncWorld(shape, lambda stack: AsyncPostgresSaver.from_conn_string(address))


def _lent_by_a_loop(shape: str, address: str) -> World:
    import psycopg

    from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncPostgresSaver]:
        async with await psycopg.AsyncConnection.connect(address, autocommit=True) as conn:
            yield AsyncPostgresSaver(conn)

    return AsyncWorld(shape, lambda stack: opened())


SQLITE: dict[str, Callable[[str, str], World]] = {
    "sqlite": _sqlite,
    "two kernels": _two_kernels,
    "a program's own": _programs_own,
    "async sqlite": _async_sqlite,
    "aiosqlite": _lent,
}
POSTGRES: dict[str, Callable[[str, str], World]] = {
    "postgres": _postgres,
    "two on a server": _two_on_a_server,
    "pool": _pool,
    "async postgres": _async_postgres,
    "lent by a loop": _lent_by_a_loop,
}
