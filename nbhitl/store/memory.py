"""A store in this process's memory."""

from __future__ import annotations

from copy import copy, deepcopy
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

from nbhitl.store.base import BaseStore, GetOp, Item, ListNamespacesOp, PutOp, SearchItem, SearchOp
from nbhitl.store.matching import listed, passes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.store.base import Op, Result
    from nbhitl.store.vectors import VectorIndex

__all__ = ["InMemoryStore"]

_Items = dict[tuple[str, ...], dict[str, Item]]


class InMemoryStore(BaseStore):
    """Keeps items until the process ends. Values are copied in and out.

    Args:
        index: lets `search(query=...)` rank items by meaning; see `nbhitl.store.vectors.VectorIndex`.
    """

    __slots__ = ("_index", "_items", "_lock", "index_config")

    def __init__(self, *, index: Any = None) -> None:
        self.index_config = index
        self._index: VectorIndex | None = None
        if index is not None:
            from nbhitl.store.vectors import VectorIndex

            self._index = VectorIndex(index)
        self._items: _Items = {}
        self._lock = RLock()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = copy(self)
        memo[id(self)] = twin
        twin._lock = RLock()
        with self._lock:
            twin._items, twin._index = deepcopy((self._items, self._index), memo)
        for name, value in getattr(self, "__dict__", {}).items():  # what derived classes added
            setattr(twin, name, deepcopy(value, memo))
        return twin

    @property
    def embeddings(self) -> Any:
        """What makes vectors of texts, an object with LangChain's methods for it; None without `index`."""
        if self._index is None:
            return None
        from nbhitl.store.base.embed import ensure_embeddings

        return ensure_embeddings(self._index.embed)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations and return their results in order.

        Reads see what was there before the batch.

        Raises:
            ValueError: an operation, or an operator of a filter, is unknown.
        """
        listed = list(ops)
        return self._carry_out(listed, {} if self._index is None else self._index.known(listed))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`."""
        listed = list(ops)
        return self._carry_out(listed, {} if self._index is None else await self._index.aknown(listed))

    def _carry_out(self, ops: list[Op], vectors: dict[str, list[float]]) -> list[Result]:
        with self._lock:
            results = [
                self._search(op, vectors) if isinstance(op, SearchOp) else _read(self._items, op)
                for op in ops
            ]
            now = datetime.now(UTC)
            for op in ops:
                if isinstance(op, PutOp):
                    _write(self._items, op, now)
                    if self._index is not None:
                        self._index.note(op, vectors)
        return results

    def _search(self, op: SearchOp, vectors: dict[str, list[float]]) -> list[SearchItem]:
        found: list[tuple[Item, float | None]] = [(item, None) for item in _matching(self._items, op)]
        if self._index is not None and op.query:
            query = vectors[op.query]
            scored = [(item, self._index.score(item.namespace, item.key, query)) for item, _ in found]
            # The nearest first; what has no text comes after, in the order of the store.
            ranked = sorted((one for one in scored if one[1] is not None), key=lambda one: -(one[1] or 0.0))
            found = [*ranked, *(one for one in scored if one[1] is None)]
        return [
            SearchItem(
                item.namespace, item.key, deepcopy(item.value), item.created_at, item.updated_at, score
            )
            for item, score in found[op.offset : op.offset + op.limit]
        ]


def _read(items: _Items, op: Op) -> Result:
    if isinstance(op, GetOp):
        item = items.get(op.namespace, {}).get(op.key)
        return None if item is None else deepcopy(item)
    if isinstance(op, ListNamespacesOp):
        return listed(items, op)
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


def _matching(items: _Items, op: SearchOp) -> list[Item]:
    prefix = tuple(op.namespace_prefix)
    return [
        item
        for namespace, inside in items.items()
        if namespace[: len(prefix)] == prefix
        for item in inside.values()
        if passes(item.value, op.filter)
    ]
