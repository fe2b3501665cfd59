"""Diagram -> a small SVG for the corner of a card: a dot for each node, with marks for states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.draw.layout import Layout, RendererMissingError, layout
from nbhitl.draw.style import MARKS, STYLE
from nbhitl.draw.svg import at, opening

if TYPE_CHECKING:
    from nbhitl.draw.diagram import Diagram, DiagramNode

_DOT = 18
_TERMINAL = 9


def to_mini_svg(diagram: Diagram) -> str | None:
    """The diagram as a small SVG without text, some 20 pixels high for a chain; None without Graphviz.

    Nodes carry the same `data-node` and `data-status` as in `to_svg`; names are in its `aria-label` only.
    """
    try:
        placed = layout(_layout_dot(diagram))
    except RendererMissingError:
        return None
    return _write(diagram, placed)


def _size(node: DiagramNode) -> int:
    return _DOT if node.kind in ("node", "subgraph") else _TERMINAL


def _layout_dot(diagram: Diagram) -> str:
    ids = diagram.ids()
    lines = [
        "digraph {",
        "graph [rankdir=LR nodesep=0.12 ranksep=0.2]",
        'node [shape=circle fixedsize=true label=""]',
        "edge [arrowsize=0.4]",
    ]
    lines += [f"{ids[node.key]} [width={_size(node) / 72:.3f}]" for node in diagram.nodes]
    lines += [f"{ids[e.source]} -> {ids[e.target]} [id=e{i}]" for i, e in enumerate(diagram.edges)]
    return "\n".join([*lines, "}"])


def _write(diagram: Diagram, placed: Layout) -> str:
    ids = diagram.ids()
    parts = [opening(diagram, placed), f"<style>{STYLE}</style>"]
    for edge, line in zip(diagram.edges, placed.edges, strict=True):
        start, *rest = map(at, line.points)
        curve = f"M{start}C{' '.join(rest)}L{at(line.tip)}"
        parts.append(
            f'<g class="nb-edge" data-kind="{edge.kind}"><path d="{curve}" fill="none" stroke="#7b8696"/></g>'
        )
    parts += [_node(node, ids[node.key], at(placed.nodes[ids[node.key]])) for node in diagram.nodes]
    return "\n".join([*parts, "</svg>"])


def _node(node: DiagramNode, node_id: str, centre: str) -> str:
    marks = "".join(
        f'<path class="nb-{status}" d="{path}"{"" if node.status == status else _HIDDEN}/>'
        for status, path in MARKS.items()
    )
    return (
        f'<g class="nb-node" data-node="{node_id}" data-kind="{node.kind}" data-status="{node.status or ""}" '
        f'transform="translate({centre})"><circle class="nb-box" r="{_size(node) / 2:g}" fill="#f3f5f9" '
        f'stroke="#8590a2"/><g class="nb-mark" transform="scale(.85)">{marks}</g></g>'
    )


_HIDDEN = ' display="none"'
