"""Items as they stand in a database: where others write too, a column may hold anything. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ItemRow(NamedTuple):
    """An item as it is stored; the fields are the columns of its table. Times are seconds since the epoch."""

    ns: str
    key: str
    value: str
    created_at: float
    updated_at: float
    ttl: float | None
    expires_at: float | None

    @property
    def namespace(self) -> tuple[str, ...]:
        """The labels of its namespace."""
        return tuple(self.ns.split("."))

    def times(self) -> tuple[datetime, datetime]:
        """Return when it was made, and when it was changed last."""
        return datetime.fromtimestamp(self.created_at, UTC), datetime.fromtimestamp(self.updated_at, UTC)


def read_item(row: Sequence[Any], store: str) -> ItemRow:
    """Return an item of the store of that name.

    Raises:
        StoreError: a column holds what it cannot hold.
    """
    item = ItemRow(*row)
    for name, value in zip(("ns", "key", "value"), item, strict=False):
        if type(value) is not str:
            raise _refusal(store, item.ns, item.key, f"its {name} is no text")
    for name in ("ttl", "expires_at"):
        value = getattr(item, name)
        if value is not None and type(value) not in (int, float):
            raise _refusal(store, item.ns, item.key, f"its {name} is no number")
    try:
        if isfinite(item.created_at) and isfinite(item.updated_at):
            item.times()
            return item
    except (TypeError, ValueError, OverflowError, OSError):
        pass
    raise _refusal(store, item.ns, item.key, "its created_at and updated_at are no times")


def read_value(item: ItemRow, loads: Callable[[str], Any], store: str) -> Any:
    """Return an item's value.

    Raises:
        StoreError: it is no JSON, or no dict.
    """
    try:
        value = loads(item.value)
    except (ValueError, RecursionError) as error:
        raise _refusal(store, item.ns, item.key, f"its value cannot be read: {error}") from error
    if not isinstance(value, Mapping):
        raise _refusal(store, item.ns, item.key, f"its value is no dict, but {type(value).__name__}")
    return value


def read_vector(ns: str, key: str, data: Any, store: str) -> tuple[float, ...]:
    """Return one of an item's vectors.

    Raises:
        StoreError: it is none.
    """
    try:
        return struct.unpack(f"<{len(data) // 4}f", data)
    except (TypeError, struct.error) as error:
        raise _refusal(store, ns, key, "its vector cannot be read") from error


def read_namespaces(rows: Sequence[Sequence[Any]], store: str) -> list[tuple[str, ...]]:
    """Return namespaces as their labels.

    Raises:
        StoreError: one is no text.
    """
    for (ns,) in rows:
        if type(ns) is not str:
            raise StoreError(f"{store}: the namespace {ns!r} of an item is no text. {_ADVICE}")
    return [tuple(ns.split(".")) for (ns,) in rows]


_ADVICE = "Somebody else has changed the store: restore it from a copy, or put or delete the item."


def _refusal(store: str, ns: Any, key: Any, what: str) -> StoreError:
    namespace = tuple(ns.split(".")) if isinstance(ns, str) else ns
    return StoreError(f"{store}, item {key!r} in namespace {namespace!r}: {what}. {_ADVICE}")
