"""A view as Mermaid text in the form that LangChain gives it, with names that could be markup escaped."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from nbhitl.draw.declared import outermost
from nbhitl.draw.mermaid import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbhitl.draw.declared import Edge, Node

_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]")
_EMPHASIS = ("*", "_", "`")
_PLAIN = ("(", ")")
_STYLES = {
    "default": "fill:#f2f0ff,line-height:1.2",
    "first": "fill-opacity:0",
    "last": "fill:#bfb6fc",
}


def view_mermaid(
    nodes: dict[str, Node],
    edges: list[Edge],
    *,
    styles: bool = True,
    colors: Any = None,
    words: int = 9,
    frontmatter: dict[str, Any] | None = None,
    curve: str = "linear",
) -> str:
    """The Mermaid text. Without `styles` only the edges; a label is broken after so many `words`.

    `colors` has CSS for the attributes `default`, `first` and `last`; `frontmatter` goes into the text's header.
    """
    writer = _Writer(nodes, edges, styles, words)
    head = _header(frontmatter or {}, curve) if styles else []
    lines = [*head, "graph TD;", *writer.body()]
    if styles:
        lines += [f"\tclassDef {name} {getattr(colors, name, css)}" for name, css in _STYLES.items()]
    return "\n".join(lines) + "\n"


def _header(frontmatter: dict[str, Any], curve: str) -> list[str]:
    if not curve.isalpha():
        raise ValueError(f"curve is {curve!r}; it must be the name of a curve, such as 'linear' or 'basis'.")
    config = dict(frontmatter.get("config", {}))
    config["flowchart"] = {**config.get("flowchart", {}), "curve": curve}
    return ["---", *_yaml({**frontmatter, "config": config}, ""), "---"]


def _yaml(values: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in sorted(values.items()):
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from _yaml(value, indent + "  ")
        else:
            yield f"{indent}{key}: {str(value).lower() if isinstance(value, bool) else value}"


class _Writer:
    """Writes nodes and edges, each subgraph's between `subgraph` and `end`."""

    def __init__(self, nodes: dict[str, Node], edges: list[Edge], styles: bool, words: int) -> None:
        self.nodes = nodes
        self.styles = styles
        self.words = words
        self.ends = {
            outermost(nodes, edges, "target"): ("([", "]):::first"),
            outermost(nodes, edges, "source"): ("([", "]):::last"),
        }
        self.ends.pop(None, None)
        self.groups: dict[str, list[Edge]] = {}
        for edge in edges:
            self.groups.setdefault(_common(edge.source, edge.target), []).append(edge)
        self.inside: dict[str, list[str]] = {}
        for key in nodes:
            self.inside.setdefault(key.rpartition(":")[0], []).append(key)
        self.id = cache(_id)

    def body(self) -> Iterator[str]:
        if self.styles:
            yield from map(self._node, self.inside.get("", ()))
        yield from map(self._edge, self.groups.get("", ()))
        for place in self._places():
            yield from self._group(place)

    def _places(self) -> list[str]:
        """Return the outermost subgraphs, each once; those without edges only where nodes are written."""
        places = dict.fromkeys([*self.groups, *(self.inside if self.styles else ())])
        return [place for place in places if place and ":" not in place]

    def _group(self, place: str) -> Iterator[str]:
        """Write a subgraph. As in LangChain's text, those within it are written only if both have edges."""
        edges = self.groups.get(place, [])
        loops = len(edges) == 1 and edges[0].source == edges[0].target
        if not loops:
            yield f"\tsubgraph {_label(place)}"
            if self.styles:
                yield from map(self._node, self.inside.get(place, ()))
        yield from map(self._edge, edges)
        for inner in self.groups if edges else ():
            if inner.rpartition(":")[0] == place:
                yield from self._group(inner)
        if not loops:
            yield "\tend"

    def _node(self, key: str) -> str:
        node = self.nodes[key]
        label = _label(node.name)
        if label.startswith(_EMPHASIS) and label.endswith(_EMPHASIS):
            label = f"<p>{label}</p>"
        if node.metadata:
            told = "\n".join(f"{escaped(str(k))} = {_value(v)}" for k, v in node.metadata.items())
            label = f"{label}<hr/><small><em>{told}</em></small>"
        opening, closing = self.ends.get(key, _PLAIN)
        return f"\t{self.id(key)}{opening}{label}{closing}"

    def _edge(self, edge: Edge) -> str:
        arrow = "-.->" if edge.conditional else "-->"
        if edge.data is not None:
            label = f"&nbsp;{self._wrapped(edge.data)}&nbsp;"
            arrow = f"-. {label} .->" if edge.conditional else f"-- {label} -->"
        return f"\t{self.id(edge.source)} {arrow} {self.id(edge.target)};"

    def _wrapped(self, label: str) -> str:
        words = [escaped(word) for word in str(label).split()]
        if len(words) <= self.words:
            return escaped(str(label))
        lines = [" ".join(words[i : i + self.words]) for i in range(0, len(words), self.words)]
        return "&nbsp<br>&nbsp".join(lines)


def _common(source: str, target: str) -> str:
    """The subgraph that both ends of an edge are in; of an edge from a node to itself, the node.

    As in LangChain's text, an edge between nodes of one name in two subgraphs stands in a group of that name.
    """
    if ":" not in source and source != target:
        return ""
    pairs = zip(source.split(":"), target.split(":"), strict=False)
    return ":".join(one for one, other in pairs if one == other)


def _label(name: str) -> str:
    return escaped(name.rpartition(":")[2] if ":" in name else name)


def _value(value: Any) -> str:
    return (
        ", ".join(escaped(str(item)) for item in value)
        if isinstance(value, (list, tuple))
        else escaped(str(value))
    )


def _id(key: str) -> str:
    if key.isascii() and key.isidentifier():  # as most names are
        return key
    return _UNSAFE.sub(lambda match: f"\\{ord(match.group()):x}", key)
