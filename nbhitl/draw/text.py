"""Diagram -> plain text: what a terminal, GitHub and a test of a notebook see.

    START ─▸ agent
             ├┄▸ tools [paused · 2 questions] ─▸ agent ↺
             └┄▸ END

A walk from START. Each node is written once, with what it leads to; where an edge comes to a node that has
its place elsewhere, a sign says where: ↺ back to one on the way here, ↑ above, ↓ below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nbhitl.constants import END, START
from nbhitl.draw.labels import cells, clean
from nbhitl.draw.status import state_text

if TYPE_CHECKING:
    from nbhitl.draw.diagram import Diagram, DiagramEdge, DiagramNode


class _Glyphs(NamedTuple):
    """The signs that lines are made of."""

    solid: str
    dashed: str
    head: str
    tee: str
    corner: str
    rail: str
    loop: str
    above: str
    below: str


_UNICODE = _Glyphs("─", "┄", "▸", "├", "└", "│", " ↺", " ↑", " ↓")
_ASCII = _Glyphs("-", ".", ">", "|", "`", "|", " (loop)", " (above)", " (below)")
_PLAIN = str.maketrans({"…": "...", "·": ",", "\u00d7": "x"})

_ROOM_FOR_BRANCHES = 0.55
"""Branches that would start further right than this share of the width get a place of their own below."""


def to_text(diagram: Diagram, *, width: int = 100, ascii: bool = False) -> str:
    """The diagram as lines of at most about `width` columns; deterministic, without a newline at the end.

    With `ascii`, only ASCII characters. Names are shown without control characters.
    """
    drawing = _Drawing(diagram, max(width, 40), _ASCII if ascii else _UNICODE)
    text = "\n".join(drawing.lines())
    if not ascii:
        return text
    return text.translate(_PLAIN).replace(" ,", ",").encode("ascii", "backslashreplace").decode()


class _Item(NamedTuple):
    """A node that still has to be written: its key, what led to it, how its line begins, the rails under it.

    `column` is how wide both are; `lead` ends where `prefix` does.
    """

    key: str
    parent: str | None
    lead: str
    prefix: str
    column: int


class _Drawing:
    """One walk over one diagram."""

    def __init__(self, diagram: Diagram, width: int, glyphs: _Glyphs) -> None:
        self._width = width
        self._glyphs = glyphs
        self._note = diagram.note
        self._kids = _kids(diagram, glyphs)
        self._names = _names(diagram)
        self._leaves = {
            n.key for n in diagram.nodes if n.kind in ("end", "unknown") and n.key not in self._kids
        }
        self._roots = [node.key for node in diagram.nodes if node.key not in self._leaves]
        self._written: dict[str, str | None] = {}  # each node that has its place, and what led to it
        self._below: dict[str, None] = {}  # nodes that get their place after the present walk
        self._lines: list[str] = []

    def lines(self) -> list[str]:
        for root in self._roots:
            self._walk(root)
            while self._below:
                self._walk(next(iter(self._below)))
        if self._note:
            self._lines.append(f"({self._note})")
        return self._lines

    def _walk(self, root: str) -> None:
        self._below.pop(root, None)
        if root in self._written:
            return
        stack = [_Item(root, None, "", "", 0)]
        while stack:
            stack += reversed(self._write(stack.pop()))

    def _write(self, item: _Item) -> list[_Item]:
        """Writes a node and all that follows without branching; returns the branches, still to be written."""
        key, parent, line, prefix, column = item
        start = column
        while not self._is_settled(key):
            name = self._names[key]
            line += name.text
            self._written[key] = parent
            kids = self._kids.get(key)
            if not kids or len(kids) > 1:
                self._lines.append(line)
                return self._branches(key, kids, prefix + " " * (column - start), column) if kids else []
            parent, key = key, kids[0].target
            arrow, wide = kids[0].arrow, kids[0].width
            column += name.width + 1 + wide
            if self._is_too_far(key, column):
                self._lines.append(line)
                line, column = f"{prefix}  {arrow}", start + 2 + wide
            else:
                line = f"{line} {arrow}"
        self._lines.append(line + self._names[key].short + self._where(key, parent))
        return []

    def _is_settled(self, key: str) -> bool:
        return key in self._leaves or key in self._written or key in self._below

    def _where(self, key: str, parent: str | None) -> str:
        """The sign behind a node that has its place elsewhere."""
        if key in self._leaves:
            return ""
        if key not in self._written:
            return self._glyphs.below
        while parent is not None:
            if parent == key:
                return self._glyphs.loop
            parent = self._written[parent]
        return self._glyphs.above

    def _is_too_far(self, key: str, column: int) -> bool:
        """Whether a node has to begin a new line: it doesn't fit, or its branches would start too far out."""
        if self._is_settled(key):
            return column + self._names[key].short_width > self._width
        branches = len(self._kids.get(key, ())) > 1
        return column + self._names[key].width > self._width or (
            branches and column > self._width * _ROOM_FOR_BRANCHES
        )

    def _branches(self, key: str, kids: list[_Edge], base: str, column: int) -> list[_Item]:
        glyphs = self._glyphs
        if column > self._width * _ROOM_FOR_BRANCHES:
            self._below.update({edge.target: None for edge in kids if not self._is_settled(edge.target)})
        items = []
        for edge in kids:
            joint, rail = (glyphs.corner, " ") if edge is kids[-1] else (glyphs.tee, glyphs.rail)
            lead, under = f"{base}{joint}{edge.arrow}", f"{base}{rail}{' ' * edge.width}"
            items.append(_Item(edge.target, key, lead, under, column + 1 + edge.width))
        return items


class _Edge(NamedTuple):
    """All edges between two nodes, as one arrow with its label; `width` in columns."""

    target: str
    arrow: str
    width: int


class _Name(NamedTuple):
    """How a node is written at its place, and (`short`) where it is only named; widths in columns."""

    text: str
    width: int
    short: str
    short_width: int


def _kids(diagram: Diagram, glyphs: _Glyphs) -> dict[str, list[_Edge]]:
    """What each node leads to; several edges to one target become one, with their labels side by side."""
    pairs: dict[str, dict[str, list[DiagramEdge]]] = {}
    for edge in diagram.edges:
        pairs.setdefault(edge.source, {}).setdefault(edge.target, []).append(edge)
    return {
        source: [_arrow(target, edges, glyphs) for target, edges in targets.items()]
        for source, targets in pairs.items()
    }


def _arrow(target: str, edges: list[DiagramEdge], glyphs: _Glyphs) -> _Edge:
    dashed = all(edge.kind in ("conditional", "inferred") for edge in edges)
    shaft = glyphs.dashed if dashed else glyphs.solid
    label = " / ".join(clean(edge.label) for edge in edges if edge.label)
    if not label:
        return _Edge(target, f"{shaft}{glyphs.head} ", 3)
    return _Edge(target, f"{shaft} {label} {shaft}{glyphs.head} ", cells(label) + 6)


def _names(diagram: Diagram) -> dict[str, _Name]:
    """How each node is written: START, END, or its name with what there is to say about it in brackets."""
    joined: dict[str, int] = {}
    for edge in diagram.edges:
        if edge.kind == "join":
            joined[edge.target] = joined.get(edge.target, 0) + 1
    return {node.key: _name(node, joined.get(node.key, 0)) for node in diagram.nodes}


def _name(node: DiagramNode, joined: int) -> _Name:
    """A node inside a subgraph is written with the path to it, "research:agent"."""
    if node.kind == "unknown":
        return _Name("?", 1, "?", 1)
    inside = clean(node.key.removesuffix(node.label)) if node.cluster else ""
    short = inside + (_TERMINALS.get(node.label) or clean(node.label))
    said = state_text(node)
    if joined:
        said = " · ".join(filter(None, (said, f"waits for all {joined}")))
    text = f"{short} [{said}]" if said else short
    return _Name(text, cells(text), short, cells(short))


_TERMINALS = {START: "START", END: "END"}
