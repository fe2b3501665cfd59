"""The serializer under the name that it has in programs written for LangGraph."""

from __future__ import annotations

from typing import Any

from nbhitl.checkpoint.serde.core import Serde

__all__ = ["JsonPlusSerializer"]


class JsonPlusSerializer(Serde):
    """A Serde that registers the classes of values as they are first stored.

    Args:
        pickle_fallback: nothing is ever pickled. Arrays and data frames, for which programs ask for it, are stored as
            data; a value that is not is refused with or without it.
        allowed: lists of modules that LangGraph's serializer may import, which this one never does.
    """

    def __init__(self, *, pickle_fallback: bool = False, **allowed: Any) -> None:
        super().__init__(learn=True)
