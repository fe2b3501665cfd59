"""Items in PostgreSQL: the savers' connections with other tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nbhitl.checkpoint.postgres._database import Database
from nbhitl.store import _tables

if TYPE_CHECKING:
    from nbhitl.errors import StoreError


class Tables:
    """Which tables there are, and where their version is written."""

    CREATE_SCHEMA: Final = _tables.CREATE_SCHEMA
    READ_VERSION: Final = _tables.READ_VERSION
    WRITE_VERSION: Final = _tables.WRITE_VERSION
    # Asked of the catalog itself: to_regclass() may remember how it was before a lock was waited for.
    SCHEMA_EXISTS: Final = (
        "SELECT count(*) FROM pg_catalog.pg_class "
        "WHERE relname = 'nbhitl_items_schema' AND pg_table_is_visible(oid)"
    )
    # Entry i brings a store from version i to i + 1; what has been released is never changed.
    MIGRATIONS: Final = (_tables.tables(exact='COLLATE "C"', real="DOUBLE PRECISION", bytes="BYTEA"),)


class ItemDatabase(Database):
    """Connections to a database of items."""

    tables: Any = Tables

    def failure(self, error: BaseException, conn: Any = None, thread: str | None = None) -> StoreError:
        """Return the error that says which store it was and what to do."""
        return super().failure(error, conn)
