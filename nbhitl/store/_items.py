"""A store in a database: what operations mean, for whatever database runs the SQL of `_tables`."""

from __future__ import annotations

import asyncio
import json
import time
from struct import pack
from typing import TYPE_CHECKING, Any, Protocol, cast

from nbhitl.store import _tables
from nbhitl.store._json import to_text
from nbhitl.store._rows import ItemRow, read_item, read_namespaces, read_value, read_vector
from nbhitl.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    PutOp,
    SearchItem,
    SearchOp,
)
from nbhitl.store.matching import IN_DATABASE, listed, passes
from nbhitl.store.namespaces import checked_labels, checked_namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from contextlib import AbstractContextManager

    from nbhitl.store.base import Op, Result, TTLConfig
    from nbhitl.store.vectors import VectorIndex

_ALWAYS = float("-inf")
_MINUTE = 60


class Rows(Protocol):
    """A database of items, for any number of threads. `name` is how errors call it."""

    @property
    def name(self) -> str: ...

    def setup(self) -> None:
        """Make the tables, or bring them up to date."""

    def atomic(self, threads: tuple[str, ...], rewriting: bool) -> AbstractContextManager[None]:
        """Return a transaction."""

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""

    def do_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        """Change something for each of the rows, within a transaction."""


class ItemStore(BaseStore):
    """Keeps items in a database; the stores of each database derive from it (see `_swept`).

    A search's `filter` is applied to all items below its namespace, and its `query` compared with all their vectors;
    without either only the items asked for are read. Expired items are there until `sweep_ttl()`, or hidden
    with `ttl={"omit_expired": True}`.
    """

    supports_ttl = True

    def __init__(
        self, rows: Rows, *, index: Any = None, ttl: TTLConfig | None = None, deserializer: Any = None
    ) -> None:
        self.index_config = index
        self.ttl_config = ttl
        self._rows = rows
        self._index = None if index is None else _vector_index(index)
        self._loads: Callable[[str], Any] = json.loads if deserializer is None else deserializer

    @property
    def embeddings(self) -> Any:
        """What makes vectors of texts, an object with LangChain's methods for it; None without `index`."""
        if self._index is None:
            return None
        from nbhitl.store.base.embed import ensure_embeddings

        return ensure_embeddings(self._index.embed)

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations and return their results in order.

        Reads see what was there before the batch; it is done as a whole, or not at all.

        Raises:
            InvalidNamespaceError: no item can be in a namespace, or none be put there.
            UnsupportedValue: a value is no JSON.
            StoreError: the database cannot be read or written.
            ValueError: an operation, or an operator of a filter, is unknown.
        """
        listed_ops = list(ops)
        return self._carry_out(listed_ops, {} if self._index is None else self._index.known(listed_ops))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """As `batch`, without blocking the event loop."""
        listed_ops = list(ops)
        vectors = {} if self._index is None else await self._index.aknown(listed_ops)
        results: list[Result] = await self._off_the_loop(self._carry_out, listed_ops, vectors)
        return results

    async def _off_the_loop(self, method: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(method, *args)

    def _sweep(self) -> int:
        now = time.time()
        with self._rows.atomic((), False):
            count: int = self._rows.all(_tables.COUNT_EXPIRED, (now,))[0][0]
            if count:
                self._rows.do_many(_tables.SWEEP, [(now,)])
                self._rows.do_many(_tables.SWEEP_VECTORS, [()])
        return count

    # -- a batch -----------------------------------------------------------------------------------------

    def _carry_out(self, ops: Sequence[Op], vectors: dict[str, list[float]]) -> list[Result]:
        now = time.time()
        puts = {
            (_text(op.namespace, put=op.value is not None), op.key): op for op in ops if isinstance(op, PutOp)
        }
        # Texts are made before anything is written, so that a value that is no JSON changes nothing.
        rows = {place: self._row(place, op, now) for place, op in puts.items() if op.value is not None}
        used: list[ItemRow] = []
        if not puts:
            results = [self._read(op, vectors, now, used) for op in ops]
            if used:
                with self._rows.atomic((), False):
                    self._refresh_all(used, now)
            return results
        with self._rows.atomic((), False):
            results = [self._read(op, vectors, now, used) for op in ops]
            self._refresh_all(used, now)
            self._write(puts, rows, vectors)
        return results

    def _refresh_all(self, used: list[ItemRow], now: float) -> None:
        if used:
            rows = sorted((row[:2], now + (row.ttl or 0) * _MINUTE) for row in used)
            self._rows.do_many(_tables.REFRESH, [(expires, *place) for place, expires in rows])

    def _row(self, place: tuple[str, str], op: PutOp, now: float) -> tuple[Any, ...]:
        text = to_text(cast("Any", op.value), f"item {op.key!r} in namespace {op.namespace!r}")
        expires = None if op.ttl is None else now + op.ttl * _MINUTE
        return (*place, text, now, now, op.ttl, expires)

    def _write(
        self,
        puts: dict[tuple[str, str], PutOp],
        rows: dict[tuple[str, str], tuple[Any, ...]],
        vectors: dict[str, list[float]],
    ) -> None:
        # In one order for everybody: two batches that want each other's items would wait for ever.
        places = sorted(puts)
        for place in places:
            if place in rows:
                self._rows.do_many(_tables.PUT, [rows[place]])
            else:
                self._rows.do_many(_tables.DELETE, [place])
        if self._index is not None:
            self._rows.do_many(_tables.DELETE_VECTORS, places)
            made = [
                (*place, pack(f"<{len(vectors[text])}f", *vectors[text]))
                for place, op in puts.items()
                for text in self._index.texts_of(op)
            ]
            if made:
                self._rows.do_many(_tables.PUT_VECTOR, made)

    # -- reading -----------------------------------------------------------------------------------------

    def _read(self, op: Op, vectors: dict[str, list[float]], now: float, refreshed: list[ItemRow]) -> Result:
        if isinstance(op, PutOp):
            return None
        if isinstance(op, ListNamespacesOp):
            names = self._rows.all(_tables.NAMESPACES, (self._alive(now),))
            return listed(read_namespaces(names, self._rows.name), op)
        if isinstance(op, SearchOp):
            rows, scores = self._found(op, vectors, now)
        elif isinstance(op, GetOp):
            rows, scores = self._stored(_tables.GET, (_text(op.namespace), op.key)), []
            rows = [row for row in rows if row.expires_at is None or row.expires_at > self._alive(now)]
        else:
            raise ValueError(f"Unknown operation type: {type(op)}")
        if op.refresh_ttl:
            refreshed += [row for row in rows if row.ttl is not None]
        if isinstance(op, SearchOp):
            return [self._search_item(row, score) for row, score in zip(rows, scores, strict=True)]
        return self._item(rows[0]) if rows else None

    def _found(
        self, op: SearchOp, vectors: dict[str, list[float]], now: float
    ) -> tuple[list[ItemRow], list[float | None]]:
        """Return the rows that a search finds, in order, and how near each is to its query."""
        prefix, ranked = _text(op.namespace_prefix), self._index is not None and bool(op.query)
        if not ranked and not op.filter:
            rows = self._stored(*_tables.search(prefix, self._alive(now), op.limit, op.offset))
            return rows, [None] * len(rows)
        rows = self._stored(*_tables.search(prefix, self._alive(now), None, 0))
        if op.filter:
            rows = [row for row in rows if passes(self._value(row), op.filter, IN_DATABASE)]
        part = slice(op.offset, op.offset + op.limit)
        if not ranked:
            return rows[part], [None] * len(rows[part])
        scored = self._scored(prefix, rows, vectors[op.query or ""])[part]
        return [row for row, _ in scored], [score for _, score in scored]

    def _stored(self, sql: str, values: Sequence[Any]) -> list[ItemRow]:
        return [read_item(row, self._rows.name) for row in self._rows.all(sql, values)]

    def _value(self, item: ItemRow) -> Any:
        return read_value(item, self._loads, self._rows.name)

    def _scored(self, prefix: str, rows: list[ItemRow], query: list[float]) -> list[tuple[ItemRow, float]]:
        """Return the rows that have vectors, the nearest to the query first."""
        from nbhitl.store.vectors import nearness

        known: dict[tuple[str, str], list[tuple[float, ...]]] = {}
        for ns, key, data in self._rows.all(*_tables.vectors(prefix)):
            known.setdefault((ns, key), []).append(read_vector(ns, key, data, self._rows.name))
        scored = [(row, nearness(known[row[0], row[1]], query)) for row in rows if (row[0], row[1]) in known]
        return sorted(scored, key=lambda one: -one[1])

    def _alive(self, now: float) -> float:
        """The time at which items must not have expired: hidden ones now, others are there until swept."""
        return now if (self.ttl_config or {}).get("omit_expired") else _ALWAYS

    def _item(self, row: ItemRow) -> Item:
        created, updated = row.times()
        return Item(
            value=self._value(row),
            key=row.key,
            namespace=row.namespace,
            created_at=created,
            updated_at=updated,
        )

    def _search_item(self, row: ItemRow, score: float | None) -> SearchItem:
        return SearchItem(row.namespace, row.key, self._value(row), *row.times(), score)


def _text(namespace: tuple[str, ...], *, put: bool = False) -> str:
    """Other labels than those that items can have would name somebody else's items: ("a.b",) those of ("a", "b")."""
    return ".".join(checked_namespace(namespace) if put else checked_labels(namespace))


def _vector_index(config: Any) -> VectorIndex:
    from nbhitl.store.vectors import VectorIndex

    distance = config.get("distance_type", "cosine")
    if distance != "cosine":
        raise ValueError(f"index: distance_type is {distance!r}; nbhitl's stores know 'cosine' alone.")
    return VectorIndex(config, dims=config.get("dims"))
