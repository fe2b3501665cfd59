"""Which compiled graph a node calls, and where in a thread its checkpoints are."""

from __future__ import annotations

import inspect
from functools import lru_cache
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from nbhitl.constants import NS_END, NS_SEP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbhitl.engine.spec import NodeSpec, Topology


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
    """The graphs that a function names, or that are steps of a chain of LangChain's, or that such a step names."""
    if type(action).__module__.startswith("langchain_core.runnables."):
        for step in _parts(action):
            if _is_graph(step):
                yield step
            else:
                yield from _named_by(step)
        return
    func = inspect.unwrap(action) if callable(action) else None
    func = getattr(func, "__func__", func)
    code = getattr(func, "__code__", None)
    if func is None or code is None:
        return
    cells = zip(code.co_freevars, func.__closure__ or (), strict=False)
    captured = {name: cell.cell_contents for name, cell in cells if _filled(cell)}
    named = list(captured.values())
    named += [func.__globals__[name] for name in code.co_names if name in func.__globals__]
    yield from filter(_is_graph, named)
    for root, *attributes in _attribute_chains(code):
        value = captured.get(root, func.__globals__.get(root))
        for attribute in attributes:
            is_module = isinstance(value, ModuleType)  # in which to look is quick, and runs nothing either
            value = (
                vars(value).get(attribute) if is_module else inspect.getattr_static(value, attribute, None)
            )
        if _is_graph(value):
            yield value


def _parts(runnable: Any) -> list[Any]:
    """The steps of a sequence, the function of a lambda; none of what else LangChain wraps, as LangGraph looks at it."""
    if type(runnable).__name__ == "RunnableSequence":
        return list(runnable.steps)
    if type(runnable).__name__ == "RunnableLambda":
        return [getattr(runnable, "func", None) or runnable.afunc]
    return []


@lru_cache(maxsize=512)
def _attribute_chains(code: CodeType, captured_only: bool = False) -> tuple[tuple[str, ...], ...]:
    """Return what a function reads of what it captures and of globals: `("holder", "graph")`, and on to `"invoke"`.

    A function within it counts for what that captures.
    """
    from dis import get_instructions

    chains: list[tuple[str, ...]] = []
    chain: tuple[str, ...] = ()
    for instruction in get_instructions(code):
        if instruction.opname == "LOAD_DEREF" or (instruction.opname == "LOAD_GLOBAL" and not captured_only):
            chain = (str(instruction.argval),)
        elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and chain:
            chain = (*chain, str(instruction.argval))
            chains.append(chain)
        else:
            chain = ()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            chains += _attribute_chains(constant, captured_only=True)
    return tuple(chains)


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
                f"Subgraph {_node_path(ns)} not found: graph {graph.name!r} has no node {name!r} that calls a graph."
            )
        graph = below
    return graph


def _node_path(ns: str) -> str:
    return NS_SEP.join(level.split(NS_END)[0] for level in ns.split(NS_SEP) if not level.isdigit())


def is_elsewhere(graph: Any, ns: str) -> bool:
    """Whether no node of `graph` is known to call the graph of namespace `ns`: a tool may, or another graph's node."""
    try:
        graph_at(graph, ns)
    except ValueError:
        return True
    return False


def called_namespace(topology: Topology, node: str, task_namespace: str) -> str | None:
    """Return the namespace of the graph that a task of a node calls, None if the node calls none with a store."""
    spec = topology.nodes.get(node)
    below = None if spec is None else subgraph_of(spec)
    return None if below is None or below.checkpointer is False else task_namespace


def subgraph_namespace(below: Any, task_namespace: str) -> str:
    """Return where a graph called by a task keeps its checkpoints."""
    if below.checkpointer is True:
        return NS_SEP.join(level.split(NS_END)[0] for level in task_namespace.split(NS_SEP))
    return task_namespace
