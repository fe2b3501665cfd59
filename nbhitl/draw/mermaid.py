"""Diagram -> Mermaid text, for places that render it: JupyterLab, GitHub, documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbhitl.draw.labels import MAX_LABEL, clean
from nbhitl.draw.status import state_text

if TYPE_CHECKING:
    from nbhitl.draw.diagram import Diagram, DiagramCluster, DiagramEdge, DiagramNode

# Words that mean something to Mermaid at the start of a statement, or inside one.
_RESERVED = frozenset(
    {"end", "graph", "flowchart", "subgraph", "class", "classdef", "click", "style", "linkstyle", "default"}
    | {"direction", "call", "href", "interpolate", "accdescr", "acctitle", "o", "x", "v"}
)
_PLAIN_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*|__start__|__end__").fullmatch
_SYNTHETIC = re.compile(r"n\d+|c\d+_").fullmatch
# Besides signs that could be markup: what would make a label look like an item of a list to Mermaid.
_SPECIAL = re.compile(r"[^A-Za-z0-9 _.,:+?!…·\u00d7-]|^[-+]|(?<=\d)\.(?=\s)")

_STYLES = {
    "default": "fill:#f3f5f9,stroke:#8590a2,color:#1b2430",
    "first": "fill:#ffffff,stroke:#8590a2,color:#1b2430",
    "last": "fill:#dfe4ec,stroke:#8590a2,color:#1b2430",
    "done": "fill:#e2f3e7,stroke:#2f7d4f,color:#14301f",
    "running": "fill:#dfecff,stroke:#1f63c4,stroke-width:3px,color:#0d2547",
    "paused": "fill:#fff0cf,stroke:#a86400,stroke-width:3px,color:#3d2600",
    "failed": "fill:#fde3e3,stroke:#c22f2f,stroke-width:3px,color:#4a0f0f",
    "next": "fill:#ffffff,stroke:#1f63c4,stroke-dasharray:4 3,color:#0d2547",
}

# Greys that can be seen on light and on dark pages.
_FRAME = "fill:none,stroke:#a9b2c0,color:#7b8696"
_LINE = "stroke:#7b8696"


def to_mermaid(diagram: Diagram, *, direction: str = "TD", styles: bool = True, curve: str = "linear") -> str:
    """The Mermaid text of a diagram; deterministic. Names are shown as quoted labels, never as markup.

    `direction` is TD (down) or LR (right); `curve` one of Mermaid's curve names, as letters.
    """
    if direction not in {"TD", "TB", "LR", "RL", "BT"}:
        raise ValueError(f"direction is {direction!r}; Mermaid knows TD, LR, RL and BT.")
    if not curve.isalpha():
        raise ValueError(f"curve is {curve!r}; it must be the name of a curve, such as 'linear' or 'basis'.")
    ids = _ids(diagram)
    lines = ["---", "config:", "  flowchart:", f"    curve: {curve}", "---", f"graph {direction};"]
    lines += [_node(node, ids) for node in diagram.nodes if node.cluster is None]
    if diagram.clusters:
        for cluster in diagram.clusters:
            if cluster.parent is None:
                lines += _cluster(cluster, diagram, ids, "\t")
    lines += [_edge(edge, ids) for edge in diagram.edges]
    if styles:
        used = {"default", "first", "last"} | {node.status for node in diagram.nodes if node.status}
        lines += [f"\tclassDef {name} {style}" for name, style in _STYLES.items() if name in used]
        lines += [f"\tstyle {_cluster_id(i)} {_FRAME}" for i in range(len(diagram.clusters))]
        lines += [f"\tlinkStyle default {_LINE}"] if diagram.edges else []
    return "\n".join(lines) + "\n"


def _ids(diagram: Diagram) -> dict[str, str]:
    """A node's own name where it is plain letters and digits and means nothing to Mermaid, else `n7`."""
    ids = {}
    for i, node in enumerate(diagram.nodes):
        key = node.key
        plain = _PLAIN_ID(key) is not None and len(key) <= 60 and key.lower() not in _RESERVED
        ids[key] = key if plain and not _SYNTHETIC(key) else f"n{i}"
    return ids


def _cluster(cluster: DiagramCluster, diagram: Diagram, ids: dict[str, str], indent: str) -> list[str]:
    number = diagram.clusters.index(cluster)
    lines = [f"{indent}subgraph {_cluster_id(number)}[{_quoted(cluster.label)}]"]
    lines += [indent + _node(node, ids) for node in diagram.nodes if node.cluster == cluster.key]
    for inner in diagram.clusters:
        if inner.parent == cluster.key:
            lines += _cluster(inner, diagram, ids, indent + "\t")
    return [*lines, f"{indent}end"]


def _cluster_id(number: int) -> str:
    return f"c{number}_"


def _node(node: DiagramNode, ids: dict[str, str]) -> str:
    name = ids[node.key]
    if node.kind == "node" and not node.notes and not node.status and not node.badges:
        return f"\t{name}({name if name == node.label else _quoted(node.label)})"
    if node.kind == "start":
        return f"\t{name}([{name if name == node.label else _quoted(node.label)}]):::first"
    if node.kind == "end":
        return f"\t{name}([{name if name == node.label else _quoted(node.label)}]):::last"
    if node.kind == "unknown":
        return f'\t{name}(("?"))'
    text = state_text(node)
    label = f'"{escaped(node.label)}<br/>{escaped(text)}"' if text else _quoted(node.label)
    opening, closing = ("[[", "]]") if node.kind == "subgraph" else ("(", ")")
    status = f":::{node.status}" if node.status else ""
    return f"\t{name}{opening}{label}{closing}{status}"


def _edge(edge: DiagramEdge, ids: dict[str, str]) -> str:
    arrow = "-->" if edge.kind in ("plain", "join") else "-.->"
    label = f"|{_quoted(edge.label)}|" if edge.label else ""
    return f"\t{ids[edge.source]} {arrow}{label} {ids[edge.target]};"


def _quoted(text: str) -> str:
    """A label. Mermaid can't read an empty one, so that becomes a space."""
    return f'"{escaped(text) or "#160;"}"'


def escaped(text: str) -> str:
    """Everything but letters, digits and harmless signs as Mermaid's numeric entities.

    Non-ASCII letters stay readable; `#` itself is escaped, so text can't form an entity of its own.
    """
    if text.isascii() and text.isidentifier() and len(text) <= MAX_LABEL:  # as most names are
        return text
    return _SPECIAL.sub(lambda match: _entity(match.group()), clean(text))


def _entity(char: str) -> str:
    return char if char.isalnum() or char in "\u200c\u200d\ufffd" else f"#{ord(char)};"
