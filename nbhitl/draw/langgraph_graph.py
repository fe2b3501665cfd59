"""The diagram of a graph compiled by LangGraph, read from its public attributes without importing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbhitl.constants import END, START
from nbhitl.draw.diagram import Diagram, DiagramCluster, DiagramEdge, DiagramNode, NodeKind, diagram_of
from nbhitl.draw.infer import asks
from nbhitl.engine.spec import BranchSpec, NodeSpec, Topology

if TYPE_CHECKING:
    from collections.abc import Iterable

_BUILDER = ("nodes", "edges", "waiting_edges", "branches")
_GATES = {
    "before": ("pauses before",),
    "after": ("pauses after",),
    "before,after": ("pauses before", "pauses after"),
}


def langgraph_diagram(graph: Any, *, xray: bool | int = False) -> Diagram:
    """The diagram of a graph compiled by LangGraph, or of any object with its `get_graph(xray=)`.

    A StateGraph is read from its builder, so that targets that only the code names are found, as in our own
    graphs. For others edges are what `get_graph()` reports. Raises TypeError for an object without that.
    """
    if not callable(getattr(graph, "get_graph", None)):
        raise TypeError(f"A graph with get_graph() is needed to draw it; this is a {type(graph).__name__}.")
    topology = langgraph_topology(graph)
    if topology is not None:
        return diagram_of(topology, xray=xray)
    return _reported(graph, graph.get_graph(xray=xray))


def langgraph_topology(graph: Any) -> Topology | None:
    """The topology of a graph that LangGraph compiled from a StateGraph; None for one made otherwise."""
    builder = getattr(graph, "builder", None)
    if builder is None or not all(hasattr(builder, name) for name in _BUILDER):
        return None
    names = list(builder.nodes)
    place = {name: i for i, name in enumerate([START, *names, END])}
    nodes = {name: _spec(name, spec) for name, spec in builder.nodes.items()}
    return Topology(
        name=_name(graph),
        nodes=nodes,
        # A builder keeps its edges in sets: the order of the nodes makes drawings the same in every process.
        edges=sorted(builder.edges, key=lambda edge: (place[edge[0]], place[edge[1]])),
        joins=sorted(builder.waiting_edges, key=lambda join: (place[join[1]], [place[s] for s in join[0]])),
        branches={
            source: [BranchSpec(branch.path, branch.ends, str(key)) for key, branch in branches.items()]
            for source, branches in builder.branches.items()
        },
        interrupt_before=_gated(getattr(graph, "interrupt_before_nodes", ()), names),
        interrupt_after=_gated(getattr(graph, "interrupt_after_nodes", ()), names),
    )


@dataclass(frozen=True)
class _Inside:
    """A subgraph, as far as drawing it goes."""

    topology: Topology


def _spec(name: str, spec: Any) -> NodeSpec:
    ends = spec.ends if isinstance(spec.ends, dict) else dict.fromkeys(spec.ends or (), "")
    inner = langgraph_topology(spec.runnable)
    return NodeSpec(
        name,
        spec.runnable,
        metadata=spec.metadata,
        defer=bool(spec.defer),
        ends=ends,
        subgraph=None if inner is None else _Inside(inner),
    )


def _gated(names: str | Iterable[str], every: list[str]) -> frozenset[str]:
    return frozenset(every if names == "*" else names)


def _name(graph: Any) -> str:
    named = graph.get_name() if callable(getattr(graph, "get_name", None)) else type(graph).__name__
    return str(named)


def _reported(graph: Any, shown: Any) -> Diagram:
    """The diagram of what `get_graph()` reports."""
    nodes = tuple(_node(key, node) for key, node in shown.nodes.items())
    edges = tuple(
        DiagramEdge(
            edge.source,
            edge.target,
            "" if edge.data is None else str(edge.data),
            "conditional" if edge.conditional else "plain",
        )
        for edge in shown.edges
    )
    return Diagram(_name(graph), nodes, edges, _clusters(shown.nodes))


def _node(key: str, node: Any) -> DiagramNode:
    outer, _, label = key.rpartition(":")
    kinds: dict[str, NodeKind] = {START: "start", END: "end"}
    notes = _GATES.get(str((node.metadata or {}).get("__interrupt", "")), ())
    if label not in kinds and asks(node.data):
        notes += ("asks",)
    return DiagramNode(key, label, kinds.get(label, "node"), notes, outer or None)


def _clusters(keys: Iterable[str]) -> tuple[DiagramCluster, ...]:
    """The subgraphs, as the keys of their nodes name them: `outer:inner:node`."""
    found: dict[str, DiagramCluster] = {}
    for key in keys:
        parts = key.split(":")[:-1]
        for depth in range(1, len(parts) + 1):
            path = ":".join(parts[:depth])
            parent = ":".join(parts[: depth - 1]) or None
            found.setdefault(path, DiagramCluster(path, parts[depth - 1], parent))
    return tuple(found.values())
