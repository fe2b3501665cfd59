"""Stored bytes as JSON and back, without making a value of them: no class is needed, and none is called.

What JSON has a kind for stays as it is. Anything else is an object of one key that begins with `$`: the name of
the kind (`{"$tuple": [1, 2]}`, `{"$bytes": "AA=="}`, `{"$float": "nan"}`).
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from ormsgpack import Ext, packb

from nbhitl.checkpoint.serde import tags
from nbhitl.checkpoint.serde.whole import unpacked
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS = {name: number for number, name in tags.NAMES.items()}
_FLOATS = {repr(value): value for value in (math.inf, -math.inf)} | {"nan": math.nan}


class Inert:
    """A value of some kind, as its tag and its content; nothing has been made of it, and it is no list of anything."""

    __slots__ = ("content", "tag")

    def __init__(self, tag: int, content: Any) -> None:
        self.tag = tag
        self.content = content


def to_json(data: bytes) -> Any:
    """Return stored bytes as a tree of JSON values.

    Raises:
        StoreError: the bytes are damaged, or of a kind that this nbhitl does not know.
    """
    try:
        return _tree(unpacked(data, _inert))
    except StoreError:
        raise
    except Exception as error:  # whatever the decoder says of bytes that are not its own
        raise StoreError(f"a stored value is damaged and cannot be read: {error}") from error


def from_json(tree: Any) -> bytes:
    """Return the bytes of a tree that `to_json` made.

    Raises:
        StoreError: it is no such tree.
    """
    try:
        return packb(_value(tree))
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(f"a value in the bundle is damaged and cannot be read: {error}") from error


def loads_inert(data: bytes) -> Any:
    """Return what bytes hold, with all that is not plain data as `Inert`.

    Raises:
        StoreError: the bytes are damaged.
    """
    try:
        return unpacked(data, lambda tag, content: _plain_map(_inert(tag, content)))
    except Exception as error:  # as in `to_json`
        raise StoreError(f"a stored value is damaged and cannot be read: {error}") from error


def _inert(tag: int, content: bytes) -> Inert:
    return Inert(tag, unpacked(content, _inert))


def _plain_map(value: Inert) -> Any:
    """Dicts with odd keys are dicts here too, for as long as their keys can be keys."""
    if value.tag != tags.MAP:
        return value
    try:
        return dict(value.content)
    except TypeError:
        return value


def _tree(value: Any) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if kind is list:
        return [_tree(item) for item in value]
    if kind is dict:
        if any(key.startswith("$") for key in value):
            return {"$map": [[key, _tree(item)] for key, item in value.items()]}
        return {key: _tree(item) for key, item in value.items()}
    if kind is bytes:
        return bytes_tree(value)
    if value.tag not in tags.NAMES:
        raise StoreError(
            f"a stored value has the unknown tag {value.tag}; a newer nbhitl may have written it."
        )
    return {f"${tags.NAMES[value.tag]}": _tree(value.content)}


def _value(tree: Any) -> Any:
    kind = type(tree)
    if tree is None or kind in (bool, int, str, float):
        return tree
    if kind is list:
        return [_value(item) for item in tree]
    if kind is not dict:
        raise TypeError(f"{kind.__name__} is no JSON value")
    name = next((key for key in tree if key.startswith("$")), None)
    if name is None:
        return {key: _value(item) for key, item in tree.items()}
    if len(tree) != 1:
        raise ValueError(f"{name!r} is beside other keys")
    return _tagged(name[1:], tree[name])


def _tagged(name: str, content: Any) -> Any:
    native: Callable[[Any], Any] | None = _NATIVE.get(name)
    if native is not None:
        return native(content)
    if name not in _NUMBERS:
        raise ValueError(f"there is no kind {name!r}; a newer nbhitl may have written it")
    return Ext(_NUMBERS[name], packb(_value(content)))


def bytes_tree(data: bytes) -> dict[str, str]:
    """Return bytes as a tree."""
    return {"$bytes": b64encode(data).decode("ascii")}


def _bytes(text: Any) -> bytes:
    return b64decode(text, validate=True)


def _float(text: Any) -> float:
    if not isinstance(text, str) or text not in _FLOATS:
        raise ValueError(f"{text!r} is no float of its own kind")
    return _FLOATS[text]


_NATIVE: dict[str, Callable[[Any], Any]] = {"bytes": _bytes, "float": _float}
