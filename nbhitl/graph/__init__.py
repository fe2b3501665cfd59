"""Build graphs: StateGraph, START, END, messages."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nbhitl.constants import END, START
from nbhitl.graph.state import StateGraph

if TYPE_CHECKING:
    from nbhitl.graph.message import MessagesState, add_messages
    from nbhitl.graph.message_graph import MessageGraph

__all__ = ["END", "START", "MessageGraph", "MessagesState", "StateGraph", "add_messages"]


def __getattr__(name: str) -> Any:
    # Graphs without messages need nothing of them.
    if name == "MessageGraph":
        return import_module("nbhitl.graph.message_graph").MessageGraph
    if name not in ("MessagesState", "add_messages", "message"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module("nbhitl.graph.message")
    return module if name == "message" else getattr(module, name)
