"""A thread's history in lines, for graphs of nbhitl whose saver stores steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.engine.outline import history_lines
from nbhitl.graph._compiled import CompiledStateGraph
from nbhitl.graph._place import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.checkpoint.records import HistoryLine


def graph_lines(graph: Any, config: Any, same: Callable[[Any, Any], bool]) -> list[HistoryLine] | None:
    """Return what `history_lines` of a graph does."""
    if type(graph).get_state_history is not CompiledStateGraph.get_state_history:
        return None
    place = Place(graph, config)
    outline = getattr(place.saver, "outline", None)
    if outline is None or place.checkpoint_id is not None:
        return None
    return history_lines(
        place.graph.program, place.thread_id, place.ns, outline(place.thread_id, place.ns), same
    )
