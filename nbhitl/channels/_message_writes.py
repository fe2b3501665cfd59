"""Ids for the messages in the writes of a step, so that a reducer finds each of them by one.

Reducers of chats in batches count on it: what they return for a message without an id differs from run to run.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nbhitl._langchain import is_message

_NO_ROLES = ("remove", "developer")
"""What LangChain takes for a role, and LangGraph's engine does not here."""


def with_ids(write: Any) -> Any:
    """Return a write whose messages have ids. Dicts in a list that tell a message become one; the rest is as given.

    Messages without an id get theirs in place: who wrote them sees it too.

    Raises:
        ValueError: a dict in a list names a message's role or type, and is none.
        KeyError: a tool's message in a dict lacks its `tool_call_id`.
    """
    if isinstance(write, list):
        return [_message_of(item) if isinstance(item, dict) else _named(item) for item in write]
    if isinstance(write, dict) and _kind(write) and not write.get("id"):
        return {**write, "id": str(uuid4())}
    return _named(write)


def name_messages(replacement: Any) -> None:
    """Give ids to the messages of a list or tuple that replaces a value."""
    if isinstance(replacement, (list, tuple)):
        for item in replacement:
            _named(item)


def _named(item: Any) -> Any:
    if is_message(item) and item.id is None:
        item.id = str(uuid4())
    return item


def _message_of(item: dict[str, Any]) -> Any:
    if not _kind(item):
        return item
    from nbhitl._message_forms import coerce_message

    message = coerce_message(item)
    message.id = message.id or str(uuid4())
    return message


def _kind(item: dict[str, Any]) -> str | None:
    """Return which message a dict tells by its role or type, if any."""
    from nbhitl._message_forms import ROLES

    role = str(item.get("role") or item.get("type"))
    return None if role in _NO_ROLES else ROLES.get(role)
