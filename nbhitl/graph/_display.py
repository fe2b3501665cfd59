"""How a compiled graph shows itself; loads the drawing when somebody looks."""

from __future__ import annotations

from copy import copy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbhitl.engine.spec import Topology


def graph_view(topology: Topology, *, xray: bool | int) -> Any:
    """Return the graph's nodes and edges as an object that draws itself."""
    from nbhitl.draw import GraphView

    return GraphView(_opened(topology) if xray else topology, xray=xray)


def _opened(topology: Topology) -> Topology:
    """Return the topology with the graphs that functions call in the place of the functions."""
    from nbhitl.graph._subgraphs import subgraph_of

    nodes = {}
    for name, spec in topology.nodes.items():
        nodes[name] = shown = copy(spec)
        below = subgraph_of(spec)
        if below is not None:
            shown.subgraph = SimpleNamespace(
                topology=_opened(below.topology), checkpointer=below.checkpointer
            )
    opened = copy(topology)
    opened.nodes = nodes
    return opened


def mimebundle(topology: Topology) -> dict[str, Any]:
    """Return the graph's picture for a notebook: SVG, and text beside it."""
    from nbhitl import draw

    return draw.mimebundle(draw.diagram_of(topology))
