"""The states of LangGraph's ready-made agent, which programs derive their own from."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from nbhitl.graph.message import add_messages
from nbhitl.managed import RemainingSteps

__all__ = ["AgentState", "AgentStateWithStructuredResponse"]


class AgentState(TypedDict):
    """A conversation, and how many steps the run may still take."""

    messages: Annotated[list[Any], add_messages]
    remaining_steps: NotRequired[RemainingSteps]


class AgentStateWithStructuredResponse(AgentState):
    """With the answer that the model gave in the form it was asked for."""

    structured_response: Any


def __getattr__(name: str) -> Any:
    from nbhitl import prebuilt

    return getattr(prebuilt, name)
