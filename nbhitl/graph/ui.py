"""Messages that ask a user interface to show a component, beside the chat messages of a state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, cast
from uuid import uuid4

from nbhitl._context import current_task
from nbhitl._typed_dict import TypedDict

if TYPE_CHECKING:
    from nbhitl.config import RunnableConfig

__all__ = [
    "AnyUIMessage",
    "RemoveUIMessage",
    "UIMessage",
    "delete_ui_message",
    "push_ui_message",
    "ui_message_reducer",
]


class UIMessage(TypedDict):
    """Show the component `name` with `props`."""

    type: Literal["ui"]
    id: str
    name: str
    props: dict[str, Any]
    metadata: dict[str, Any]


class RemoveUIMessage(TypedDict):
    """Take out what is shown under `id`."""

    type: Literal["remove-ui"]
    id: str


AnyUIMessage = UIMessage | RemoveUIMessage


class _Pushes(Protocol):
    config: RunnableConfig

    def write_custom(self, chunk: Any) -> None: ...

    def push_write(self, key: str, value: Any) -> None: ...


def push_ui_message(
    name: str,
    props: dict[str, Any],
    *,
    id: str | None = None,
    metadata: dict[str, Any] | None = None,
    message: Any = None,
    state_key: str | None = "ui",
    merge: bool = False,
) -> UIMessage:
    """Put a component into the stream of mode `custom` now, and into the state when the node ends.

    Args:
        message: the chat message that it belongs to; its id becomes `metadata["message_id"]`.
        state_key: the key to write to; None for the stream alone.
        merge: add `props` to those that the component of this id has.

    Raises:
        RuntimeError: called outside of a running graph.
    """
    task = cast("_Pushes", current_task("push_ui_message"))
    config = cast("dict[str, Any]", task.config)
    about = message.get("id") if isinstance(message, dict) else getattr(message, "id", None)
    shown = UIMessage(
        type="ui",
        id=id or str(uuid4()),
        name=name,
        props=props,
        metadata={
            "merge": merge,
            "run_id": config.get("run_id"),
            "tags": config.get("tags"),
            "name": config.get("run_name"),
            **(metadata or {}),
            **({"message_id": about} if about else {}),
        },
    )
    return cast("UIMessage", _pushed(task, shown, state_key))


def delete_ui_message(id: str, *, state_key: str = "ui") -> RemoveUIMessage:
    """Take a component out of the user interface, and out of the state when the node ends.

    Raises:
        RuntimeError: called outside of a running graph.
    """
    task = cast("_Pushes", current_task("delete_ui_message"))
    return cast("RemoveUIMessage", _pushed(task, RemoveUIMessage(type="remove-ui", id=id), state_key))


def _pushed(task: _Pushes, shown: AnyUIMessage, state_key: str | None) -> AnyUIMessage:
    task.write_custom(shown)
    if state_key is not None:
        task.push_write(state_key, shown)
    return shown


def ui_message_reducer(
    left: list[AnyUIMessage] | AnyUIMessage, right: list[AnyUIMessage] | AnyUIMessage
) -> list[AnyUIMessage]:
    """Return the messages of `left` with those of `right` merged in, by id.

    A message with `merge` in its metadata keeps the props that it does not name. A RemoveUIMessage takes out the
    message of its id, unless another of that id comes after it.

    Raises:
        ValueError: there is no message to remove.
    """
    merged = {message["id"]: message for message in _listed(left)}
    removed: set[str] = set()
    for message in _listed(right):
        known = merged.get(message["id"])
        if message["type"] == "remove-ui":
            if known is None:
                raise ValueError(
                    f"Attempting to delete an UI message with an ID that doesn't exist ('{message['id']}')"
                )
            removed.add(message["id"])
            continue
        removed.discard(message["id"])
        if known is not None and known["type"] == "ui" and message["metadata"].get("merge"):
            merged[message["id"]] = {**message, "props": {**known["props"], **message["props"]}}
        else:
            merged[message["id"]] = message
    return [message for id, message in merged.items() if id not in removed]


def _listed(messages: list[AnyUIMessage] | AnyUIMessage) -> list[AnyUIMessage]:
    return messages if isinstance(messages, list) else [messages]
