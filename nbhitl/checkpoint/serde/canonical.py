"""One spelling for equal values, whatever the process: the ground for digests and cache keys."""

from __future__ import annotations

import math
from binascii import b2a_base64
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.serde import tags
from nbhitl.errors import UnsupportedValue
from nbhitl.types import TypeSchema

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.checkpoint.serde.plain import Codec

_PREFIX = b"nbhitl-canonical-1:"
_UNORDERED = frozenset({tags.SET, tags.FROZENSET})
_MODELS = frozenset({tags.PYDANTIC, tags.PYDANTIC_V1})
_FIELDS_SET = 2
"""Place of the names of the fields that a model was made with: models with and without a default given are equal."""


def canonical_bytes(value: Any) -> bytes:
    """Return the same bytes for equal values: sorted keys and sets, types told apart, ASCII.

    The bytes begin with the version of the spelling. They are for comparing, not for loading.

    Raises:
        UnsupportedValue: it holds a value that is not data.
    """
    from nbhitl.checkpoint.serde.core import Serde

    try:
        return _PREFIX + _text(_tree(value, Serde(learn=True).codec_for)).encode("ascii")
    except RecursionError:
        raise UnsupportedValue(f"a {type(value).__name__} is nested too deeply, or contains itself") from None


def _text(tree: Any) -> str:
    import json  # programs that need no digest and no cache key do without

    try:
        return json.dumps(tree, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    except ValueError as error:  # Python writes numbers of some thousand digits, and no longer ones
        raise UnsupportedValue(f"a whole number in it is too long for a question: {error}") from None


def _tree(value: Any, codec_for: Callable[[type], Codec]) -> Any:
    """Return `value` as JSON; what JSON has no kind for is an object of one key that begins with `$`."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if kind is list or kind is tuple:
        # JSON has one kind of sequence, and a store may give back a list for a tuple.
        return [_tree(item, codec_for) for item in value]
    if kind is dict or kind is TypeSchema:
        return _dict_tree(value, codec_for)
    if kind in (bytes, bytearray, memoryview):
        return {"$bytes": b2a_base64(value, newline=False).decode("ascii")}
    from nbhitl.checkpoint.serde.core import plain_value

    plainly = plain_value(value)
    if plainly is not value:
        return _tree(plainly, codec_for)
    tag, to_data = codec_for(kind)
    data = _tree(to_data(value), codec_for)
    if tag in _MODELS:
        del data[_FIELDS_SET]
    if tag in _UNORDERED:
        data.sort(key=_text)
    return {f"${tags.NAMES[tag]}": data}


def _dict_tree(value: dict[Any, Any], codec_for: Callable[[type], Codec]) -> Any:
    if _has_plain_keys(value):
        return {key: _tree(item, codec_for) for key, item in value.items()}
    from nbhitl.checkpoint.serde.core import plain_value

    plainly = {plain_value(key): item for key, item in value.items()}
    if _has_plain_keys(plainly):
        return _dict_tree(plainly, codec_for)
    pairs = [[_tree(key, codec_for), _tree(item, codec_for)] for key, item in value.items()]
    return {"$map": sorted(pairs, key=_text)}


def _has_plain_keys(value: dict[Any, Any]) -> bool:
    return all(type(key) is str and not key.startswith("$") for key in value)
