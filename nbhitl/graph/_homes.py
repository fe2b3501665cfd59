"""In which modules the program is written that a graph belongs to; pure."""

from __future__ import annotations

from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.engine.spec import Topology

_WRAPPERS = frozenset({"functools", "langchain_core.runnables.base"})
_NO_PROGRAM = frozenset({
    "", "builtins", "functools", "typing", "typing_extensions", "pydantic", "nbhitl", "langgraph", "langchain_core"
})  # fmt: skip


def homes_of(topology: Topology, schemas: Iterable[Any]) -> frozenset[str]:
    """Return the names of the modules in which a graph's nodes, paths and schemas are written, of called graphs too.

    Modules of the libraries that every program uses do not count.
    """
    specs = topology.nodes.values()
    actions = [spec.action for spec in specs if spec.subgraph is None]
    below = [spec.subgraph.program.homes for spec in specs if spec.subgraph is not None]
    paths = [branch.path for branches in topology.branches.values() for branch in branches]
    # A function, which nearly all are, has no function within it to ask.
    modules = {
        written.__module__ if type(written) is FunctionType else _module(written)
        for written in (*schemas, *actions, *paths)
    }
    return frozenset(filter(_is_home, modules)).union(*below)


def _module(target: Any) -> str:
    """Return the module of a function, a callable object or a class; empty if it does not tell."""
    module = getattr(target, "__module__", None)
    if module in _WRAPPERS:
        module = getattr(getattr(target, "func", None), "__module__", None)
    return module if isinstance(module, str) else ""


def _is_home(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] not in _NO_PROGRAM
