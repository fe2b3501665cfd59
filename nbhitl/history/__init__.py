"""The past of a thread as tables: checkpoints, writes, decisions, and what differs between two of them.

Works for any graph that has LangGraph's `get_state_history`: nbhitl's own and those compiled by LangGraph.
pandas is imported when the first table is asked for, and only in this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbhitl.history.compare import Change, compare_values
    from nbhitl.history.frames import decisions_frame, diff_frame, history_frame, writes_frame
    from nbhitl.history.rows import HasHistory, HistoryRow, find_checkpoint, history_rows, read_history

__all__ = [
    "Change",
    "HasHistory",
    "HistoryRow",
    "compare_values",
    "decisions_frame",
    "diff_frame",
    "find_checkpoint",
    "history_frame",
    "history_rows",
    "read_history",
    "writes_frame",
]

_HOMES = {
    "Change": "compare",
    "compare_values": "compare",
    "HasHistory": "rows",
    "HistoryRow": "rows",
    "find_checkpoint": "rows",
    "history_rows": "rows",
    "read_history": "rows",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"nbhitl.history.{_HOMES.get(name, 'frames')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
