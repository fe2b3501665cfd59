"""How large each node is drawn, in pixels. No font is asked, so that it is the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from nbhitl.draw.labels import clean, width
from nbhitl.draw.status import STATUSES, state_text

if TYPE_CHECKING:
    from nbhitl.draw.diagram import Diagram, DiagramNode

NAME_SIZE: Final = 13.0
STATE_SIZE: Final = 10.5
LABEL_SIZE: Final = 10.5
MARK: Final = 18.0
"""Pixels kept at the left of a name for the mark of its state."""

_PADDING = 26.0
_TERMINALS = {"start": "START", "end": "END"}


class Box(NamedTuple):
    """A node's size in pixels, and its two lines of text; `state` is what stands under the name now."""

    width: float
    height: float
    name: str
    state: str


def boxes(diagram: Diagram) -> dict[str, Box]:
    """The box of each node, by node key."""
    return {node.key: _box(node, diagram.stateful) for node in diagram.nodes}


def _box(node: DiagramNode, stateful: bool) -> Box:
    if node.kind in _TERMINALS:
        name = _TERMINALS[node.kind]
        return Box(round(width(name, LABEL_SIZE)) + 22.0, 22.0, name, "")
    if node.kind == "unknown":
        return Box(22.0, 22.0, "?", "")
    name, state = clean(node.label), state_text(node)
    room = width(name, NAME_SIZE) + (MARK if stateful else 0)
    if stateful:
        # The longest state fits from the start: a node that goes from "next" to "running" moves nothing.
        room = max(room, *(width(status, STATE_SIZE) for status in STATUSES))
    room = max(room, width(state, STATE_SIZE) + 4, 36.0)
    return Box(round(room) + _PADDING, 42.0 if stateful or state else 32.0, name, state)
