"""In which modules the program is written that a graph belongs to; pure."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbhitl.engine.spec import NodeSpec, Topology

_WRAPPERS = frozenset({"functools", "langchain_core.runnables.base"})
_NO_PROGRAM = frozenset({
    "", "builtins", "functools", "typing", "typing_extensions", "pydantic", "nbhitl", "langgraph", "langchain_core"
})  # fmt: skip


def homes_of(topology: Topology, schemas: Iterable[Any]) -> frozenset[str]:
    """Return the names of the modules in which a graph's nodes, paths and schemas are written, of called graphs too.

    Modules of the libraries that every program uses do not count.
    """
    paths = (branch.path for branches in topology.branches.values() for branch in branches)
    written = chain(schemas, _actions(topology.nodes), paths)
    below = (spec.subgraph.program.homes for spec in topology.nodes.values() if spec.subgraph is not None)
    return frozenset(chain(filter(_is_home, set(map(_module, written))), *below))


def _actions(nodes: Mapping[str, NodeSpec]) -> Iterable[Any]:
    return (spec.action for spec in nodes.values() if spec.subgraph is None)


def _module(target: Any) -> str:
    """Return the module of a function, a callable object or a class; empty if it does not tell."""
    module = getattr(target, "__module__", None)
    if module in _WRAPPERS:
        module = getattr(getattr(target, "func", None), "__module__", None)
    return module if isinstance(module, str) else ""


def _is_home(module: str) -> bool:
    return module.partition(".")[0] not in _NO_PROGRAM
