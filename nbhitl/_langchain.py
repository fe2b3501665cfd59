"""The one door to langchain-core: chat messages, tools, and the config that LangChain's code looks for.

langchain-core is optional. Where it is installed, messages are LangChain's own objects, so that `isinstance`
holds across libraries; without it they are the classes of `nbhitl._messages`. It is imported when the first
message has to be made, never by importing nbhitl.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nbhitl import _messages as light
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from nbhitl._context import TaskContext

_PACKAGE = "langchain_core"

# Fields that are left out of the stored form while they have this value. `content` is always there.
_DEFAULTS: dict[str, Any] = {
    "additional_kwargs": {},
    "response_metadata": {},
    "tool_calls": [],
    "invalid_tool_calls": [],
    "tool_call_chunks": [],
    "status": "success",
    "name": None,
    "id": None,
    "artifact": None,
    "usage_metadata": None,
    "chunk_position": None,
}
_REQUIRED = object()

# Set after construction: LangChain's constructor parses tool calls, and would refuse or change what it does
# not expect although a program has put it there.
_ASSIGNED: dict[str, type] = {"tool_calls": list, "invalid_tool_calls": list, "tool_call_chunks": list}

_LIGHT_CLASSES: dict[str, type[light.BaseMessage]] = {
    "human": light.HumanMessage,
    "ai": light.AIMessage,
    "system": light.SystemMessage,
    "tool": light.ToolMessage,
    "function": light.FunctionMessage,
    "chat": light.ChatMessage,
    "remove": light.RemoveMessage,
}

ROLES = {
    "human": "human",
    "user": "human",
    "ai": "ai",
    "assistant": "ai",
    "system": "system",
    "developer": "system",
    "function": "function",
    "tool": "tool",
    "remove": "remove",
}
"""What a message may be called in a dict or a pair, and its type."""


@cache
def langchain_module(name: str) -> ModuleType | None:
    """Import `langchain_core.<name>` and return it, or None where langchain-core is not installed."""
    try:
        return import_module(f"{_PACKAGE}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == _PACKAGE:
            return None
        raise


def messages_module() -> ModuleType:
    """Return the module that holds the message classes in force: LangChain's if installed, else nbhitl's."""
    return langchain_module("messages") or light


# -- what is a message --------------------------------------------------------------------------------------


def is_message_class(cls: type) -> bool:
    """Whether `cls` is a class of chat messages. Imports nothing."""
    if light.BaseMessage in cls.__mro__:
        return True
    loaded = sys.modules.get("langchain_core.messages.base")
    return loaded is not None and getattr(loaded, "BaseMessage", None) in cls.__mro__


def is_message(value: object) -> bool:
    """Whether `value` is a chat message, LangChain's or nbhitl's. Imports nothing."""
    return is_message_class(type(value))


def is_foreign_subclass(cls: type) -> bool:
    """Whether `cls` is somebody's own subclass of a message class, which could not be restored as such."""
    return not cls.__module__.startswith((f"{_PACKAGE}.messages", light.__name__))


@cache
def is_settled_class(cls: type) -> bool:
    """Whether messages of class `cls` are in the form that `coerce_messages` returns them in."""
    module = langchain_module("messages")
    if module is None:
        return issubclass(cls, light.BaseMessage)
    return issubclass(cls, module.BaseMessage) and not issubclass(cls, module.BaseMessageChunk)


# -- the stored form ----------------------------------------------------------------------------------------


def message_to_data(message: Any) -> dict[str, Any]:
    """Return a message as a dict of its `type`, its `content` and every field that is not at its default.

    The values are the message's own, not copies.

    Raises:
        UnsupportedValue: a subclass that neither LangChain nor nbhitl defines, or a content that no message
            can have.
    """
    cls = type(message)
    if is_foreign_subclass(cls):
        raise UnsupportedValue(
            f"{cls.__module__}.{cls.__qualname__} is a message class of its own, which a store cannot make "
            f"again. Use the {message.type!r} message class and put what you add into additional_kwargs."
        )
    if not isinstance(message.content, (str, list)):
        raise UnsupportedValue(
            f"A {message.type!r} message has a content of type {type(message.content).__name__}; it must be "
            "a string or a list of content blocks."
        )
    data: dict[str, Any] = {"type": message.type}
    for name, value in vars(message).items():
        default = _DEFAULTS.get(name, _REQUIRED)
        if default is None:
            if value is not None:
                data[name] = value
        elif default is _REQUIRED or value != default:
            data[name] = value
    data.update(getattr(message, "__pydantic_extra__", None) or {})
    return data


def message_from_data(data: dict[str, Any]) -> Any:
    """Return the message that `message_to_data` made `data` from: LangChain's class if installed.

    Raises:
        ValueError: `data` describes no message, or one that only langchain-core has.
    """
    fields = dict(data)
    kind = fields.pop("type", None)
    cls = _class_of(kind)
    assigned = {name: fields.pop(name, []) for name in _ASSIGNED if name in cls_fields(cls)}
    if kind == "remove":
        fields.pop("content", None)
    try:
        message = cls(**fields)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"The data of a stored {kind!r} message is damaged: {error}") from error
    for name, value in assigned.items():
        if not isinstance(value, _ASSIGNED[name]):
            raise ValueError(
                f"The data of a stored {kind!r} message is damaged: {name} is {value!r}, not a list."
            )
        setattr(message, name, value)
    return message


@cache
def cls_fields(cls: type) -> frozenset[str]:
    """Return the names of the fields that a message class declares."""
    return frozenset(name for base in cls.__mro__ for name in vars(base).get("__annotations__", ()))


@cache
def _langchain_classes() -> dict[str, type]:
    """Return LangChain's message classes by their `type`; empty without langchain-core."""
    module = langchain_module("messages")
    if module is None:
        return {}
    found: dict[str, type] = {}
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type) and issubclass(value, module.BaseMessage):
            kind = vars(value)["__pydantic_fields__"]["type"].default
            if isinstance(kind, str):
                found[kind] = value
    return found


def _class_of(kind: object) -> type:
    classes: dict[str, Any] = _langchain_classes() or _LIGHT_CLASSES
    cls = classes.get(kind) if isinstance(kind, str) else None
    if cls is None:
        hint = "" if _langchain_classes() else " It may be one of LangChain's: pip install langchain-core."
        raise ValueError(f"{kind!r} is not a type of message; known are {', '.join(sorted(classes))}.{hint}")
    return cls  # type: ignore[no-any-return]


# -- coercion -----------------------------------------------------------------------------------------------


def coerce_messages(values: Iterable[Any]) -> list[Any]:
    """Return messages made from strings, pairs `(role, content)`, dicts with both, or messages.

    Messages of the classes in force come back as the same objects; streamed chunks are made whole.

    Raises:
        ValueError: an unknown role, or a dict without role or content.
        NotImplementedError: a value of another type.
    """
    return [coerce_message(value) for value in values]


def coerce_message(value: Any) -> Any:
    """Return one message: see `coerce_messages`."""
    module = langchain_module("messages")
    if module is None:
        return value if isinstance(value, light.BaseMessage) else _light_message(value)
    if isinstance(value, module.BaseMessageChunk):
        return module.message_chunk_to_message(value)
    if isinstance(value, module.BaseMessage):
        return value
    if isinstance(value, light.BaseMessage):
        return message_from_data(message_to_data(value))
    return module.convert_to_messages([value])[0]


def _light_message(value: Any) -> light.BaseMessage:
    """Make a message of nbhitl's own, by the rules that LangChain has for its own."""
    if isinstance(value, str):
        return light.HumanMessage(value)
    if isinstance(value, (list, tuple)):
        if len(value) != 2 or not isinstance(value[0], str):
            raise NotImplementedError(
                f"Message as a sequence must be (role string, template), not {value!r}."
            )
        return _from_role(value[0], value[1], {})
    if isinstance(value, dict):
        fields = dict(value)
        role = fields.pop("role", None) or fields.pop("type", None)
        if not isinstance(role, str) or ("content" not in fields and not fields.get("tool_calls")):
            raise ValueError(f"Message dict must contain 'role' and 'content' keys, got {value!r}")
        return _from_role(role, fields.pop("content", None), fields)
    raise NotImplementedError(f"Unsupported message type: {type(value)}")


def _from_role(role: str, content: Any, fields: dict[str, Any]) -> light.BaseMessage:
    kind = ROLES.get(role)
    if kind is None:
        raise ValueError(
            f"Unexpected message type: {role!r}. Use one of 'human', 'user', 'ai', 'assistant', 'function', "
            "'tool', 'system', or 'developer'."
        )
    if kind == "remove":
        return light.RemoveMessage(id=fields["id"])
    known: dict[str, Any] = {
        name: fields.pop(name) for name in ("name", "id", "response_metadata") if name in fields
    }
    if kind == "tool":
        if "tool_call_id" not in fields:
            raise KeyError("tool_call_id")
        own = ("tool_call_id", "artifact", "status")
        known |= {name: fields.pop(name) for name in own if name in fields}
    calls = fields.pop("tool_calls", None)
    extra = {**fields.pop("additional_kwargs", {}), **fields}
    if role == "developer":
        extra["__openai_role__"] = "developer"
    if kind == "ai" and calls:
        known["tool_calls"] = _own_tool_calls(calls)
    return _LIGHT_CLASSES[kind](content if content is not None else "", additional_kwargs=extra, **known)


def _own_tool_calls(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tool calls in the form that messages hold, from that form or from OpenAI's."""
    own: list[dict[str, Any]] = []
    for call in calls:
        valid, invalid = light.parse_tool_calls([call]) if "function" in call else ([call], [])
        if invalid:
            raise ValueError(f"Tool call {call.get('id')!r}: {invalid[0]['error']} ({invalid[0]['args']!r})")
        own += valid
    return own


def openai_format(messages: list[Any], format: str) -> list[Any]:
    """Return the messages with contents as OpenAI has them; `format` must be `"langchain-openai"`.

    Raises:
        ValueError: another format.
        ImportError: langchain-core is not installed.
    """
    if format != "langchain-openai":
        raise ValueError(f"Unrecognized format={format!r}. Expected one of 'langchain-openai', None.")
    module = langchain_module("messages")
    if module is None:
        raise ImportError(
            "add_messages(format='langchain-openai') needs langchain-core: pip install langchain-core, or "
            "leave out format="
        )
    return module.convert_to_messages(module.convert_to_openai_messages(messages))  # type: ignore[no-any-return]


# -- the run's config, where LangChain's code looks for it ---------------------------------------------------


def langchain_scope(task: TaskContext) -> None:
    """Let LangChain's tools and models that the task calls find the run's config, in the current context.

    Does nothing while no part of LangChain that looks for a config has been imported.
    """
    module = sys.modules.get("langchain_core.runnables.config")
    if module is not None:
        module.var_child_runnable_config.set(task.config)
