"""A cache in an SQLite file, which outlives the process."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
import weakref
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from nbhitl.cache.base import BaseCache, FullKey, Namespace, ValueT, expiry, readable
from nbhitl.errors import NewerStore, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbhitl.checkpoint.serde import SerializerProtocol

__all__ = ["SqliteCache"]

_SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS nbhitl_cache (
    ns TEXT NOT NULL,
    key TEXT NOT NULL,
    expires REAL,
    kind TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (ns, key)
) WITHOUT ROWID
"""


def _ns(namespace: Namespace) -> str:
    return json.dumps(list(namespace))


class SqliteCache(BaseCache[ValueT]):
    """Keeps values in the SQLite file `path`; `":memory:"` keeps them until the process ends."""

    def __init__(self, *, path: str, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._path = str(path)
        self._lock = RLock()
        with self._reporting("open"):
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
        # Programs keep a cache for as long as they run and do not close it.
        self._closing = weakref.finalize(self, self._connection.close)
        self._prepare()

    def _prepare(self) -> None:
        with self._reporting("open"):
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _SCHEMA_VERSION:
            self.close()
            raise NewerStore(
                f"The cache {self._path!r} was written by a newer nbhitl (its schema is {version}, this one "
                f"reads up to {_SCHEMA_VERSION}). Upgrade nbhitl or delete the file: it is made anew."
            )
        with self._reporting("open"), self._connection as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version={_SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._closing()

    @contextmanager
    def _reporting(self, action: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"The cache {self._path!r} could not {action}: {error}. Check that the file is an nbhitl "
                "cache and can be written, or delete it: it is made anew."
            ) from error

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values that are there and have not expired, by key.

        Raises:
            StoreError: the file cannot be read.
        """
        found: dict[FullKey, ValueT] = {}
        now = time.time()
        with self._lock, self._reporting("read"):
            for namespace, key in keys:
                row = self._connection.execute(
                    "SELECT kind, content FROM nbhitl_cache "
                    "WHERE ns = ? AND key = ? AND (expires IS NULL OR expires > ?)",
                    (_ns(namespace), key, now),
                ).fetchone()
                if row is not None:
                    there, value = readable(self.serde, *row)
                    if there:
                        found[namespace, key] = value
        return found

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """As `get`."""
        return await asyncio.to_thread(self.get, keys)

    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Keep `{key: (value, seconds to live, or None for ever)}`, and drop what has expired.

        Raises:
            UnsupportedValue: a value cannot be stored; nothing was kept.
            StoreError: the file cannot be written.
        """
        now = time.time()
        rows = [
            (_ns(namespace), key, expiry(ttl, now), *self.serde.dumps_typed(value))
            for (namespace, key), (value, ttl) in pairs.items()
        ]
        with self._lock, self._reporting("write"), self._connection as connection:
            connection.execute("DELETE FROM nbhitl_cache WHERE expires <= ?", (now,))
            connection.executemany("INSERT OR REPLACE INTO nbhitl_cache VALUES (?, ?, ?, ?, ?)", rows)

    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """As `set`."""
        await asyncio.to_thread(self.set, pairs)

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget the values of these namespaces, or all values.

        Raises:
            StoreError: the file cannot be written.
        """
        with self._lock, self._reporting("clear"), self._connection as connection:
            if namespaces is None:
                connection.execute("DELETE FROM nbhitl_cache")
            else:
                connection.executemany(
                    "DELETE FROM nbhitl_cache WHERE ns = ?", [(_ns(namespace),) for namespace in namespaces]
                )

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """As `clear`."""
        await asyncio.to_thread(self.clear, namespaces)
