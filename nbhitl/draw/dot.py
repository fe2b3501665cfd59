"""Diagram -> DOT text: the drawing for people who have Graphviz, and the bare form used for layout."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from nbhitl.draw.boxes import LABEL_SIZE, Box, boxes
from nbhitl.draw.labels import clean, width

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.draw.diagram import Diagram, DiagramCluster, DiagramEdge, DiagramNode

DIRECTIONS = ("TB", "LR")
_FONT = "Helvetica,Arial,sans-serif"
_POINTS = 72.0

_SPACING = {"nodesep": "0.35", "ranksep": "0.42"}
_NODES = {
    "shape": "box",
    "style": "rounded,filled",
    "fillcolor": "#f3f5f9",
    "color": "#8590a2",
    "fontcolor": "#1b2430",
    "fontname": _FONT,
    "fontsize": "13",
    "fixedsize": "true",
    "margin": "0",
}
_EDGES = {
    "color": "#7b8696",
    "fontcolor": "#5a6575",
    "fontname": _FONT,
    "fontsize": "10",
    "arrowsize": "0.7",
}
_CLUSTERS = {
    "labeljust": "l",
    "style": "rounded",
    "color": "#a9b2c0",
    "fontsize": "11",
    "fontcolor": "#5a6575",
}

_NODE_STYLES: dict[str | None, dict[str, str]] = {
    None: {},
    "done": {"fillcolor": "#e2f3e7", "color": "#2f7d4f"},
    "running": {"fillcolor": "#dfecff", "color": "#1f63c4", "penwidth": "2.5"},
    "paused": {"fillcolor": "#fff0cf", "color": "#a86400", "peripheries": "2"},
    "failed": {"fillcolor": "#fde3e3", "color": "#c22f2f", "shape": "octagon", "style": "filled"},
    "next": {"fillcolor": "#ffffff", "color": "#1f63c4", "style": "rounded,filled,dashed"},
}
_KIND_STYLES: dict[str, dict[str, str]] = {
    "start": {"fillcolor": "#ffffff", "fontsize": "10"},
    "end": {"fillcolor": "#dfe4ec", "fontsize": "10"},
    "unknown": {"shape": "circle", "style": "dotted", "fontsize": "10"},
    "subgraph": {"shape": "box3d", "style": "filled"},
}
_EDGE_STYLES: dict[str, dict[str, str]] = {
    "plain": {},
    "conditional": {"style": "dashed"},
    "inferred": {"style": "dotted"},
    "join": {"arrowhead": "normaltee"},
}


def to_dot(diagram: Diagram, *, direction: str = "TB") -> str:
    """The DOT text of a diagram; deterministic.

    Nodes are called n0, n1, ...; names of the graph occur only as escaped labels, and nothing becomes a link.
    `direction` is TB (down) or LR (right).
    """
    import graphviz

    _check_direction(direction)
    ids, sizes = diagram.ids(), boxes(diagram)
    look = {"rankdir": direction, "bgcolor": "transparent", "fontname": _FONT, **_SPACING}
    graph = graphviz.Digraph(graph_attr=look, node_attr=_NODES, edge_attr=_EDGES)
    for node in diagram.nodes:
        if node.cluster is None:
            _add_node(graph, node, ids, sizes)
    _add_clusters(graph, diagram, None, ids, sizes)
    for edge in diagram.edges:
        label = {"label": _label(edge.label)} if edge.label else {}
        graph.edge(ids[edge.source], ids[edge.target], **label, **_EDGE_STYLES[edge.kind])
    return str(graph.source)


def _check_direction(direction: str) -> None:
    if direction not in DIRECTIONS:
        raise ValueError(f"direction is {direction!r}; it must be TB (down) or LR (right).")


def _add_node(graph: Any, node: DiagramNode, ids: dict[str, str], sizes: dict[str, Box]) -> None:
    box = sizes[node.key]
    attributes = {**_KIND_STYLES.get(node.kind, {}), **_NODE_STYLES[node.status]}
    graph.node(
        ids[node.key],
        label=_label(box.name, box.state),
        width=f"{box.width / _POINTS:.3f}",
        height=f"{box.height / _POINTS:.3f}",
        **attributes,
    )


def _add_clusters(
    graph: Any, diagram: Diagram, parent: str | None, ids: dict[str, str], sizes: dict[str, Box]
) -> None:
    for number, cluster in enumerate(diagram.clusters):
        if cluster.parent != parent:
            continue
        with graph.subgraph(name=f"cluster_{number}") as inner:
            inner.attr(label=_label(cluster.label), **_CLUSTERS)
            for node in diagram.nodes:
                if node.cluster == cluster.key:
                    _add_node(inner, node, ids, sizes)
            _add_clusters(inner, diagram, cluster.key, ids, sizes)


def _label(*lines: str) -> str:
    r"""Lines as one label in which nothing has a meaning: no `\N`, `<html>`, `&lt;` or closing quote."""
    import graphviz

    # Graphviz reads `&lt;` in a label as `<`.
    shown = [graphviz.escape(clean(line).replace("&", "&amp;")) for line in lines if line]
    no_html: str = str.__new__(graphviz.quoting.NoHtml, r"\n".join(shown))
    return no_html


def layout_dot(diagram: Diagram, *, direction: str = "TB") -> str:
    """The DOT text from which positions are computed: synthetic ids, sizes and edges, and no text at all."""
    _check_direction(direction)
    ids, sizes = diagram.ids(), boxes(diagram)
    lines = [
        "digraph {",
        f"graph [rankdir={direction} nodesep={_SPACING['nodesep']} ranksep={_SPACING['ranksep']} fontsize=11 "
        'labeljust=l fontname="Helvetica"]',
        'node [shape=box fixedsize=true label=""]',
        'edge [arrowsize=0.7 fontsize=10 fontname="Helvetica"]',
    ]

    def line(node: DiagramNode) -> str:
        box = sizes[node.key]
        shape = " shape=circle" if node.kind == "unknown" else ""
        return f"{ids[node.key]} [width={box.width / _POINTS:.3f} height={box.height / _POINTS:.3f}{shape}]"

    lines += [line(node) for node in diagram.nodes if node.cluster is None]
    if diagram.clusters:
        lines += _layout_clusters(diagram, None, line)
    lines += [_layout_edge(number, edge, ids) for number, edge in enumerate(diagram.edges)]
    return "\n".join([*lines, "}"])


def _layout_clusters(diagram: Diagram, parent: str | None, line: Callable[[DiagramNode], str]) -> list[str]:
    lines: list[str] = []
    for number, cluster in enumerate(diagram.clusters):
        if cluster.parent == parent:
            lines.append(f"subgraph cluster_{number} {{ {_stand_in_label(cluster)}")
            lines += [line(node) for node in diagram.nodes if node.cluster == cluster.key]
            lines += [*_layout_clusters(diagram, cluster.key, line), "}"]
    return lines


def _stand_in_label(cluster: DiagramCluster) -> str:
    return f'label="{_stand_in(clean(cluster.label))}";'


def _layout_edge(number: int, edge: DiagramEdge, ids: dict[str, str]) -> str:
    label = f' label="{_stand_in(clean(edge.label))}"' if edge.label else ""
    return f"{ids[edge.source]} -> {ids[edge.target]} [id=e{number}{label}]"


def _stand_in(text: str) -> str:
    """As many n as take the room of `text`: a layout needs to know how long a label is, not what it says."""
    return "n" * ceil((width(text, LABEL_SIZE) + 8) / (0.556 * 10))
