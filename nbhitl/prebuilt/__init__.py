"""Ready-made nodes: carry out tool calls, and decide whether there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.prebuilt import tool_node
from nbhitl.prebuilt.tool_node import ToolNode, tools_condition

if TYPE_CHECKING:
    from nbhitl.prebuilt.tool_node import InjectedState, InjectedStore, ToolRuntime

__all__ = ["InjectedState", "InjectedStore", "ToolNode", "ToolRuntime", "tools_condition"]


def __getattr__(name: str) -> Any:
    # Made when asked for: see nbhitl.prebuilt.tool_node.
    if name in ("InjectedState", "InjectedStore", "ToolRuntime"):
        return getattr(tool_node, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
