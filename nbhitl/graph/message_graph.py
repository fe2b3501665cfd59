"""MessageGraph: a graph whose whole state is a list of chat messages."""

from __future__ import annotations

import warnings
from typing import Annotated

from nbhitl.graph.message import AnyMessage, add_messages
from nbhitl.graph.state import StateGraph
from nbhitl.warnings import LangGraphDeprecatedSinceV10

__all__ = ["MessageGraph"]


class MessageGraph(StateGraph):
    """A StateGraph whose nodes take the list of messages and return what is added to it.

    Deprecated: a StateGraph with `MessagesState` does the same, and can have more keys.
    """

    def __init__(self) -> None:
        warnings.warn(
            LangGraphDeprecatedSinceV10("`MessageGraph` is deprecated. Use `StateGraph(MessagesState)`."),
            stacklevel=2,
        )
        super().__init__(Annotated[list[AnyMessage], add_messages])
