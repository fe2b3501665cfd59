"""The payloads and answers of the Agent Inbox: what a node asks about an action, and what comes back."""

from __future__ import annotations

from typing import Any, Literal

from nbhitl._typed_dict import TypedDict

__all__ = ["ActionRequest", "HumanInterrupt", "HumanInterruptConfig", "HumanResponse"]


class HumanInterruptConfig(TypedDict):
    """Which answers are allowed."""

    allow_ignore: bool
    allow_respond: bool
    allow_edit: bool
    allow_accept: bool


class ActionRequest(TypedDict):
    """An action, by name, and its arguments."""

    action: str
    args: dict[str, Any]


class HumanInterrupt(TypedDict):
    """A question about an action; `interrupt()` is given a list of them and returns a list of answers."""

    action_request: ActionRequest
    config: HumanInterruptConfig
    description: str | None


class HumanResponse(TypedDict):
    """An answer: `args` is None, text for `response`, or the changed action for `edit`."""

    type: Literal["accept", "ignore", "response", "edit"]
    args: str | ActionRequest | None
