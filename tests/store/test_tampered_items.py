"""Any value in any column of a store of items, put there by somebody else: data, or an error that names the item."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from nbhitl.errors import StoreError
from nbhitl.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INDEX: Any = {"dims": 2, "embed": lambda texts: [[1.0, float(len(text))] for text in texts], "fields": ["a"]}
TABLES = {
    "nbhitl_items": ("ns", "key", "value", "created_at", "updated_at", "ttl", "expires_at"),
    "nbhitl_vectors": ("ns", "key", "vector"),
}
VALUES = (None, 7, -1, 1.5, float("inf"), 1e300, "x", "", b"", b"\xff\xfe", bytes(16), "{", "[1]", "nul\0x")


def filled(path: Path) -> None:
    with SqliteStore.from_conn_string(str(path), index=INDEX) as store:
        store.setup()
        store.put(("a", "b"), "k", {"a": "hello", "n": 1})
        store.put(("a", "c"), "k2", {"a": "you", "n": 2}, ttl=5)


def change(path: Path, table: str, column: str, value: Any) -> bool:
    """Put a value into the first row; return whether SQLite takes it."""
    try:
        with closing(sqlite3.connect(path)) as conn, conn:
            conn.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = 1", (value,))
    except sqlite3.IntegrityError:
        return False
    return True


def uses(store: SqliteStore) -> list[Callable[[], Any]]:
    return [
        lambda: store.get(("a", "b"), "k"),
        lambda: store.get(("a", "c"), "k2"),
        lambda: store.search(("a",)),
        lambda: store.search(("a",), filter={"n": 1}),
        lambda: store.search(("a",), filter={"n": {"$gt": 0}}),
        lambda: store.search(("a",), query="hello"),
        store.list_namespaces,
        store.sweep_ttl,
        lambda: store.put(("a", "b"), "k", {"a": "anew"}),
        lambda: store.delete(("a", "b"), "k"),
    ]


@pytest.mark.parametrize(("table", "column"), [(table, name) for table in TABLES for name in TABLES[table]])
def test_what_stands_in_a_column_is_data_or_an_error(tmp_path: Path, table: str, column: str) -> None:
    for number, value in enumerate(VALUES):
        path = tmp_path / f"{number}.sqlite"
        filled(path)
        if not change(path, table, column, value):
            continue
        with SqliteStore.from_conn_string(str(path), index=INDEX) as store:
            for use in uses(store):
                with suppress(StoreError):
                    use()


WRONG = [
    ("nbhitl_items", "value", "{", "its value cannot be read"),
    ("nbhitl_items", "value", "[1]", "its value is no dict, but list"),
    ("nbhitl_items", "value", b"x", "its value is no text"),
    ("nbhitl_items", "updated_at", "x", "its created_at and updated_at are no times"),
    ("nbhitl_items", "expires_at", "x", "its expires_at is no number"),
    ("nbhitl_vectors", "vector", b"abc", "its vector cannot be read"),
]


@pytest.mark.parametrize(("table", "column", "value", "told"), WRONG)
def test_who_reads_it_is_told_which_item_it_is(
    tmp_path: Path, table: str, column: str, value: Any, told: str
) -> None:
    path = tmp_path / "items.sqlite"
    filled(path)
    assert change(path, table, column, value)
    with SqliteStore.from_conn_string(str(path), index=INDEX) as store:
        where = rf"items\.sqlite, item 'k' in namespace \('a', 'b'\): {told}.*put or delete the item"
        with pytest.raises(StoreError, match=where):
            store.search(("a",), query="hello")
        store.put(("a", "b"), "k", {"a": "anew"})
        store.delete(("a", "b"), "k")
        assert [item.key for item in store.search(("a",), query="hello")] == ["k2"]
