"""Search by meaning: texts of items become vectors, and a query is compared with them."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Mapping
from importlib import import_module
from math import hypot
from typing import TYPE_CHECKING, Any

from nbhitl.store.base import PutOp, SearchOp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbhitl.store.base import Op

Vector = list[float]
Vectors = dict[str, Vector]
_Place = tuple[tuple[str, ...], str]

_STEP = re.compile(r"\{[^{}]*\}|[^.\[\]{}]+|\[(?:\*|-?\d+)\]")


class VectorIndex:
    """The vectors of a store's items.

    Args:
        config: `embed`, a function from a list of texts to a list of vectors, sync or async, or LangChain's
            Embeddings, or the name of one of its models; `fields`, the paths of the texts in a value, such as
            `"text"`, `"meta.title"`, `"parts[*].text"`, `"{title,text}"`, or `"$"` for the whole value, which is the
            default.
        dims: how many numbers a vector must have, where that is looked at.

    Raises:
        ValueError: there is no `embed`.
        TypeError: `embed` is none of these.
    """

    def __init__(self, config: dict[str, Any], dims: int | None = None) -> None:
        embed = config.get("embed")
        if embed is None:
            raise ValueError("embed must be provided: a function that turns a list of texts into vectors.")
        if isinstance(embed, str):
            embed = import_module("langchain.embeddings").init_embeddings(embed)
        if not callable(embed) and not hasattr(embed, "embed_documents"):
            raise TypeError(f"embed is {embed!r}; it must be a function of a list of texts, or Embeddings.")
        self.embed = embed
        self.dims = dims
        self.fields: list[str] = list(config.get("fields") or ["$"])
        self._vectors: dict[_Place, list[Vector]] = {}

    def known(self, ops: Sequence[Op]) -> Vectors:
        """Return the vectors of what is asked for and of what is put, by text.

        Raises:
            ValueError: `embed` is async; use the store's async methods.
        """
        if inspect.iscoroutinefunction(self.embed):
            raise ValueError("embed is an async function: use the store's async methods, or give a sync one.")
        vectors = {query: self._query(query) for query in _queries(ops)}
        texts = self._texts(ops)
        if texts:
            embed = getattr(self.embed, "embed_documents", self.embed)
            vectors.update(zip(texts, embed(texts), strict=True))
        return self._fitting(vectors)

    def _fitting(self, vectors: Vectors) -> Vectors:
        for text, vector in vectors.items() if self.dims is not None else ():
            if len(vector) != self.dims:
                raise ValueError(
                    f"embed made a vector of {len(vector)} numbers from {text[:40]!r}; index={{'dims': {self.dims}}} "
                    "was given. Give the number that embed makes."
                )
        return vectors

    def _query(self, query: str) -> Vector:
        embed = getattr(self.embed, "embed_query", None)
        return list(embed(query) if embed is not None else self.embed([query])[0])

    async def aknown(self, ops: Sequence[Op]) -> Vectors:
        """As `known`, with an `embed` that may be async; a sync one runs in a thread, and the event loop goes on."""
        one, many = (getattr(self.embed, name, None) for name in ("aembed_query", "aembed_documents"))
        if one is None or many is None:
            if not inspect.iscoroutinefunction(self.embed):
                return await asyncio.to_thread(self.known, ops) if self._embeds(ops) else {}
            one, many = None, self.embed
        vectors: Vectors = {}
        for query in _queries(ops):
            vectors[query] = list(await one(query) if one is not None else (await many([query]))[0])
        texts = self._texts(ops)
        if texts:
            vectors.update(zip(texts, await many(texts), strict=True))
        return self._fitting(vectors)

    def _embeds(self, ops: Sequence[Op]) -> bool:
        return bool(_queries(ops) or self._texts(ops))

    def _texts(self, ops: Sequence[Op]) -> list[str]:
        return list(dict.fromkeys(text for op in ops if isinstance(op, PutOp) for text in self.texts_of(op)))

    def texts_of(self, op: PutOp) -> list[str]:
        """Return the texts of an item that is put, by which it is found."""
        if op.value is None or op.index is False:
            return []
        paths = self.fields if op.index is None else op.index
        return [text for path in paths for text in texts_at(op.value, path)]

    def note(self, op: PutOp, vectors: Vectors) -> None:
        """Replace the vectors of an item that is put or deleted."""
        place = (op.namespace, op.key)
        self._vectors.pop(place, None)
        found = [vectors[text] for text in self.texts_of(op)]
        if found:
            self._vectors[place] = found

    def score(self, namespace: tuple[str, ...], key: str, query: Vector) -> float | None:
        """Return how near an item is to a query, 1 for the same direction; None for an item without vectors."""
        found = self._vectors.get((namespace, key))
        return nearness(found, query) if found else None


def _queries(ops: Sequence[Op]) -> dict[str, None]:
    return {op.query: None for op in ops if isinstance(op, SearchOp) and op.query}


def nearness(vectors: Sequence[Sequence[float]], query: Vector) -> float:
    """Return how near the nearest of an item's vectors is to a query: 1 for the same direction."""
    return max(_cosine(vector, query) for vector in vectors)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    length = hypot(*one) * hypot(*other)
    return float(sum(a * b for a, b in zip(one, other, strict=True)) / length) if length else 0.0


def texts_at(value: Any, path: str | list[str]) -> list[str]:
    """Return the texts at a path: a string as it is, a number or bool as text, a dict or list as JSON.

    >>> texts_at({"parts": [{"text": "a"}, {"text": "b"}]}, "parts[*].text")
    ['a', 'b']
    """
    steps = tokenize_path(path) if isinstance(path, str) else path
    found = [value] if steps in ([], ["$"]) else _at(value, steps)
    return [text for item in found if (text := _text(item)) is not None]


get_text_at_path = texts_at


def tokenize_path(path: str) -> list[str]:
    """Return the steps of a path.

    >>> tokenize_path("parts[*].{title,text}")
    ['parts', '[*]', '{title,text}']
    """
    steps: list[str] = _STEP.findall(path)
    return steps


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if step.startswith("{"):
        for path in step[1:-1].split(","):
            yield from _at(value, tokenize_path(path.strip()) + rest)
    elif step.startswith("["):
        if isinstance(value, (list, tuple)):
            index = step[1:-1]
            chosen = value if index == "*" else value[int(index) :][:1]
            for item in chosen:
                yield from _at(item, rest)
    elif step == "*" and isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _at(item, rest)
    elif isinstance(value, Mapping) and step in value:
        yield from _at(value[step], rest)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, (str, int, float)):
        return str(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_as_json)


def _as_json(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)
