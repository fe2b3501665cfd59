"""Chat messages: LangChain's own classes where langchain-core is installed, else light ones that look alike.

    >>> from nbhitl.messages import HumanMessage
    >>> HumanMessage("Which orders are late?").content
    'Which orders are late?'

Importing this module loads nothing; asking it for a class decides which one it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._langchain import is_message
from nbhitl._message_forms import coerce_messages, messages_module

if TYPE_CHECKING:
    from nbhitl._messages import (
        AIMessage,
        BaseMessage,
        ChatMessage,
        FunctionMessage,
        HumanMessage,
        RemoveMessage,
        SystemMessage,
        ToolMessage,
    )

__all__ = [
    "AIMessage",
    "BaseMessage",
    "ChatMessage",
    "FunctionMessage",
    "HumanMessage",
    "RemoveMessage",
    "SystemMessage",
    "ToolMessage",
    "coerce_messages",
    "is_message",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(messages_module(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
