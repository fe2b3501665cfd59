"""Write down what a program saw so that two engines' accounts can be compared as text.

What differs from run to run (ids, times, addresses) becomes a label by order of appearance: the first
checkpoint id that is seen is `<id1>`, wherever it is seen again.
"""

from __future__ import annotations

import dataclasses
import re
from enum import Enum
from pprint import pformat
from typing import Any

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_HEX = r"(?<![0-9a-zA-Z])[0-9a-f]{32}(?![0-9a-zA-Z])"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?"
_ADDRESS = r" at 0x[0-9a-f]+"
_VOLATILE = re.compile(f"(?P<id>{_UUID})|(?P<hex>{_HEX})|(?P<time>{_TIME})|(?P<address>{_ADDRESS})")

WIDTH = 110
_CONFIG_KEYS = {"configurable"}
_METADATA_KEYS = {"source", "step", "parents"}
# Classes that an engine may specialise; what programs catch is the class of LangGraph's name.
_LANGGRAPH_ERRORS = {
    "EmptyChannelError", "EmptyInputError", "GraphBubbleUp", "GraphDrained", "GraphInterrupt",
    "GraphRecursionError", "InvalidUpdateError", "NodeCancelledError", "NodeInterrupt", "NodeTimeoutError",
    "ParentCommand", "TaskNotFound", "UnknownInterruptError",
}  # fmt: skip


class Labels:
    """Stable names for volatile strings, given out in order of appearance."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def mask(self, text: str) -> str:
        """Return `text` with every id, time and address in it replaced."""
        return _VOLATILE.sub(self._label, text)

    def _label(self, match: re.Match[str]) -> str:
        kind, raw = str(match.lastgroup), match[0]
        if kind in ("time", "address"):
            return f"<{kind}>"
        if raw not in self._seen:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._seen[raw] = f"<{kind}{self._counts[kind]}>"
        return self._seen[raw]


def error_name(error: BaseException) -> str:
    """Return the name under which a program written for LangGraph would catch `error`."""
    for cls in type(error).__mro__:
        if cls.__name__ in _LANGGRAPH_ERRORS or not cls.__module__.startswith("nbhitl"):
            return cls.__name__
    return type(error).__name__


def plain(value: Any, labels: Labels) -> Any:
    """Return `value` as dicts, lists, tuples and scalars only; objects become `{"<Class>": {field: ...}}`."""
    if value is None or (
        isinstance(value, (bool, int, float, complex, bytes)) and not isinstance(value, Enum)
    ):
        return value
    if isinstance(value, str) and not isinstance(value, Enum):
        return labels.mask(value)
    if isinstance(value, BaseException):
        return {f"<{error_name(value)}>": labels.mask(str(value))}
    if isinstance(value, dict):
        return _plain_dict(value, labels)
    if isinstance(value, list):
        return [plain(item, labels) for item in value]
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(plain(item, labels) for item in value)
    if isinstance(value, (set, frozenset)):
        return {f"<{type(value).__name__}>": sorted((plain(item, labels) for item in value), key=repr)}
    return _plain_object(value, labels)


def _plain_dict(value: dict[Any, Any], labels: Labels) -> dict[Any, Any]:
    # Nobody reads an order into configs and metadata; in a state it is what a program prints.
    loose = value.keys() & _CONFIG_KEYS or value.keys() >= _METADATA_KEYS
    keys = sorted(value, key=str) if loose else list(value)
    entries = {}
    for key in keys:
        item = value[key]
        if loose and isinstance(item, dict):
            # Engines keep objects of their own under such keys.
            item = {k: item[k] for k in sorted(item, key=str) if not str(k).startswith("__pregel_")}
        entries[plain(key, labels) if isinstance(key, str) else key] = plain(item, labels)
    return entries


def _plain_object(value: Any, labels: Labels) -> Any:
    tag = f"<{type(value).__name__}>"
    fields = _fields_of(value)
    if fields is not None:
        return {tag: {name: plain(item, labels) for name, item in fields.items()}}
    if isinstance(value, type) or callable(value):
        return f"<{getattr(value, '__name__', type(value).__name__)}>"
    return labels.mask(repr(value))


def _fields_of(value: Any) -> dict[str, Any] | None:
    """Return the fields of a record-like object, or None where there is only its repr."""
    name = type(value).__name__
    if isinstance(value, type):
        return None
    if isinstance(value, tuple):
        return {field: getattr(value, field) for field in value._fields}
    if name == "Interrupt":
        return {"value": value.value, "id": value.id}
    if name == "Send":
        return {"node": value.node, "arg": value.arg}
    if hasattr(value, "tool_calls") or type(value).__module__.startswith("langchain_core.messages"):
        return _message(value)
    if hasattr(type(value), "model_fields"):
        return {field: getattr(value, field) for field in type(value).model_fields}
    if isinstance(value, Enum):
        return {"name": value.name}
    if dataclasses.is_dataclass(value):
        return {
            field.name: getattr(value, field.name, "<unset>")
            for field in dataclasses.fields(value)
            if field.name[0] != "_"
        }
    return None


def _message(value: Any) -> dict[str, Any]:
    optional = ("name", "tool_calls", "tool_call_id", "status", "artifact", "additional_kwargs")
    found = {field: getattr(value, field) for field in optional if getattr(value, field, None)}
    return {"content": value.content, "id": value.id, **found}


def text(value: Any, labels: Labels) -> str:
    """Return `value` as stable, readable text."""
    found = plain(value, labels)
    short = repr(found)
    return short if len(short) <= WIDTH else pformat(found, sort_dicts=False, width=WIDTH)
