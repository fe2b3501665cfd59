"""LangGraph's names and nbhitl's, for programs that run on both engines and must see the same."""

from __future__ import annotations

import re
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

_MODULES = (
    "graph", "graph.message", "types", "errors", "config", "cache.memory", "cache.sqlite", "checkpoint.memory",
)  # fmt: skip
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def engine(package: str) -> SimpleNamespace:
    """What the programs of these tests import, from `package`."""
    names: dict[str, Any] = {"name": package}
    for module in _MODULES:
        loaded = import_module(f"{package}.{module}")
        names.update({name: getattr(loaded, name) for name in dir(loaded) if not name.startswith("_")})
    return SimpleNamespace(**{**names, "name": package})


LANGGRAPH, OURS = engine("langgraph"), engine("nbhitl")
BOTH = pytest.mark.parametrize("e", [LANGGRAPH, OURS], ids=["langgraph", "nbhitl"])


def without_ids(value: Any) -> Any:
    """Return a value with `ID` for the ids of tasks, which differ from run to run."""
    if isinstance(value, str):
        return _ID.sub("ID", value)
    if isinstance(value, dict):
        return {key: without_ids(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(without_ids(inner) for inner in value)
    return value
