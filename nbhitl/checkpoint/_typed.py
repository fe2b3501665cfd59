"""A serializer with LangGraph's interface only, as what the rows are written and read with.

It is given a whole step at a time. Where it cannot store that, because a class is known to it only as a value by
itself, the values are given to it one by one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeGuard

from nbhitl.checkpoint._compression import looks_compressed
from nbhitl.checkpoint.serde import Serde

if TYPE_CHECKING:
    from nbhitl.checkpoint._rows import Codec
    from nbhitl.checkpoint.serde import SerializerProtocol

_IN_PARTS = b"\x01"
"""Goes before the kind of encoding where values stand apart; no kind begins so."""

_NOT_COMPRESSED = b"\x02"
"""Goes before a kind of encoding that begins as compressed data does."""


def codec_of(serde: SerializerProtocol) -> Codec:
    """Return what writes and reads rows with `serde`: itself if it is nbhitl's, and nobody changed what it does."""
    return serde if writes_plainly(serde) else Typed(serde)


def writes_plainly(serde: SerializerProtocol) -> TypeGuard[Serde]:
    """Whether a serializer is nbhitl's, and its class leaves `dumps_typed` and `loads_typed` as they are."""
    kind: Any = type(serde)
    return isinstance(serde, Serde) and _is_unchanged(kind)


@lru_cache(maxsize=64)
def _is_unchanged(kind: Any) -> bool:
    return kind.dumps_typed is Serde.dumps_typed and kind.loads_typed is Serde.loads_typed


class Typed:
    """The kind of encoding goes before the bytes."""

    def __init__(self, inner: SerializerProtocol) -> None:
        self._inner = inner

    def dumps(self, value: Any) -> bytes:
        try:
            return self._one(value)
        except Exception as error:
            if type(value) not in (dict, list):
                raise
            return self._in_parts(value, error)

    def _one(self, value: Any) -> bytes:
        kind, data = self._inner.dumps_typed(value)
        typed: bytes = kind.encode() + b"\x00" + data
        return _NOT_COMPRESSED + typed if looks_compressed(typed) else typed

    def _in_parts(self, value: Any, why: Exception) -> bytes:
        parts: list[list[Any]] = []
        rest = _without(value, [], self._inner, parts)
        if not parts:
            raise why
        return _IN_PARTS + self._one([rest, parts])

    def loads(self, data: bytes) -> Any:
        if not data.startswith(_IN_PARTS):
            return self._read(data)
        rest, parts = self._read(data[1:])
        for path, kind, content in parts:
            *above, last = path
            holder = rest
            for name in above:
                holder = holder[name]
            holder[last] = self._inner.loads_typed((kind, content))
        return rest

    def _read(self, data: bytes) -> Any:
        kind, _, content = data.removeprefix(_NOT_COMPRESSED).partition(b"\x00")
        return self._inner.loads_typed((kind.decode(), content))


def _without(value: Any, path: list[Any], serde: SerializerProtocol, parts: list[list[Any]]) -> Any:
    """Return lists and dicts as they are, with None in the place of other values, which are added to the parts."""
    if type(value) is dict:
        return {name: _without(item, [*path, name], serde, parts) for name, item in value.items()}
    if type(value) is list:
        return [_without(item, [*path, at], serde, parts) for at, item in enumerate(value)]
    if value is not None:
        parts.append([path, *serde.dumps_typed(value)])
    return None
