"""Python's own types that MessagePack has no kind for, as plain data and back; `standard` has the rarer ones."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.serde import tags
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Callable

    Codec = tuple[int, Callable[[Any], Any]]


def listed(items: Any) -> list[Any]:
    """Return the list that a value's data holds.

    Raises:
        TypeError: it is something else; a range, for example, may have no end that memory could hold.
    """
    if type(items) is not list:
        raise TypeError(f"there is a {type(items).__name__} in the place of a list")
    return items


def mapped(entries: Any) -> dict[Any, Any]:
    """Return the dict that a value's data holds.

    Raises:
        TypeError: it is something else.
    """
    if type(entries) is not dict:
        raise TypeError(f"there is a {type(entries).__name__} in the place of a dict")
    return entries


class OddStr(str):
    """A string that is not UTF-8: it has lone surrogates. Only inside the serializer."""

    __slots__ = ()


class Buffer(bytearray):
    """A bytearray that is to come back as one. Only inside the serializer."""


def with_buffers(values: dict[str, Any]) -> dict[str, Any]:
    """Return values by name, and those that are bytearrays, which MessagePack takes for bytes, so that they come back."""
    return {name: Buffer(item) if type(item) is bytearray else item for name, item in values.items()}


class Pairs(dict[Any, Any]):
    """A dict whose keys are not all plain strings. Only inside the serializer."""


def _buffer(data: Any) -> bytearray:
    if type(data) is not bytes:
        raise TypeError(f"there is a {type(data).__name__} in the place of bytes")
    return bytearray(data)


def _int_data(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)


def _datetime_data(value: datetime) -> list[Any]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, value.tzinfo]


def _datetime(data: list[Any]) -> datetime:
    text, fold, zone = data
    return datetime.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _time_data(value: time) -> list[Any]:
    return [value.replace(tzinfo=None).isoformat(), value.fold, value.tzinfo]


def _time(data: list[Any]) -> time:
    text, fold, zone = data
    return time.fromisoformat(text).replace(fold=fold, tzinfo=zone)


def _timezone_data(value: timezone) -> list[Any]:
    offset = value.utcoffset(None)
    return [offset.days, offset.seconds, offset.microseconds, value.tzname(None)]


def _timezone(data: list[Any]) -> timezone:
    days, seconds, microseconds, name = data
    offset = timedelta(days, seconds, microseconds)
    unnamed = timezone(offset)
    return unnamed if unnamed.tzname(None) == name else timezone(offset, name)


_FACTORIES: dict[str | None, Any] = {
    None: None, "list": list, "dict": dict, "set": set, "int": int, "float": float, "str": str,
    "tuple": tuple, "bool": bool,
}  # fmt: skip
_FACTORY_NAMES: dict[Any, str | None] = {factory: name for name, factory in _FACTORIES.items()}


def _default_dict_data(value: defaultdict[Any, Any]) -> list[Any]:
    factory = value.default_factory
    try:
        name = _FACTORY_NAMES[factory]
    except (KeyError, TypeError):
        raise UnsupportedValue(
            f"a defaultdict can be stored if it defaults to a plain type, not to {factory!r}; make it a dict"
        ) from None
    return [name, _pairs(value)]


def _default_dict(data: list[Any]) -> defaultdict[Any, Any]:
    name, pairs = data
    return defaultdict(_FACTORIES[name], pairs)


def _pairs(value: dict[Any, Any]) -> list[list[Any]]:
    return [[key, item] for key, item in value.items()]


def _deque(data: list[Any]) -> deque[Any]:
    items, length = data
    return deque(listed(items), length)


def _pattern_data(value: re.Pattern[Any]) -> list[Any]:
    return [
        value.pattern,
        int(value.flags) & ~int(re.UNICODE) if isinstance(value.pattern, str) else value.flags,
    ]


ENCODERS: dict[type, Codec] = {
    tuple: (tags.TUPLE, list),
    set: (tags.SET, list),
    frozenset: (tags.FROZENSET, list),
    Pairs: (tags.MAP, _pairs),
    Buffer: (tags.BYTEARRAY, bytes),
    OddStr: (tags.STR, lambda value: value.encode("utf-8", "surrogatepass")),
    int: (tags.INT, _int_data),
    datetime: (tags.DATETIME, _datetime_data),
    date: (tags.DATE, date.isoformat),
    time: (tags.TIME, _time_data),
    timedelta: (tags.TIMEDELTA, lambda value: [value.days, value.seconds, value.microseconds]),
    timezone: (tags.TIMEZONE, _timezone_data),
    complex: (tags.COMPLEX, lambda value: [value.real, value.imag]),
    deque: (tags.DEQUE, lambda value: [list(value), value.maxlen]),
    range: (tags.RANGE, lambda value: [value.start, value.stop, value.step]),
    OrderedDict: (tags.ORDERED_DICT, _pairs),
    defaultdict: (tags.DEFAULT_DICT, _default_dict_data),
    Counter: (tags.COUNTER, _pairs),
    re.Pattern: (tags.PATTERN, _pattern_data),
    type(...): (tags.ELLIPSIS, lambda _: None),
    slice: (tags.SLICE, lambda value: [value.start, value.stop, value.step]),
}

DECODERS: dict[int, Callable[[Any], Any]] = {
    tags.TUPLE: tuple,
    tags.SET: set,
    tags.FROZENSET: frozenset,
    tags.MAP: dict,
    tags.BYTEARRAY: _buffer,
    tags.STR: lambda data: data.decode("utf-8", "surrogatepass"),
    tags.INT: lambda data: int.from_bytes(data, "little", signed=True),
    tags.DATETIME: _datetime,
    tags.DATE: date.fromisoformat,
    tags.TIME: _time,
    tags.TIMEDELTA: lambda data: timedelta(*data),
    tags.TIMEZONE: _timezone,
    tags.COMPLEX: lambda data: complex(*data),
    tags.DEQUE: _deque,
    tags.RANGE: lambda data: range(*data),
    tags.ORDERED_DICT: OrderedDict,
    tags.DEFAULT_DICT: _default_dict,
    tags.COUNTER: lambda data: Counter(dict(data)),
    tags.PATTERN: lambda data: re.compile(*data),
    tags.ELLIPSIS: lambda _: ...,
    tags.SLICE: lambda data: slice(*data),
}
