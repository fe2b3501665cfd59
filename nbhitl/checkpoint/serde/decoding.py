"""Stored bytes back to values: data, and instances of the classes that are known."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ormsgpack import unpackb

from nbhitl.checkpoint.serde import foreign, graphtypes, plain, tags
from nbhitl.checkpoint.serde.usertypes import rebuild, related, type_name
from nbhitl.checkpoint.serde.whole import END, MARK, PAIR, more_bytes, unpacked, unpacked_each
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nbhitl.checkpoint.serde.homes import Homes

_PLAIN = frozenset({list, str, bytes, dict, int, float, bool, type(None)})
"""What the content of a tag is: never an object, which might be a range without end, made into a tuple."""

_DECODERS: dict[int, Callable[[Any], Any]] = plain.DECODERS | graphtypes.DECODERS

# MessagePack's decoder says only that its hook failed; this keeps why, for each thread.
_failure = threading.local()
_NO_REASON = "ext_hook failed"


class Decoder:
    """Makes values of bytes.

    Args:
        classes: the known classes by name; classes found later are added to it.
        homes: where programs have classes of their own.
        unknown: makes something of an instance of another class, of its tag, the class's name and the fields. Such
            an instance is an error by default.
    """

    def __init__(
        self, classes: dict[str, type], homes: Homes, unknown: Callable[..., Any] | None = None
    ) -> None:
        self._classes = classes
        self._homes = homes
        self._unknown = unknown

    def value_of(self, data: bytes) -> Any:
        """Return the value that `data` holds.

        Raises:
            StoreError: the bytes are damaged, or hold an instance of a class that is not known.
        """
        try:
            return unpacked(data, self._decode)
        except Exception as error:
            first = _failure.__dict__.pop("error", error)
            if isinstance(first, StoreError) or not isinstance(first, Exception):
                raise first from None
            if str(first) == _NO_REASON:
                self._raise_if_stopped(data)
            raise StoreError(f"a stored value is damaged and cannot be read: {first}") from first

    def _raise_if_stopped(self, data: bytes) -> None:
        """Raise KeyboardInterrupt if it was Ctrl-C, just as the hook was called, that kept `data` from being read."""
        with suppress(ValueError):
            unpacked(data, self._decode)
            raise KeyboardInterrupt
        _failure.__dict__.pop("error", None)

    def values_of(self, datas: Sequence[bytes]) -> list[Any]:
        """Return the value of each, as `value_of` does."""
        try:
            return unpacked_each(datas, self._decode)
        except Exception:  # reading them one by one tells which is damaged, and why
            first = _failure.__dict__.pop("error", None)
            if first is not None and not isinstance(first, Exception):
                raise first from None
            return [self.value_of(data) for data in datas]

    def _decode(self, tag: int, data: bytes) -> Any:
        try:
            # As `unpacked` does it, but with one frame a level: what could be stored deeply nested can be read again.
            content, end = unpackb(b"".join((PAIR, data, END)), ext_hook=self._decode)
            if end != MARK:
                raise more_bytes()
            if type(content) not in _PLAIN and tag != tags.OVERWRITE:
                raise TypeError(f"there is a {type(content).__name__} in a place for plain data")
            decode = _DECODERS.get(tag)
            return decode(content) if decode else self._decode_other(tag, content)
        except BaseException as error:  # Ctrl-C too, which the decoder takes for a failure like any other
            _failure.__dict__.setdefault("error", error)
            raise

    def _decode_other(self, tag: int, content: Any) -> Any:
        if tag in tags.USER_TYPES:
            name, *fields = content
            cls = self._classes.get(name) or self._find_class(name)
            if cls is not None:
                return rebuild(tag, cls, fields)
            if self._unknown is not None:
                return self._unknown(tag, name, fields)
            raise StoreError(
                f"a stored value is a {name.replace(':', '.')}, which is not registered here. Compile "
                "the graph whose state names it, or register it: saver.serde.register(...)"
            )
        if tag == tags.MESSAGE:
            return graphtypes.decode_message(content)
        return foreign.decode(tag, content)

    def _find_class(self, name: str) -> type | None:
        """A subclass of a known class, or a class of a program's own, if this process has loaded it."""
        subclasses = (cls for cls in related(list(self._classes.values())) if type_name(cls) == name)
        found = next(subclasses, None) or self._homes.find(name)
        if found is not None:
            self._classes[name] = found
        return found
