"""A store in a SQLite file: it survives the process, and several processes may use the file at once.

>>> from nbhitl.store.sqlite import SqliteStore
>>> with SqliteStore.from_conn_string(":memory:") as store:
...     store.put(("users", "ada"), "settings", {"theme": "dark"})
...     store.get(("users", "ada"), "settings").value
...     [item.key for item in store.search(("users",), filter={"theme": "dark"})]
{'theme': 'dark'}
['settings']
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.sqlite import connect, store_name
from nbhitl.store._swept import SweptStore
from nbhitl.store.base import IndexConfig
from nbhitl.store.sqlite._database import ItemDatabase

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from nbhitl.store.base import TTLConfig
    from nbhitl.store.sqlite.aio import AsyncSqliteStore

__all__ = ["AsyncSqliteStore", "SqliteStore"]

SqliteIndexConfig = IndexConfig


class SqliteStore(SweptStore):
    """Keeps items in a SQLite database; values are JSON.

    Args:
        conn: a connection, made with `check_same_thread=False` if nodes run in several threads. The store writes
            in transactions of its own; its tables are named `nbhitl_items...` and may stand beside others.
        deserializer: makes an item's value of JSON text.
        index: lets `search(query=...)` rank items by meaning; see `nbhitl.store.vectors.VectorIndex`.
        ttl: how long items are kept; see `nbhitl.store.base.TTLConfig`.
    """

    def __init__(
        self,
        conn: sqlite3.Connection,
        *,
        deserializer: Callable[[str], dict[str, Any]] | None = None,
        index: SqliteIndexConfig | None = None,
        ttl: TTLConfig | None = None,
    ) -> None:
        self.conn = conn
        self._database = ItemDatabase(conn, store_name(conn))
        super().__init__(self._database, index=index, ttl=ttl, deserializer=deserializer)

    @classmethod
    @contextmanager
    def from_conn_string(
        cls, conn_string: str, *, index: SqliteIndexConfig | None = None, ttl: TTLConfig | None = None
    ) -> Iterator[SqliteStore]:
        """Open a file (or `:memory:`) and close it at the end of the `with` block.

        Raises:
            StoreError: SQLite cannot open it.
        """
        with ExitStack() as stack:
            conn = connect(conn_string)
            stack.callback(conn.close)
            store = cls(conn, index=index, ttl=ttl)
            stack.callback(store.stop_ttl_sweeper)
            yield store


def __getattr__(name: str) -> object:
    if name != "AsyncSqliteStore":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = import_module("nbhitl.store.sqlite.aio").AsyncSqliteStore
    return found
