"""Where a program is written: classes of its own may be stored without being named anywhere.

A class is a program's own if it stands in the package of one of the program's modules, or is a global name of one of
them. Modules that the process has not loaded are never imported, and looking a name up runs no code.
"""

from __future__ import annotations

import sys
from typing import Any

from nbhitl.checkpoint.serde.usertypes import kind_of, type_name


def _package(module: str) -> str:
    return module.partition(".")[0]


class Homes:
    """The modules of the programs whose values are stored."""

    def __init__(self) -> None:
        self._modules: set[str] = set()
        self._packages: set[str] = set()

    def add(self, modules: frozenset[str]) -> None:
        """Count these as modules of a program."""
        if not modules <= self._modules:
            self._modules |= modules
            self._packages.update(map(_package, modules))

    def hold(self, cls: type) -> bool:
        """Whether a class is a program's own."""
        return _package(cls.__module__) in self._packages or any(
            names.get(cls.__name__) is cls for names in self._globals()
        )

    def find(self, name: str) -> type | None:
        """Return the class of a program that instances are stored under this name of, None if none is loaded."""
        module, _, path = name.partition(":")
        parts = path.split(".")
        places = [(vars(sys.modules[module]), parts)] if self._is_loaded(module) else []
        places += [(names, parts[-1:]) for names in self._globals()]
        for names, path_within in places:
            found = _within(names, path_within)
            if isinstance(found, type) and type_name(found) == name and kind_of(found) is not None:
                return found
        return None

    def _is_loaded(self, module: str) -> bool:
        return _package(module) in self._packages and module in sys.modules

    def _globals(self) -> list[dict[str, Any]]:
        return [vars(sys.modules[module]) for module in self._modules if module in sys.modules]


def _within(names: Any, path: list[str]) -> object:
    found: object = None
    for part in path:
        found = names.get(part)
        if not isinstance(found, type):
            return None
        names = vars(found)
    return found
