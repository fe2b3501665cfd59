"""A cache in this process's memory."""

from __future__ import annotations

import time
from threading import RLock
from typing import TYPE_CHECKING

from nbhitl.cache.base import BaseCache, FullKey, Namespace, ValueT, expiry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbhitl.checkpoint.serde import SerializerProtocol

__all__ = ["InMemoryCache"]


class InMemoryCache(BaseCache[ValueT]):
    """Keeps values until the process ends, encoded, so that changing a result does not change the cache."""

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._entries: dict[Namespace, dict[str, tuple[str, bytes, float | None]]] = {}
        self._lock = RLock()

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values that are there and have not expired, by key."""
        found: dict[FullKey, ValueT] = {}
        now = time.time()
        with self._lock:
            for namespace, key in keys:
                entry = self._entries.get(tuple(namespace), {}).get(key)
                if entry is None:
                    continue
                kind, content, expires = entry
                if expires is not None and expires <= now:
                    del self._entries[tuple(namespace)][key]
                else:
                    found[namespace, key] = self.serde.loads_typed((kind, content))
        return found

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """As `get`."""
        return self.get(keys)

    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Keep `{key: (value, seconds to live, or None for ever)}`.

        Raises:
            UnsupportedValue: a value cannot be stored; nothing was kept.
        """
        now = time.time()
        encoded = {
            full_key: (*self.serde.dumps_typed(value), expiry(ttl, now))
            for full_key, (value, ttl) in pairs.items()
        }
        with self._lock:
            for (namespace, key), entry in encoded.items():
                self._entries.setdefault(tuple(namespace), {})[key] = entry

    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """As `set`."""
        self.set(pairs)

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget the values of these namespaces, or all values."""
        with self._lock:
            if namespaces is None:
                self._entries.clear()
            for namespace in namespaces or ():
                self._entries.pop(tuple(namespace), None)

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """As `clear`."""
        self.clear(namespaces)
