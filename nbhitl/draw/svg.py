"""Diagram -> SVG. Graphviz computes the positions; every element is written here, and all text is escaped.

The picture has no scripts, links, ids, tooltips or comments: it can stand in any page, and several times.
In a page it takes JupyterLab's theme by its CSS variables; as an image, colours that hold on light and dark.

To restyle it in place, in a page as by `svg_with_status`: each node is
`<g class="nb-node" data-node="n1" data-status="" data-lines="1">`. Set `data-status` to a status or "", put
its text into the `.nb-state` inside, and set `data-lines` to "2", or "1" when that text is empty; CSS does
the rest. `Diagram.ids()` says which `data-node` is whose.
"""

from __future__ import annotations

import re
from html import escape
from math import hypot
from typing import TYPE_CHECKING

from nbhitl.draw.boxes import LABEL_SIZE, MARK, NAME_SIZE, Box, boxes
from nbhitl.draw.dot import layout_dot
from nbhitl.draw.labels import clean, width
from nbhitl.draw.layout import EdgeLine, Layout, Point, RendererMissingError, layout
from nbhitl.draw.style import MARKS, STYLE

if TYPE_CHECKING:
    from nbhitl.draw.diagram import Diagram, DiagramEdge, DiagramNode

_MARGIN = 6.0


def to_svg(diagram: Diagram, *, direction: str = "TB") -> str | None:
    """The diagram as SVG text; None without Graphviz, so that the caller shows text instead.

    `direction` is TB (down) or LR (right). `require_svg` raises with the reason instead.
    """
    try:
        return require_svg(diagram, direction=direction)
    except RendererMissingError:
        return None


def require_svg(diagram: Diagram, *, direction: str = "TB") -> str:
    """The diagram as SVG text. Raises RendererMissingError, which says what to install."""
    return write_svg(diagram, layout(layout_dot(diagram, direction=direction)))


def write_svg(diagram: Diagram, placed: Layout) -> str:
    """The SVG of a diagram whose positions are known. Pure and deterministic."""
    ids, sizes = diagram.ids(), boxes(diagram)
    parts = [opening(diagram, placed), f"<style>{STYLE}</style>"]
    for number, cluster in enumerate(diagram.clusters):
        if number in placed.clusters:
            parts.append(_cluster(placed.clusters[number], clean(cluster.label)))
    parts += [_edge(edge, line) for edge, line in zip(diagram.edges, placed.edges, strict=True)]
    parts += [_edge_label(edge, line) for edge, line in zip(diagram.edges, placed.edges, strict=True)]
    for node in diagram.nodes:
        parts.append(
            _node(node, ids[node.key], sizes[node.key], placed.nodes[ids[node.key]], diagram.stateful)
        )
    parts.append("</svg>")
    return "\n".join(part for part in parts if part)


_NODE = re.compile(
    r'<g class="nb-node" data-node="(n\d+)" data-kind="(?:node|subgraph)" data-status="[a-z]*" '
    r'data-lines="[12]">(.*?<text class="nb-state"[^>]*>)[^<]*</text></g>'
)  # fmt: skip


def svg_with_status(svg: str, diagram: Diagram) -> str:
    """`svg`, made by `to_svg` of the same graph with room for states, showing the states of `diagram`.

    Nothing is laid out anew. Diagrams with state come from `with_status`; ValueError for one without.
    """
    if not diagram.stateful:
        raise ValueError("The diagram has no states to show; make it with with_status(diagram, statuses).")
    ids, sizes = diagram.ids(), boxes(diagram)
    by_id = {ids[node.key]: node for node in diagram.nodes}

    def restyled(match: re.Match[str]) -> str:
        node = by_id[match[1]]
        state = sizes[node.key].state
        return f"{_group(match[1], node, state)}{match[2]}{escape(state)}</text></g>"

    return _NODE.sub(restyled, svg)


def opening(diagram: Diagram, placed: Layout) -> str:
    """The opening tag of a picture of the diagram: its size, and what a screen reader says."""
    wide, high = _n(placed.width + 2 * _MARGIN), _n(placed.height + 2 * _MARGIN)
    corner = _n(-_MARGIN)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="nbhitl-graph" role="img" '
        f'aria-label="{escape(_spoken(diagram))}" viewBox="{corner} {corner} {wide} {high}" '
        f'width="{wide}" height="{high}" style="max-width:100%;height:auto">'
    )


def _spoken(diagram: Diagram) -> str:
    """What a screen reader says: the graph, and the nodes that are not simply done."""
    count = sum(1 for node in diagram.nodes if node.kind in ("node", "subgraph"))
    states = [
        f"{clean(node.label)} is {node.status}" for node in diagram.nodes if node.status not in (None, "done")
    ]
    head = f"Graph {clean(diagram.name)}, {count} node{'' if count == 1 else 's'}"
    return "; ".join([head, *states])


def _cluster(frame: tuple[float, float, float, float], label: str) -> str:
    left, top, right, bottom = frame
    return (
        f'<g class="nb-cluster"><rect x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" '
        f'height="{_n(bottom - top)}" rx="8" fill="none" stroke="#a9b2c0"/>'
        f'<text x="{_n(left + 10)}" y="{_n(top + 16)}">{escape(label)}</text></g>'
    )


def _edge(edge: DiagramEdge, line: EdgeLine) -> str:
    start, *rest = map(at, line.points)
    return (
        f'<g class="nb-edge" data-kind="{edge.kind}">'
        f'<path d="M{start}C{" ".join(rest)}" fill="none" stroke="#7b8696"/>'
        f"{_arrow(edge, line.points[-1], line.tip)}</g>"
    )


def _arrow(edge: DiagramEdge, base: Point, tip: Point) -> str:
    along_x, along_y = tip[0] - base[0], tip[1] - base[1]
    length = hypot(along_x, along_y) or 1.0
    side_x, side_y = -along_y / length, along_x / length

    def beside(distance: float) -> str:
        return at((base[0] + side_x * distance, base[1] + side_y * distance))

    head = f'<path d="M{beside(3.4)}L{at(tip)}L{beside(-3.4)}Z" fill="#7b8696"/>'
    if edge.kind == "join":
        head += f'<path d="M{beside(6)}L{beside(-6)}" stroke="#7b8696" stroke-width="2"/>'
    return head


def _edge_label(edge: DiagramEdge, line: EdgeLine) -> str:
    if line.label is None:
        return ""
    text = clean(edge.label)
    x, y = line.label
    wide = width(text, LABEL_SIZE) + 8
    return (
        f'<g class="nb-label"><rect x="{_n(x - wide / 2)}" y="{_n(y - 8)}" width="{_n(wide)}" height="16" '
        f'rx="4" fill="#f3f5f9"/>{_text("", x, y + 3.7, text)}</g>'
    )


def _node(node: DiagramNode, node_id: str, box: Box, centre: Point, stateful: bool) -> str:
    x, y = centre
    if node.kind in ("start", "end", "unknown"):
        return (
            f'<g class="nb-node" data-node="{node_id}" data-kind="{node.kind}">'
            f"{_rect('nb-box', centre, box, 0, box.height / 2)}{_text('nb-name', x, y + 3.8, box.name)}</g>"
        )
    parts = [_group(node_id, node, box.state), _rect("nb-box", centre, box, 0, 7)]
    if node.kind == "subgraph":
        parts.append(_sides(centre, box))
    name_x, name_y = x, y + 4.5
    if stateful or box.state:
        name_y = y - 2.5
    if stateful:
        name_x += MARK / 2
        parts.append(_rect("nb-inner", centre, box, 3, 5))
        parts.append(_marks(node, x - width(box.name, NAME_SIZE) / 2 - MARK / 2 + 2, name_y - 4.5))
    parts += [_text("nb-name", name_x, name_y, box.name), _text("nb-state", x, y + 13, box.state), "</g>"]
    return "".join(parts)


def _group(node_id: str, node: DiagramNode, state: str) -> str:
    return (
        f'<g class="nb-node" data-node="{node_id}" data-kind="{node.kind}" data-status="{node.status or ""}" '
        f'data-lines="{2 if state else 1}">'
    )


def _rect(name: str, centre: Point, box: Box, inset: float, radius: float) -> str:
    left, top = centre[0] - box.width / 2 + inset, centre[1] - box.height / 2 + inset
    fill, stroke = ("none", "none") if inset else ("#f3f5f9", "#8590a2")
    return (
        f'<rect class="{name}" x="{_n(left)}" y="{_n(top)}" width="{_n(box.width - 2 * inset)}" '
        f'height="{_n(box.height - 2 * inset)}" rx="{_n(radius)}" fill="{fill}" stroke="{stroke}"/>'
    )


def _sides(centre: Point, box: Box) -> str:
    """Two upright lines in the box: the flow chart's sign for a procedure, here a graph of its own."""
    top, high = centre[1] - box.height / 2, _n(box.height)
    left, right = centre[0] - box.width / 2 + 6, centre[0] + box.width / 2 - 6
    path = f"M{at((left, top))}v{high}M{at((right, top))}v{high}"
    return f'<path class="nb-sides" d="{path}" fill="none" stroke="#8590a2"/>'


def _marks(node: DiagramNode, x: float, y: float) -> str:
    """The marks of all statuses; CSS shows the one that holds, the attribute does where CSS is taken away."""
    shown = [
        f'<path class="nb-{status}" d="{path}"{"" if node.status == status else _HIDDEN}/>'
        for status, path in MARKS.items()
    ]
    return f'<g class="nb-mark" transform="translate({at((x, y))})">{"".join(shown)}</g>'


_HIDDEN = ' display="none"'


def _text(name: str, x: float, y: float, text: str) -> str:
    kind = f' class="{name}"' if name else ""
    return f'<text{kind} x="{_n(x)}" y="{_n(y)}" text-anchor="middle">{escape(text)}</text>'


def at(point: Point) -> str:
    """A point as paths and transforms write it: `12.5,3`."""
    return f"{_n(point[0])},{_n(point[1])}"


def _n(value: float) -> str:
    """A number with at most one decimal: `12`, `0.5`."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
