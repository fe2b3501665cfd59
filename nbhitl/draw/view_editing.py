"""Nodes and edges that a program adds to a graph's view, or takes away, as LangChain's graphs allow it.

They show in `nodes`, `edges`, `draw_mermaid()` and `to_json()`; the other drawings show the graph that runs.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from nbhitl.draw.declared import Edge, Node, outermost

if TYPE_CHECKING:
    from typing import Self


class EditableView:
    """What is in a view, as data: `nodes` is `{id: Node}`, `edges` a list."""

    nodes: dict[str, Node]
    edges: list[Edge]

    def next_id(self) -> str:
        """Return an id for a node that is given none: 32 hex digits."""
        return uuid4().hex

    def add_node(self, data: Any, id: str | None = None, *, metadata: dict[str, Any] | None = None) -> Node:
        """Add a node and return it; its name is its id, or without one the name of `data`.

        Raises:
            ValueError: there is a node with this id.
        """
        if id is not None and id in self.nodes:
            raise ValueError(f"Node with id {id} already exists")
        key = id or self.next_id()
        node = self.nodes[key] = Node(key, id or _name_of(data), data, metadata)
        return node

    def remove_node(self, node: Node) -> None:
        """Take a node away, with the edges at it.

        Raises:
            KeyError: it is not in the graph.
        """
        self.nodes.pop(node.id)
        self.edges = [edge for edge in self.edges if node.id not in (edge.source, edge.target)]

    def add_edge(
        self, source: Node, target: Node, data: str | None = None, conditional: bool = False
    ) -> Edge:
        """Add an edge and return it; `data` is its label.

        Raises:
            ValueError: one of the nodes is not in the graph.
        """
        for which, node in (("Source", source), ("Target", target)):
            if node.id not in self.nodes:
                raise ValueError(f"{which} node {node.id} not in graph")
        edge = Edge(source.id, target.id, data, conditional)
        self.edges.append(edge)
        return edge

    def extend(self, graph: Any, *, prefix: str = "") -> tuple[Node | None, Node | None]:
        """Add all of another graph; return its first and last node as they are here, None where there are several.

        Ids become `prefix:id`; not where all of them were made by `next_id`, which are different anyway.
        """
        before = f"{prefix}:" if prefix and not all(map(_is_made, graph.nodes)) else ""
        ids = {key: before + key for key in graph.nodes}
        nodes = {
            ids[key]: Node(ids[key], node.name, node.data, node.metadata) for key, node in graph.nodes.items()
        }
        edges = [Edge(ids[e.source], ids[e.target], e.data, e.conditional) for e in graph.edges]
        self.nodes |= nodes
        self.edges = [*self.edges, *edges]
        first, last = (outermost(nodes, edges, end) for end in ("target", "source"))
        return None if first is None else nodes[first], None if last is None else nodes[last]

    def reid(self) -> Self:
        """Return a copy in which ids that `next_id` made are names, numbered where several nodes have one."""
        named: dict[str, list[str]] = {}
        for key, node in self.nodes.items():
            named.setdefault(node.name, []).append(key)
        readable = {
            key: (name if len(keys) == 1 else f"{name}_{number}") if _is_made(key) else key
            for name, keys in named.items()
            for number, key in enumerate(keys, 1)
        }
        other = copy(self)
        other.nodes = {readable[key]: node.copy(id=readable[key]) for key, node in self.nodes.items()}
        other.edges = [
            edge.copy(source=readable[edge.source], target=readable[edge.target]) for edge in self.edges
        ]
        return other


def _is_made(id: str) -> bool:
    """Whether an id was made by `next_id`, or is another UUID."""
    try:
        UUID(id)
    except ValueError:
        return False
    return True


def _name_of(data: Any) -> str:
    if callable(getattr(data, "get_name", None)):
        return str(data.get_name())
    return str(getattr(data, "__name__", type(data).__name__))
