"""A store in PostgreSQL, for several people, machines and servers.

>>> from nbhitl.store.postgres import PostgresStore
>>> with PostgresStore.from_conn_string(address) as store:  # postgresql://user:password@host/database
...     store.put(("users", "ada"), "settings", {"theme": "dark"})
...     store.get(("users", "ada"), "settings").value
{'theme': 'dark'}
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

from nbhitl.checkpoint.postgres import connect
from nbhitl.checkpoint.postgres._links import Link
from nbhitl.store._swept import SweptStore
from nbhitl.store.base import IndexConfig
from nbhitl.store.postgres._database import ItemDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nbhitl.store.base import TTLConfig
    from nbhitl.store.postgres.aio import AsyncPostgresStore

__all__ = ["AsyncPostgresStore", "PoolConfig", "PostgresStore"]


class PoolConfig(TypedDict, total=False):
    """How many connections a pool keeps open, and what it opens them with."""

    min_size: int
    max_size: int | None
    kwargs: dict[str, Any]


class PostgresIndexConfig(IndexConfig, total=False):
    """As `IndexConfig`. Queries are compared with every vector, so `ann_index_config` makes no difference."""

    ann_index_config: Any
    distance_type: str


class PostgresStore(SweptStore):
    """Keeps items in a PostgreSQL database; values are JSON.

    Args:
        conn: a psycopg connection with `autocommit=True`, or a psycopg pool of such connections.
        pipe: LangGraph's; the store sends in one go what belongs together, with it or without.
        deserializer: makes an item's value of JSON text.
        index: lets `search(query=...)` rank items by meaning, without an extension of the server's; see
            `nbhitl.store.vectors.VectorIndex`.
        ttl: how long items are kept; see `nbhitl.store.base.TTLConfig`.

    The tables are named `nbhitl_items...` and are made in the first schema of the connection's search path.
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
                f"PostgresStore needs a psycopg connection or a pool of them, not {type(conn).__name__}. "
                "Use PostgresStore.from_conn_string(...)."
            )
        self._database = ItemDatabase(Link(conn))
        super().__init__(self._database, index=index, ttl=ttl, deserializer=deserializer)

    @property
    def conn(self) -> Any:
        """The connection or pool."""
        return self._database.link.given

    @classmethod
    @contextmanager
    def from_conn_string(
        cls,
        conn_string: str,
        *,
        pipeline: bool = False,
        pool_config: PoolConfig | None = None,
        index: PostgresIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> Iterator[PostgresStore]:
        """Connect, and close the connection or pool at the end of the `with` block.

        Args:
            conn_string: `postgresql://user:password@host:5432/database`, or `host=... dbname=...`.
            pipeline: LangGraph's; what belongs together is sent in one go, with it or without.
            pool_config: opens a pool of connections (with the package psycopg-pool) instead of one.
            index: see the class.
            ttl: see the class.

        Raises:
            StoreError: the database cannot be reached.
            ImportError: `pool_config` was given, and psycopg-pool is not installed.
        """
        with ExitStack() as stack:
            if pool_config is not None:
                store = cls(stack.enter_context(_pool(conn_string, pool_config)), index=index, ttl=ttl)
            else:
                conn = connect(conn_string)
                stack.callback(conn.close)
                store = cls(conn, index=index, ttl=ttl)
                store._database.link.own(partial(connect, conn_string))
                stack.callback(store._database.link.close)
            stack.callback(store.stop_ttl_sweeper)
            yield store


def _pool(conn_string: str, config: PoolConfig) -> Any:
    try:
        from psycopg_pool import ConnectionPool
    except ImportError as error:
        raise ImportError("pool_config needs the package psycopg-pool: pip install psycopg-pool") from error
    return ConnectionPool(conn_string, **pool_arguments(config), open=True)


def pool_arguments(config: PoolConfig) -> dict[str, Any]:
    """Return what a pool is made with; its connections commit by themselves."""
    return {
        "min_size": config.get("min_size", 1),
        "max_size": config.get("max_size"),
        "kwargs": {**config.get("kwargs", {}), "autocommit": True},
    }


def __getattr__(name: str) -> object:
    if name != "AsyncPostgresStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = import_module("nbhitl.store.postgres.aio").AsyncPostgresStore
    return found
