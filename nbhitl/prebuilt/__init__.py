"""Ready-made nodes: carry out tool calls, and decide whether there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.prebuilt import tool_node
from nbhitl.prebuilt.tool_node import ToolNode, tools_condition

if TYPE_CHECKING:
    from nbhitl.prebuilt.tool_node import InjectedState, InjectedStore, ToolRuntime

__all__ = ["InjectedState", "InjectedStore", "ToolNode", "ToolRuntime", "tools_condition"]


_ELSEWHERE = {
    "create_react_agent": "make the loop of StateGraph(MessagesState), a node that calls the model, a ToolNode and "
    "tools_condition.",
    "ValidationNode": "a ToolNode tells the model what is wrong with a tool call's arguments.",
    "ToolCallTransformer": "it is for LangGraph's stream_events(version='v3'); read stream() instead.",
}
"""LangGraph's names that are not here, and what to use."""


def __getattr__(name: str) -> Any:
    # Made when asked for: see nbhitl.prebuilt.tool_node.
    if name in ("InjectedState", "InjectedStore", "ToolRuntime"):
        return getattr(tool_node, name)
    if name in _ELSEWHERE:
        raise ImportError(f"nbhitl.prebuilt has no {name}: {_ELSEWHERE[name]}", name=__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
