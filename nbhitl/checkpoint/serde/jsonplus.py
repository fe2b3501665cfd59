"""The serializer under the name that it has in programs written for LangGraph."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from nbhitl.checkpoint.serde.core import Serde

__all__ = ["JsonPlusSerializer"]


class JsonPlusSerializer(Serde):
    """A Serde that registers the classes of values as they are first stored.

    Args:
        pickle_fallback: nothing is ever pickled. Arrays and data frames, for which programs ask for it, are stored as
            data; a value that is not is refused with or without it.
        allowed_msgpack_modules: classes, or pairs of module and name, that may be loaded in a later process too.
        older: other lists of modules, which say nothing here.
    """

    def __init__(
        self, *, pickle_fallback: bool = False, allowed_msgpack_modules: Any = None, **older: Any
    ) -> None:
        super().__init__(learn=True)
        allowed = allowed_msgpack_modules if isinstance(allowed_msgpack_modules, (list, tuple, set)) else ()
        self.register(*(_class_of(entry) for entry in allowed))


def _class_of(entry: Any) -> type:
    """The class that a program names: as itself, or by module and name."""
    if isinstance(entry, type):
        return entry
    module, name = entry
    found: type = getattr(import_module(module), name)
    return found
