"""The reducer for lists of chat messages, and the state that has one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, TypedDict, cast, overload

from nbhitl._context import current_task
from nbhitl._langchain import is_message
from nbhitl._message_forms import coerce_message, coerce_messages, is_settled_class, openai_format
from nbhitl.graph.message_ids import MessageIds, remember, remembered_ids

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["REMOVE_ALL_MESSAGES", "AnyMessage", "Messages", "MessagesState", "add_messages", "push_message"]

REMOVE_ALL_MESSAGES = "__remove_all__"
"""A RemoveMessage with this id takes out everything before it."""

AnyMessage = Any
"""A chat message: LangChain's, or one of `nbhitl.messages`."""

Messages = Any
"""What a node may write: messages, or one, each also as a string, a pair `(role, text)` or a dict."""

Format = Literal["langchain-openai"]
Merge = "Callable[[Messages, Messages], list[AnyMessage]]"


@overload
def add_messages(left: Messages, right: Messages, *, format: Format | None = ...) -> list[AnyMessage]: ...
@overload
def add_messages(
    left: None = ..., right: None = ..., *, format: Format | None = ...
) -> Callable[[Messages, Messages], list[AnyMessage]]: ...
def add_messages(
    left: Messages | None = None, right: Messages | None = None, *, format: Format | None = None
) -> Any:
    """Return the messages of `left` with those of `right` merged in, by id.

    A message whose id is new is appended, one whose id is known takes the place of the message that has it.
    A RemoveMessage takes out the message with its id; with `REMOVE_ALL_MESSAGES` as id, everything before it.
    Messages without an id get one. Without `left` and `right`, returns a reducer that uses `format`.

    Args:
        format: `"langchain-openai"` returns the contents as OpenAI has them; needs langchain-core.

    Raises:
        ValueError: only one of the lists was given, a message to remove is not there, or `format` is unknown.

    >>> [m.content for m in add_messages([("user", "a")], [("ai", "b")])]
    ['a', 'b']
    """
    if left is None and right is None:
        return partial(add_messages, format=format)
    if left is None or right is None:
        given = "right" if left is None else "left"
        raise ValueError(
            f"Must specify non-null arguments for both 'left' and 'right'. Only received: '{given}'."
        )
    merged, _ = _merge(left if isinstance(left, list) else [left], right)
    return merged if format is None else openai_format(merged, format)


def _merge(left: list[Any], right: Any, *, may_grow: bool = False) -> tuple[list[Any], list[Any] | None]:
    """Return the merged messages, and if that is `left` itself, what was appended to it: it `may_grow`."""
    new = coerce_messages(right if isinstance(right, list) else [right])
    named = [message for message in new if _named(message)]
    cleared = next(
        (
            n
            for n in reversed(range(len(new)))
            if new[n].type == "remove" and new[n].id == REMOVE_ALL_MESSAGES
        ),
        None,
    )
    if cleared is not None:
        return new[cleared + 1 :], None
    known = remembered_ids(left)
    if known is None:
        known = _read_ids(left)
    if named and known.is_stale_for([message.id for message in named]):
        known = _read_ids(left)
    if not named or _all_new(named, known):
        grows = may_grow and known.as_given
        if grows:
            left.extend(new)
        merged = left if grows else known.messages + new
        known.extend(new)
        remember(known)
        return merged, new if grows else None
    return _merge_by_id(known, new), None


def _named(message: Any) -> bool:
    """Whether the message has an id of its own; else it gets one that no other message has."""
    if message.id is not None:
        return True
    message.id = _new_id()
    return False


def _new_id() -> str:
    from uuid import uuid4  # loads `platform`

    return str(uuid4())


def _read_ids(left: list[Any]) -> MessageIds:
    """Return the messages of the state, as messages with ids; the state's own objects are not changed."""
    settled = all(map(is_settled_class, set(map(type, left))))
    messages = left.copy() if settled else coerce_messages(left)
    ids = [message.id for message in messages]
    if None in ids:
        for place, message in enumerate(messages):
            if message.id is None:
                ids[place] = _new_id()
                messages[place] = message.model_copy(update={"id": ids[place]})
        settled = False
    return MessageIds(messages, ids, as_given=settled)


def _all_new(named: list[Any], known: MessageIds) -> bool:
    ids = {message.id for message in named if message.type != "remove" and message.id not in known.positions}
    return len(ids) == len(named)


def _merge_by_id(known: MessageIds, new: list[Any]) -> list[Any]:
    merged = list(known.messages)
    removed: set[str] = set()
    for message in new:
        place = known.positions.get(message.id)
        if place is None:
            if message.type == "remove":
                raise ValueError(
                    f"Attempting to delete a message with an ID that doesn't exist ('{message.id}')"
                )
            known.positions[message.id] = len(merged)
            merged.append(message)
        elif message.type == "remove":
            removed.add(message.id)
        else:
            removed.discard(message.id)
            merged[place] = message
    return [message for message in merged if message.id not in removed] if removed else merged


def appended_messages(old: Any, new: Any, update: Any) -> list[Any] | None:
    """Return what the merge of `update` into `old` only added at the end of `new`, or None if it did more.

    `new` may hold the result of further merges; then the answer covers what all of them added.
    """
    if type(old) is not list or type(new) is not list:
        return None
    size = len(old)
    if len(new) < size or (size and (new[0] is not old[0] or new[size - 1] is not old[-1])):
        return None
    tail = new[size:]
    added = {message.id for message in tail}
    for item in update if isinstance(update, list) else [update]:
        given = item.get("id") if isinstance(item, dict) else getattr(item, "id", None)
        if given is not None and (str(given) not in added or getattr(item, "type", "") == "remove"):
            return None
    return tail if _same_objects(new, old) else None


def _same_objects(new: list[Any], old: list[Any]) -> bool:
    try:
        # Compares object identities first, in C; what is equal without being the same needs no saving.
        return new[: len(old)] == old
    except Exception:  # a message's content may hold values that refuse to be compared
        return False


def grown_messages(old: list[Any], update: Any) -> tuple[list[Any], list[Any] | None]:
    """Return `old` with `update` merged in, and what that only added at its end, or None if it did more.

    The list may be `old` itself, changed: nobody else must have it.
    """
    merged, tail = _merge(old, update, may_grow=True)
    return merged, appended_messages(old, merged, update) if tail is None else tail


# The engine asks a reducer that has the first attribute what a merge appended, and stores only that; it calls what the
# second one holds, instead of the reducer that is named there, on a list that it may change.
add_messages.__appended__ = appended_messages  # type: ignore[attr-defined]
add_messages.__grown__ = (add_messages, grown_messages)  # type: ignore[attr-defined]


if TYPE_CHECKING:

    class MessagesState(TypedDict):
        """A state with a conversation; subclass it to add keys."""

        messages: Annotated[list[AnyMessage], add_messages]


def _messages_state() -> type:
    """Make MessagesState of the TypedDict that LangGraph's is made of: subclasses may have other bases of that kind.

    It comes with pydantic, and is loaded when somebody asks for the class.
    """
    import typing_extensions

    keys = {"messages": Annotated[list[AnyMessage], add_messages]}
    state = typing_extensions.TypedDict("MessagesState", keys)  # type: ignore[misc]
    state.__doc__ = "A state with a conversation; subclass it to add keys."
    state.__module__ = __name__
    return cast("type", state)


class _Pushes(Protocol):
    def push_message(self, message: Any, state_key: str | None) -> None: ...


def push_message(message: Any, *, state_key: str | None = "messages") -> AnyMessage:
    """Put a message into the stream of mode `messages` now, and into the state when the node ends.

    Args:
        message: a message or chunk with an id, or what can be made into one.
        state_key: the key to write to; None for the stream alone.

    Returns:
        The message.

    Raises:
        RuntimeError: called outside of a running graph.
        ValueError: the message has no id.
    """
    task = cast("_Pushes", current_task("push_message"))
    pushed = message if is_message(message) else coerce_message(message)
    if not pushed.id:
        raise ValueError(
            "Message ID is required: without it, the message could not be recognised in the stream."
        )
    task.push_message(pushed, state_key)
    return pushed


def __getattr__(name: str) -> Any:
    if name == "MessagesState":
        globals()[name] = found = _messages_state()
        return found
    if name in ("BaseMessage", "RemoveMessage"):  # which programs import from here as well
        from nbhitl import messages

        return getattr(messages, name)
    if name != "MessageGraph":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nbhitl.graph.message_graph import MessageGraph

    return MessageGraph
