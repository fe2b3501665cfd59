"""What `get_graph()` of a compiled graph returns: LangGraph's view, with our drawings behind it."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NoReturn

from nbhitl.constants import END
from nbhitl.draw.declared import declared, outermost
from nbhitl.draw.diagram import Diagram, diagram_of
from nbhitl.draw.display import mimebundle
from nbhitl.draw.dot import to_dot
from nbhitl.draw.layout import RendererMissingError, run_dot
from nbhitl.draw.svg import require_svg
from nbhitl.draw.text import to_text
from nbhitl.draw.view_editing import EditableView
from nbhitl.draw.view_mermaid import view_mermaid

if TYPE_CHECKING:
    from os import PathLike

    from nbhitl.draw.declared import Node
    from nbhitl.engine.spec import Topology

_DEEP = 100


class GraphView(EditableView):
    """A graph's nodes and edges, and ways to draw them; shows itself in a notebook. Needs no network.

    `nodes` is `{id: Node}`; `edges` a list of Edge by source and target, the plain ways to the end last. They are what
    the builder was told; the drawings also show what was read from the source of nodes and path functions.
    """

    def __init__(self, topology: Topology, *, xray: bool | int = False) -> None:
        self._drawn = partial(diagram_of, topology, xray=xray)
        self.nodes, self.edges = declared(topology, _DEEP if xray is True else int(xray))

    @cached_property
    def diagram(self) -> Diagram:
        """What the drawings show. Made at need: it takes a look into the source of nodes and path functions."""
        return self._drawn()

    def draw_mermaid(
        self,
        *,
        with_styles: bool = True,
        curve_style: Any = "linear",
        node_colors: Any = None,
        wrap_label_n_words: int = 9,
        frontmatter_config: dict[str, Any] | None = None,
    ) -> str:
        """The nodes and edges as Mermaid text, in LangGraph's form."""
        shown = self.reid()
        return view_mermaid(
            shown.nodes,
            shown.edges,
            styles=with_styles,
            colors=node_colors,
            words=wrap_label_n_words,
            frontmatter=frontmatter_config,
            curve=str(getattr(curve_style, "value", curve_style)),
        )

    def first_node(self) -> Node | None:
        """The only node that no edge leads to; None if there are several."""
        key = outermost(self.nodes, self.edges, "target")
        return None if key is None else self.nodes[key]

    def last_node(self) -> Node | None:
        """The only node that no edge leaves; None if there are several."""
        key = outermost(self.nodes, self.edges, "source")
        return None if key is None else self.nodes[key]

    def trim_first_node(self) -> None:
        """Drop the first node if one edge leaves it and another node is first then; as LangChain does within a chain.

        It is dropped from `nodes`, `edges`, `draw_mermaid()` and `to_json()`; the other drawings show the whole graph.
        """
        self._trim("target", "source")

    def trim_last_node(self) -> None:
        """Drop the last node if one edge leads to it and another node is last then; see `trim_first_node`."""
        self._trim("source", "target")

    def _trim(self, taken: str, own: str) -> None:
        """Drop the node that no edge has as `taken`, an outermost one; `own` is the field its edge has it in."""
        key = outermost(self.nodes, self.edges, taken)
        rest = [edge for edge in self.edges if key not in (edge.source, edge.target)]
        left = {k: node for k, node in self.nodes.items() if k != key}
        alone = len({edge for edge in self.edges if getattr(edge, own) == key}) == 1
        if key is not None and alone and outermost(left, rest, taken) is not None:
            self.nodes, self.edges = left, rest

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

    def to_json(self, *, with_schemas: bool = False) -> dict[str, list[dict[str, Any]]]:
        """Plain data: `{"nodes": [{"id", "type", "data", ...}, ...], "edges": [{"source", "target", ...}, ...]}`.

        Nodes are no schemas, so `with_schemas` makes no difference.
        """
        nodes = [_node_json(node) for node in self.nodes.values()]
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


def _node_json(node: Node) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": node.id}
    if node.name != END:  # a drawn subgraph's end too
        shown["type"] = "runnable"
        shown["data"] = {"id": _kind(node.data), "name": node.id}
    return shown | ({"metadata": node.metadata} if node.metadata else {})


def _kind(data: Any) -> list[str]:
    """Where the class of a node is found, as programs that read LangGraph's graphs know it."""
    cls = type(data)
    if not (hasattr(cls, "invoke") and hasattr(cls, "ainvoke")):
        return ["langgraph", "_internal", "_runnable", "RunnableCallable"]
    if hasattr(cls, "get_graph") and cls.__module__.startswith("nbhitl.graph."):
        return ["langgraph", "graph", "state", cls.__name__]
    package, *rest = cls.__module__.split(".")
    return ["langgraph" if package == "nbhitl" else package, *rest, cls.__name__]
