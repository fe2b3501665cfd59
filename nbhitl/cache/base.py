"""What a cache offers: values by namespace and key, each with an optional time to live."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbhitl.checkpoint.serde import SerializerProtocol

__all__ = ["BaseCache", "FullKey", "Namespace"]

ValueT = TypeVar("ValueT")

Namespace = tuple[str, ...]
FullKey = tuple[Namespace, str]


class BaseCache(ABC, Generic[ValueT]):
    """Values by `(namespace, key)`; `serde` turns them into bytes and back."""

    serde: SerializerProtocol

    def __init__(self, *, serde: SerializerProtocol | None = None) -> None:
        from nbhitl.checkpoint.serde import Serde, ensure_serde

        self.serde = ensure_serde(serde) if serde is not None else Serde(learn=True)

    @abstractmethod
    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values that are there and have not expired, by key."""

    @abstractmethod
    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """As `get`."""

    @abstractmethod
    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Keep `{key: (value, seconds to live, or None for ever)}`."""

    @abstractmethod
    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """As `set`."""

    @abstractmethod
    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Forget the values of these namespaces, or all values."""

    @abstractmethod
    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """As `clear`."""


def expiry(ttl: float | None, now: float) -> float | None:
    """Return when a value expires that is written at `now`, in seconds since the epoch; None is never."""
    return None if ttl is None else now + ttl


def readable(serde: SerializerProtocol, kind: str, content: bytes) -> tuple[bool, Any]:
    """Return whether a kept value can still be read, and the value.

    What cannot be read, because it is of a class that has changed or is not known yet, is not there: the
    node runs again and the entry is replaced.
    """
    from nbhitl.errors import StoreError

    try:
        return True, serde.loads_typed((kind, content))
    except StoreError:
        return False, None
