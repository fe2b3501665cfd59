"""Items in SQLite: the savers' connections with other tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nbhitl.checkpoint.sqlite._database import Database
from nbhitl.checkpoint.sqlite._errors import store_error
from nbhitl.checkpoint.sqlite._lent import LentDatabase
from nbhitl.store import _tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.errors import StoreError


class Tables:
    """Which tables there are, and where their version is written."""

    CREATE_SCHEMA: Final = _tables.CREATE_SCHEMA
    READ_VERSION: Final = _tables.READ_VERSION
    WRITE_VERSION: Final = _tables.WRITE_VERSION
    SCHEMA_EXISTS: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'nbhitl_items_schema'"
    TABLES: Final = _tables.tables(exact="", real="REAL", bytes="BLOB")
    # Entry i brings a store from version i to i + 1; what has been released is never changed.
    MIGRATIONS: Final = (TABLES,)


class _Items:
    tables: Any = Tables
    name: str

    def failure(
        self,
        error: Exception,
        sql: str = "",
        values: Sequence[Any] = (),
        rows: Sequence[Any] = (),
        threads: Sequence[str] = (),
    ) -> StoreError:
        """Return the error that says which store it was and what to do."""
        return store_error(self.name, error)


class ItemDatabase(_Items, Database):
    """A connection of sqlite3's."""


class LentItemDatabase(_Items, LentDatabase):
    """Somebody else's aiosqlite connection."""
