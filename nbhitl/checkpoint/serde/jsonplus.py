"""The serializer under the name that it has in programs written for LangGraph."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from nbhitl.checkpoint.serde.core import Serde

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        self._not_there: list[Any] = []
        self._allow(allowed)

    def with_msgpack_allowlist(self, extra_allowlist: Iterable[Any]) -> Self:
        """Return another serializer that may load these classes, or pairs of module and name, as well."""
        found = type(self)()
        found.register_new(*self._classes.values())
        found._allow([*self._not_there, *extra_allowlist])
        return found

    def _allow(self, entries: Iterable[Any]) -> None:
        """Register classes; where one is not there yet, as in a module that is being imported, trust its module."""
        for entry in entries:
            cls = _class_of(entry)
            if cls is None:
                self._not_there.append(entry)
                self.trust(frozenset(entry[:1]))
            else:
                self.register(cls)


def _class_of(entry: Any) -> type | None:
    """The class that a program names, as itself or by module and name; None if it is not there."""
    if isinstance(entry, type):
        return entry
    module, name = entry
    try:
        found: type = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return None
    return found
