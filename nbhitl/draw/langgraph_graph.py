"""The diagram of a graph compiled by LangGraph, read from its public `get_graph()`. Nothing is imported for it."""

from __future__ import annotations

from typing import Any

from nbhitl.constants import END, START
from nbhitl.draw.diagram import Diagram, DiagramCluster, DiagramEdge, DiagramNode, NodeKind
from nbhitl.draw.infer import asks

_GATES = {
    "before": ("pauses before",),
    "after": ("pauses after",),
    "before,after": ("pauses before", "pauses after"),
}


def langgraph_diagram(graph: Any, *, xray: bool | int = False) -> Diagram:
    """The diagram of any object with LangGraph's `get_graph(xray=)`.

    Edges are those that LangGraph reports; one that it draws to the end only because it can't see where the node's
    Command leads is replaced by what stands in the node's code. Raises TypeError for another object.
    """
    if not callable(getattr(graph, "get_graph", None)):
        raise TypeError(f"A graph with get_graph() is needed to draw it; this is a {type(graph).__name__}.")
    shown = graph.get_graph(xray=xray)
    nodes = tuple(_node(key, node) for key, node in shown.nodes.items())
    edges = tuple(
        DiagramEdge(e.source, e.target, _label(e), "conditional" if e.conditional else "plain")
        for e in shown.edges
    )
    name = graph.get_name() if callable(getattr(graph, "get_name", None)) else type(graph).__name__
    return Diagram(str(name), nodes, edges, _clusters(shown.nodes))


def _label(edge: Any) -> str:
    return "" if edge.data is None else str(edge.data)


def _node(key: str, node: Any) -> DiagramNode:
    outer, _, label = key.rpartition(":")
    kind: NodeKind = "node"
    if label == START:
        kind = "start"
    elif label == END:
        kind = "end"
    elif callable(getattr(node.data, "get_graph", None)) and hasattr(node.data, "stream_mode"):
        kind = "subgraph"
    notes = _GATES.get(str((node.metadata or {}).get("__interrupt", "")), ())
    if kind == "node" and asks(node.data):
        notes += ("asks",)
    return DiagramNode(key, label, kind, notes, outer or None)


def _clusters(keys: Any) -> tuple[DiagramCluster, ...]:
    """The subgraphs, as the keys of their nodes name them: `outer:inner:node`."""
    found: dict[str, DiagramCluster] = {}
    for key in keys:
        parts = key.split(":")[:-1]
        for depth in range(1, len(parts) + 1):
            path = ":".join(parts[:depth])
            found.setdefault(
                path, DiagramCluster(path, parts[depth - 1], ":".join(parts[: depth - 1]) or None)
            )
    return tuple(found.values())
