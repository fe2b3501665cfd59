"""Drawings of graphs: as SVG, as text, as Mermaid and as DOT. Offline; what is drawn is data, never markup.

diagram = diagram_of(compiled.topology)              # or langgraph_diagram(a graph compiled by LangGraph)
print(to_text(diagram))                              # for a terminal
to_svg(with_status(diagram, {"tools": "paused"}))    # None where no Graphviz can be had
mimebundle(diagram)                                  # what a cell shows
"""

from nbhitl.draw.diagram import (
    Diagram,
    DiagramCluster,
    DiagramEdge,
    DiagramNode,
    NodeStatus,
    diagram_of,
)
from nbhitl.draw.display import mimebundle
from nbhitl.draw.dot import to_dot
from nbhitl.draw.graph_view import GraphView
from nbhitl.draw.langgraph_graph import langgraph_diagram
from nbhitl.draw.layout import RendererMissingError
from nbhitl.draw.mermaid import to_mermaid
from nbhitl.draw.mini import to_mini_svg
from nbhitl.draw.status import with_status
from nbhitl.draw.svg import require_svg, svg_with_status, to_svg
from nbhitl.draw.text import to_text

__all__ = [
    "Diagram",
    "DiagramCluster",
    "DiagramEdge",
    "DiagramNode",
    "GraphView",
    "NodeStatus",
    "RendererMissingError",
    "diagram_of",
    "langgraph_diagram",
    "mimebundle",
    "require_svg",
    "svg_with_status",
    "to_dot",
    "to_mermaid",
    "to_mini_svg",
    "to_svg",
    "to_text",
    "with_status",
]
