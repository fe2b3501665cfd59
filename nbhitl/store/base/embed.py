"""What makes vectors of texts, in one form: an object with LangChain's methods for it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any

__all__ = ["AEmbeddingsFunc", "EmbeddingsFunc", "EmbeddingsLambda", "ensure_embeddings"]

EmbeddingsFunc = Callable[[Sequence[str]], list[list[float]]]
"""A function from texts to vectors."""

AEmbeddingsFunc = Callable[[Sequence[str]], Awaitable[list[list[float]]]]
"""The same, async."""


class EmbeddingsLambda:
    """A function from texts to vectors, sync or async, with the methods of LangChain's Embeddings.

    Raises:
        ValueError: a sync method of an async function is called.
    """

    def __init__(self, func: EmbeddingsFunc | AEmbeddingsFunc) -> None:
        self.func: Any = func
        self.is_async = inspect.iscoroutinefunction(func)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return a vector for each text."""
        if self.is_async:
            raise ValueError(
                "embed is an async function, and no sync one was given: await aembed_documents() or aembed_query()."
            )
        vectors: list[list[float]] = self.func(texts)
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a text."""
        return self.embed_documents([text])[0]

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return a vector for each text; a sync function runs in a thread."""
        if not self.is_async:
            return await asyncio.to_thread(self.embed_documents, texts)
        vectors: list[list[float]] = await self.func(texts)
        return vectors

    async def aembed_query(self, text: str) -> list[float]:
        """Return the vector of a text."""
        return (await self.aembed_documents([text]))[0]


def ensure_embeddings(embed: Any) -> Any:
    """Return an object with `embed_documents`, `embed_query` and their async twins.

    Args:
        embed: such an object, a function from a list of texts to a list of vectors, sync or async, or the name of one of
            LangChain's models.

    Raises:
        ValueError: it is None.
        TypeError: it is none of these.
    """
    if embed is None:
        raise ValueError("embed must be provided: a function that turns a list of texts into vectors.")
    if isinstance(embed, str):
        return import_module("langchain.embeddings").init_embeddings(embed)
    if hasattr(embed, "embed_documents"):
        return embed
    if not callable(embed):
        raise TypeError(f"embed is {embed!r}; it must be a function of a list of texts, or Embeddings.")
    return EmbeddingsLambda(embed)


def __getattr__(name: str) -> Any:
    if name not in ("get_text_at_path", "tokenize_path"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("nbhitl.store.vectors"), name)
