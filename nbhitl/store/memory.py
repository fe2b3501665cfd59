"""A store in this process's memory."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any

from nbhitl.store.base import BaseStore, GetOp, Item, ListNamespacesOp, PutOp, SearchItem, SearchOp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nbhitl.store.base import MatchCondition, Op, Result

__all__ = ["InMemoryStore"]

_Items = dict[tuple[str, ...], dict[str, Item]]

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, wanted: value == wanted,
    "$ne": lambda value, wanted: value != wanted,
    "$gt": lambda value, wanted: float(value) > float(wanted),
    "$gte": lambda value, wanted: float(value) >= float(wanted),
    "$lt": lambda value, wanted: float(value) < float(wanted),
    "$lte": lambda value, wanted: float(value) <= float(wanted),
}


class InMemoryStore(BaseStore):
    """Keeps items until the process ends. Values are copied in and out; search filters, but does not rank."""

    __slots__ = ("_items", "_lock")

    def __init__(self, *, index: Any = None) -> None:
        if index is not None:
            raise NotImplementedError(
                "nbhitl's InMemoryStore has no vector index. Leave out index= and search with filter=, or "
                "use a store that embeds texts."
            )
        self._items: _Items = {}
        self._lock = RLock()

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations and return their results in order.

        Reads see what was there before the batch.

        Raises:
            ValueError: an operation, or an operator of a filter, is unknown.
        """
        with self._lock:
            listed = list(ops)
            results = [_read(self._items, op) for op in listed]
            now = datetime.now(UTC)
            for op in listed:
                if isinstance(op, PutOp):
                    _write(self._items, op, now)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`."""
        return self.batch(ops)


def _read(items: _Items, op: Op) -> Result:
    if isinstance(op, GetOp):
        item = items.get(op.namespace, {}).get(op.key)
        return None if item is None else deepcopy(item)
    if isinstance(op, SearchOp):
        return _search(items, op)
    if isinstance(op, ListNamespacesOp):
        return _namespaces(items, op)
    if isinstance(op, PutOp):
        return None
    raise ValueError(f"Unknown operation type: {type(op)}")


def _write(items: _Items, op: PutOp, now: datetime) -> None:
    if op.value is None:
        inside = items.get(op.namespace, {})
        inside.pop(op.key, None)
        if not inside:
            items.pop(op.namespace, None)
        return
    inside = items.setdefault(op.namespace, {})
    before = inside.get(op.key)
    inside[op.key] = Item(
        value=deepcopy(dict(op.value)),
        key=op.key,
        namespace=op.namespace,
        created_at=before.created_at if before is not None else now,
        updated_at=now,
    )


def _search(items: _Items, op: SearchOp) -> list[SearchItem]:
    prefix = tuple(op.namespace_prefix)
    found = [
        item
        for namespace, inside in items.items()
        if namespace[: len(prefix)] == prefix
        for item in inside.values()
        if all(_holds(item.value.get(key), wanted) for key, wanted in (op.filter or {}).items())
    ]
    return [
        SearchItem(item.namespace, item.key, deepcopy(item.value), item.created_at, item.updated_at)
        for item in found[op.offset : op.offset + op.limit]
    ]


def _holds(value: Any, wanted: Any) -> bool:
    """Whether `value` is what a filter asks for: equal, or as its operators say, at any depth."""
    if isinstance(wanted, dict):
        if any(key.startswith("$") for key in wanted):
            return all(_operator(name)(value, operand) for name, operand in wanted.items())
        return isinstance(value, dict) and all(_holds(value.get(key), inner) for key, inner in wanted.items())
    if isinstance(wanted, (list, tuple)):
        return (
            isinstance(value, (list, tuple)) and len(value) == len(wanted) and all(map(_holds, value, wanted))
        )
    return bool(value == wanted)


def _operator(name: str) -> Callable[[Any, Any], bool]:
    try:
        return _OPERATORS[name]
    except KeyError:
        raise ValueError(f"Unsupported operator: {name}. Known are {', '.join(_OPERATORS)}.") from None


def _namespaces(items: _Items, op: ListNamespacesOp) -> list[tuple[str, ...]]:
    found = {
        namespace[: op.max_depth]
        for namespace in items
        if all(_matches(namespace, condition) for condition in op.match_conditions or ())
    }
    return sorted(found)[op.offset : op.offset + op.limit]


def _matches(namespace: tuple[str, ...], condition: MatchCondition) -> bool:
    path = condition.path
    if len(path) > len(namespace):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[-len(path) :]
    return all(wanted in ("*", label) for label, wanted in zip(part, path, strict=True))
