"""What `get_graph()` of a compiled graph returns: LangGraph's view, with our drawings behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from nbhitl.constants import END
from nbhitl.draw.diagram import Diagram, diagram_of
from nbhitl.draw.display import mimebundle
from nbhitl.draw.dot import to_dot
from nbhitl.draw.layout import RendererMissingError, run_dot
from nbhitl.draw.mermaid import to_mermaid
from nbhitl.draw.svg import require_svg
from nbhitl.draw.text import to_text

if TYPE_CHECKING:
    from os import PathLike

    from nbhitl.engine.spec import Topology


class Node(NamedTuple):
    """A node of a view: its id, its name, what it runs, and its metadata."""

    id: str
    name: str
    data: Any
    metadata: dict[str, Any] | None


class Edge(NamedTuple):
    """An edge of a view; `data` is its label, `conditional` says that it isn't always taken."""

    source: str
    target: str
    data: str | None = None
    conditional: bool = False


class GraphView:
    """A graph's nodes and edges, and ways to draw them; shows itself in a notebook. Needs no network.

    `nodes` is `{id: Node}`; `edges` a list of Edge by source and target, the plain ways to the end last.
    """

    def __init__(self, topology: Topology, *, xray: bool | int = False) -> None:
        self.diagram: Diagram = diagram_of(topology, xray=xray)
        self.nodes = _nodes(self.diagram, topology)
        self.edges = _edges(self.diagram)

    def draw_mermaid(
        self, *, with_styles: bool = True, curve_style: Any = "linear", direction: str = "TD", **_ignored: Any
    ) -> str:
        """The graph as Mermaid text. LangGraph's options for colours and wrapping have no effect."""
        curve = str(getattr(curve_style, "value", curve_style))
        return to_mermaid(self.diagram, direction=direction, styles=with_styles, curve=curve)

    def draw_ascii(self) -> str:
        """The graph as text, in ASCII characters only."""
        return to_text(self.diagram, ascii=True)

    def print_ascii(self) -> None:
        """Prints `draw_ascii()`."""
        print(self.draw_ascii())

    def draw_svg(self) -> str:
        """The graph as SVG text. Raises RendererMissingError, which says what to install."""
        return require_svg(self.diagram)

    def draw_png(self, output_file_path: str | PathLike[str] | None = None, **_ignored: Any) -> bytes | None:
        """The graph as PNG, by the `dot` program; written to the file when one is given, else returned.

        Raises RuntimeError where there is no `dot`; `draw_svg()` does without.
        """
        try:
            picture = run_dot(to_dot(self.diagram), "png")
        except RendererMissingError as missing:
            _no_png("draw_png()", missing)
        if output_file_path is None:
            return picture
        with open(output_file_path, "wb") as file:
            file.write(picture)
        return None

    def draw_mermaid_png(
        self, *, output_file_path: str | PathLike[str] | None = None, **_ignored: Any
    ) -> bytes:
        """The graph as PNG, by the `dot` program and not by a service on the network.

        Raises RuntimeError where there is no `dot`.
        """
        try:
            picture = run_dot(to_dot(self.diagram), "png")
        except RendererMissingError as missing:
            _no_png("draw_mermaid_png()", missing)
        if output_file_path is not None:
            with open(output_file_path, "wb") as file:
                file.write(picture)
        return picture

    def to_json(self) -> dict[str, list[dict[str, Any]]]:
        """Plain data: `{"nodes": [{"id", "name", ...}, ...], "edges": [{"source", "target", ...}, ...]}`."""
        nodes = [
            {"id": node.id, "name": node.name} | ({"metadata": node.metadata} if node.metadata else {})
            for node in self.nodes.values()
        ]
        edges: list[dict[str, Any]] = []
        for edge in self.edges:
            shown: dict[str, Any] = {"source": edge.source, "target": edge.target}
            if edge.data is not None:
                shown["data"] = edge.data
            if edge.conditional:
                shown["conditional"] = True
            edges.append(shown)
        return {"nodes": nodes, "edges": edges}

    def __repr__(self) -> str:
        return to_text(self.diagram)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return mimebundle(self.diagram)


def _no_png(what: str, missing: RendererMissingError) -> NoReturn:
    raise RuntimeError(
        f"{what} can't make a PNG here: {missing}, and nbhitl never sends a graph to a drawing service on "
        "the network. Let the graph be the last line of a cell to see it, or save draw_svg() to a file; "
        "with Graphviz installed on the system PNG works too."
    ) from missing


def _nodes(diagram: Diagram, topology: Topology) -> dict[str, Node]:
    nodes = {}
    for shown in diagram.nodes:
        if shown.kind == "unknown":
            continue
        spec = topology.nodes.get(shown.key)
        nodes[shown.key] = Node(
            shown.key, shown.label, spec.action if spec else None, _metadata(spec, topology)
        )
    return nodes


def _metadata(spec: Any, topology: Topology) -> dict[str, Any] | None:
    """Metadata as given, and under the keys that LangGraph uses, what else was said about the node."""
    if spec is None:
        return None
    metadata = dict(spec.metadata or {})
    if spec.defer:
        metadata["defer"] = True
    before, after = spec.name in topology.interrupt_before, spec.name in topology.interrupt_after
    if before or after:
        metadata["__interrupt"] = "before,after" if before and after else "before" if before else "after"
    return metadata or None


def _edges(diagram: Diagram) -> list[Edge]:
    unknown = {node.key for node in diagram.nodes if node.kind == "unknown"}
    edges = [
        Edge(edge.source, edge.target, edge.label or None, edge.kind in ("conditional", "inferred"))
        for edge in diagram.edges
        if edge.target not in unknown
    ]
    ends = [edge for edge in edges if edge.target == END and not edge.conditional]
    others = [edge for edge in edges if edge.target != END or edge.conditional]
    return sorted(others, key=lambda edge: (edge.source, edge.target)) + ends
