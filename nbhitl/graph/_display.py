"""How a compiled graph shows itself; loads the drawing when somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbhitl.engine.spec import Topology


def graph_view(topology: Topology, *, xray: bool | int) -> Any:
    """Return the graph's nodes and edges as an object that draws itself."""
    from nbhitl.draw import GraphView

    return GraphView(topology, xray=xray)


def mimebundle(topology: Topology) -> dict[str, Any]:
    """Return the graph's picture for a notebook: SVG, and text beside it."""
    from nbhitl import draw

    return draw.mimebundle(draw.diagram_of(topology))
