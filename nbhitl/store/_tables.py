"""The tables of items in a database, and the SQL that SQLite and PostgreSQL both understand. Values are bound.

A namespace is kept as its labels with dots between them, which labels cannot hold. Times are seconds since the
epoch. The vectors of an item are 32-bit floats, little-endian.
"""

from __future__ import annotations

from typing import Any, Final

CREATE_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS nbhitl_items_schema (version INTEGER NOT NULL)"
READ_VERSION: Final = "SELECT max(version) FROM nbhitl_items_schema"
WRITE_VERSION: Final = "INSERT INTO nbhitl_items_schema (version) VALUES (?)"

_TABLES: Final = """
    CREATE TABLE nbhitl_items (
        ns TEXT {exact} NOT NULL, key TEXT {exact} NOT NULL, value TEXT NOT NULL,
        created_at {real} NOT NULL, updated_at {real} NOT NULL, ttl {real}, expires_at {real}
    );
    CREATE UNIQUE INDEX nbhitl_items_key ON nbhitl_items (ns, key);
    CREATE INDEX nbhitl_items_expiry ON nbhitl_items (expires_at) WHERE expires_at IS NOT NULL;

    CREATE TABLE nbhitl_vectors (ns TEXT {exact} NOT NULL, key TEXT {exact} NOT NULL, vector {bytes} NOT NULL);
    CREATE INDEX nbhitl_vectors_key ON nbhitl_vectors (ns, key)
"""

ITEM: Final = "ns, key, value, created_at, updated_at, ttl, expires_at"
GET: Final = f"SELECT {ITEM} FROM nbhitl_items WHERE ns = ? AND key = ?"
PUT: Final = f"""
    INSERT INTO nbhitl_items ({ITEM}) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (ns, key) DO UPDATE SET
        value = excluded.value, updated_at = excluded.updated_at, ttl = excluded.ttl,
        expires_at = excluded.expires_at
"""
DELETE: Final = "DELETE FROM nbhitl_items WHERE ns = ? AND key = ?"
REFRESH: Final = "UPDATE nbhitl_items SET expires_at = ? WHERE ns = ? AND key = ? AND ttl IS NOT NULL"
NAMESPACES: Final = (
    "SELECT DISTINCT ns FROM nbhitl_items WHERE expires_at IS NULL OR expires_at > ? ORDER BY ns"
)
PUT_VECTOR: Final = "INSERT INTO nbhitl_vectors (ns, key, vector) VALUES (?, ?, ?)"
DELETE_VECTORS: Final = "DELETE FROM nbhitl_vectors WHERE ns = ? AND key = ?"
COUNT_EXPIRED: Final = "SELECT count(*) FROM nbhitl_items WHERE expires_at <= ?"
SWEEP: Final = "DELETE FROM nbhitl_items WHERE expires_at <= ?"
# After the items: one that is read meanwhile, and so lives on, keeps its vectors.
SWEEP_VECTORS: Final = (
    "DELETE FROM nbhitl_vectors WHERE NOT EXISTS (SELECT 1 FROM nbhitl_items AS item WHERE item.ns = "
    "nbhitl_vectors.ns AND item.key = nbhitl_vectors.key)"
)

_ALL: Final = 2**62


def tables(*, exact: str, real: str, bytes: str) -> str:
    """Return the statements that make the tables: a collation by code points, types of numbers and of bytes."""
    return _TABLES.format(exact=exact, real=real, bytes=bytes)


def below(prefix: str) -> tuple[str, list[Any]]:
    """Return the condition for the namespaces that begin with `prefix`, all of them for an empty one."""
    if not prefix:
        return "1 = 1", []
    return "(ns = ? OR (ns > ? AND ns < ?))", [prefix, f"{prefix}.", f"{prefix}/"]


def search(prefix: str, alive: float, limit: int | None, offset: int) -> tuple[str, list[Any]]:
    """Return the query for items, what was updated last first; without those that had expired at time `alive`."""
    where, values = below(prefix)
    sql = (
        f"SELECT {ITEM} FROM nbhitl_items WHERE {where} AND (expires_at IS NULL OR expires_at > ?) "
        "ORDER BY updated_at DESC, ns, key LIMIT ? OFFSET ?"
    )
    return sql, [*values, alive, _ALL if limit is None else limit, offset]


def vectors(prefix: str) -> tuple[str, list[Any]]:
    """Return the query for the vectors of the items below `prefix`."""
    where, values = below(prefix)
    return f"SELECT ns, key, vector FROM nbhitl_vectors WHERE {where}", values
