"""Making the tables of a file, or bringing those of an earlier version up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint import _sql

if TYPE_CHECKING:
    import sqlite3


def version(conn: sqlite3.Connection, tables: Any, name: str) -> int:
    """Return the version of the tables; 0 before there are any.

    Args:
        conn: the connection.
        tables: which tables to make, and where their version is written: a module such as `queries`.
        name: how errors call the store.

    Raises:
        NewerStore: a newer nbhitl has written them.
        sqlite3.Error: they cannot be read.
    """
    if conn.execute(tables.SCHEMA_EXISTS).fetchone() is None:
        return 0
    found: int = conn.execute(tables.READ_VERSION).fetchone()[0] or 0
    _sql.refuse_newer(name, found, len(tables.MIGRATIONS))
    return found


def migrate(conn: sqlite3.Connection, tables: Any, name: str) -> None:
    """Bring the tables to the newest version, in one transaction; see `version`.

    Raises:
        NewerStore: another process has just brought them to a version that is newer still.
        sqlite3.Error: they cannot be changed; they are as they were.
    """
    is_callers = conn.in_transaction  # then none is begun
    try:
        conn.execute("BEGIN IMMEDIATE")
        done = version(conn, tables, name)  # read again: another process may have been faster
        if done < len(tables.MIGRATIONS):
            for script in (tables.CREATE_SCHEMA, *(tables.MIGRATIONS[done:] if done else [tables.TABLES])):
                for statement in _sql.parts(script):
                    conn.execute(statement)
            conn.execute(tables.WRITE_VERSION, (len(tables.MIGRATIONS),))
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction and not is_callers:
            conn.execute("ROLLBACK")
        raise
