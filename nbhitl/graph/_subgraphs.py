"""Which compiled graph a node calls, and where in a thread its checkpoints are."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from nbhitl.constants import NS_END, NS_SEP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nbhitl.engine.spec import NodeSpec


def subgraph_of(spec: NodeSpec) -> Any:
    """Return the compiled graph that a node is, or that its function names, or None."""
    if spec.subgraph is not None:
        return spec.subgraph
    return next(_named_by(spec.action), None)


def graph_called_by(graph: Any, node: str) -> Any:
    """Return the compiled graph that a node of `graph` calls, or None; None too if there is no such node."""
    spec = graph.topology.nodes.get(node)
    return subgraph_of(spec) if spec is not None else None


def _named_by(action: Any) -> Iterator[Any]:
    func = inspect.unwrap(action) if callable(action) else None
    func = getattr(func, "__func__", func)
    code = getattr(func, "__code__", None)
    if func is None or code is None:
        return
    cells = zip(code.co_freevars, func.__closure__ or (), strict=False)
    named = [cell.cell_contents for _, cell in cells if _filled(cell)]
    named += [func.__globals__[name] for name in code.co_names if name in func.__globals__]
    for value in named:
        if _is_graph(value):
            yield value


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - reading an empty cell raises
    except ValueError:
        return False
    return True


def _is_graph(value: Any) -> bool:
    from nbhitl.graph._compiled import CompiledStateGraph

    return isinstance(value, CompiledStateGraph)


def graph_at(graph: Any, ns: str) -> Any:
    """Return the graph whose checkpoints are in namespace `ns`, `graph` itself for the root.

    Raises:
        ValueError: no node on the way calls a graph.
    """
    for level in ns.split(NS_SEP) if ns else ():
        name = level.split(NS_END)[0]
        if name.isdigit() and NS_END not in level and name not in graph.topology.nodes:
            continue  # the number of a second call within one task
        below = graph_called_by(graph, name)
        if below is None:
            raise ValueError(
                f"Subgraph {name} not found: graph {graph.name!r} has no such node that calls a graph."
            )
        graph = below
    return graph


def is_elsewhere(graph: Any, ns: str) -> bool:
    """Whether namespace `ns` begins at a node that `graph` does not have: it is inside another graph."""
    return ns.split(NS_SEP, maxsplit=1)[0].split(NS_END, maxsplit=1)[0] not in graph.topology.nodes


def called_namespace(spec: NodeSpec) -> Callable[[str], str | None]:
    """Return what turns a task's namespace into that of the graph which the node calls, or into None."""

    def namespace(task_namespace: str) -> str | None:
        below = subgraph_of(spec)
        return None if below is None or below.checkpointer is False else task_namespace

    return namespace


def subgraph_namespace(below: Any, task_namespace: str) -> str:
    """Return where a graph called by a task keeps its checkpoints."""
    if below.checkpointer is True:
        return NS_SEP.join(level.split(NS_END)[0] for level in task_namespace.split(NS_SEP))
    return task_namespace
