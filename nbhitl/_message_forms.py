"""Chat messages as stored data and back, and out of what people write for a message."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from nbhitl import _messages as light
from nbhitl._langchain import langchain_module
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

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

_OWN_FIELDS = {"tool": {"tool_call_id": ""}, "chat": {"role": ""}, "function": {"name": ""}}

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


def messages_module() -> ModuleType:
    """Return the module that holds the message classes in force: LangChain's if installed, else nbhitl's."""
    return langchain_module("messages") or light


def is_foreign_subclass(cls: type) -> bool:
    """Whether `cls` is somebody's own subclass of a message class, which could not be restored as such."""
    return not cls.__module__.startswith(("langchain_core.messages", light.__name__))


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

    Constructors are not called: they are slow, and LangChain's would parse and refuse what a program has put
    into a message since.

    Raises:
        ValueError: `data` describes no message, or one that only langchain-core has.
    """
    kind = data.get("type")
    blank = _blank(kind) if isinstance(kind, str) else _unknown(kind)
    content = data.get("content", "")
    if not isinstance(content, (str, list)):  # other fields are whatever a program has put there
        raise _damaged(data, f"content is of type {type(content).__name__}")
    values, extra = blank.values.copy(), {}
    for name in blank.mutable:
        if name not in data:
            values[name] = values[name].copy()
    for name, value in data.items():
        if name in values:
            values[name] = value
        elif isinstance(name, str):
            extra[name] = value
        else:
            raise _damaged(data, f"a field is named {name!r}")
    for name in blank.required:
        if name not in data:
            raise _damaged(data, f"it has no {name}")
    return blank.fill(values, extra)


def _damaged(data: dict[str, Any], why: str) -> ValueError:
    return ValueError(f"The data of a stored {data.get('type')!r} message is damaged: {why}.")


class _Blank(NamedTuple):
    """A message of one type with nothing in it: default values in order, and what must be filled in."""

    cls: Any
    values: dict[str, Any]
    mutable: tuple[str, ...]
    required: tuple[str, ...]
    is_light: bool

    def fill(self, values: dict[str, Any], extra: dict[str, Any]) -> Any:
        """Return a message with these fields."""
        if not self.is_light:
            return _model(self.cls, values, extra)
        values.pop("type", None)
        message = self.cls.__new__(self.cls)
        vars(message).update(values, **extra)
        return message


def _model(cls: Any, values: dict[str, Any], extra: dict[str, Any] | None) -> Any:
    """Return a message of LangChain's with the state that pydantic's models take when they are unpickled or copied."""
    message = cls.__new__(cls)
    message.__setstate__(
        {
            "__dict__": values,
            "__pydantic_extra__": extra,
            "__pydantic_fields_set__": {*values, *extra} if extra else set(values),
            "__pydantic_private__": None,
        }
    )
    return message


def message_again(message: Any, fields: dict[str, Any], extra: dict[str, Any] | None) -> Any:
    """Return a message of the same class as `message`, with copies of these fields."""
    values = _copy(fields)
    if isinstance(message, light.BaseMessage):
        again = message.__class__.__new__(message.__class__)
        vars(again).update(values)
        return again
    return _model(message.__class__, values, _copy(extra))


def _copy(value: Any) -> Any:
    """A copy of what messages hold, mostly plain data, in which no object is twice."""
    kind, constant = type(value), _CONSTANT
    if kind is dict:
        return {name: item if type(item) in constant else _copy(item) for name, item in value.items()}
    if kind is list:
        return [item if type(item) in constant else _copy(item) for item in value]
    return value if kind in constant else deepcopy(value)


_CONSTANT = frozenset({str, int, float, bool, NoneType})


@cache
def _blank(kind: str) -> _Blank:
    classes: dict[str, Any] = _langchain_classes() or _LIGHT_CLASSES
    return _make_blank(classes[kind], kind) if kind in classes else _unknown(kind)


def _unknown(kind: object) -> NoReturn:
    classes: dict[str, Any] = _langchain_classes() or _LIGHT_CLASSES
    hint = "" if _langchain_classes() else " It may be one of LangChain's: pip install langchain-core."
    raise ValueError(f"{kind!r} is not a type of message; known are {', '.join(sorted(classes))}.{hint}")


def _make_blank(cls: type, kind: str) -> _Blank:
    needed = {} if kind == "remove" else {"content": ""}
    own = _OWN_FIELDS.get(kind.removesuffix("MessageChunk").lower(), {})
    sample = cls(**({"id": ""} if kind == "remove" else needed), **own)
    values = {"type": kind, **vars(sample)} if isinstance(sample, light.BaseMessage) else dict(vars(sample))
    mutable = tuple(name for name, value in values.items() if isinstance(value, (dict, list)))
    return _Blank(cls, values, mutable, (*needed, *own), isinstance(sample, light.BaseMessage))


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
    formatted: list[Any] = module.convert_to_messages(module.convert_to_openai_messages(messages))
    return formatted
