"""The serializer: MessagePack, with a tag for every type that MessagePack has no kind for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import ormsgpack
from ormsgpack import Ext, packb

from nbhitl.checkpoint.serde import foreign, graphtypes, plain
from nbhitl.checkpoint.serde.decoding import Decoder
from nbhitl.checkpoint.serde.homes import Homes
from nbhitl.checkpoint.serde.usertypes import Opaque, kind_of, type_name, unknown_class, user_codec
from nbhitl.checkpoint.serde.whole import unpacked
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nbhitl.checkpoint.serde.plain import Codec

# Everything but plain dicts, lists, strings, bytes, numbers, bools and None goes through `_default`.
_PACK = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_UUID
)

# MessagePack's encoder takes Ctrl-C within `_default` for a value that it cannot store; this keeps it, for each thread.
_stopped = threading.local()

_NATIVE = frozenset({bool, float, bytes, bytearray, memoryview})

_ENCODERS: dict[type, Codec] = plain.ENCODERS | graphtypes.ENCODERS


def packed_plain(value: Any) -> bytes | None:
    """Return JSON-like data as MessagePack, from which `unpacked_plain` makes an equal value; else None."""
    try:
        return packb(value, None, _PACK)
    except TypeError:
        return None


def unpacked_plain(data: bytes) -> Any:
    """Return the value that `packed_plain` made these bytes of."""
    return unpacked(data)


class Serde:
    """Turns values into bytes and back, as data.

    Args:
        learn: register classes of values as they are first stored. For a saver that never outlives the
            process; in a store that does, a class must be known before a value of it is loaded.
    """

    def __init__(self, *, learn: bool = False) -> None:
        self._learn = learn
        self._codecs: dict[type, Codec] = dict(_ENCODERS)
        self._classes: dict[str, type] = {}
        self._registered: set[str] = set()
        self._homes = Homes()
        self._decoder = Decoder(self._classes, self._homes)

    def register(self, *classes: type) -> None:
        """Let values be instances of these dataclasses, pydantic models, Enums or NamedTuples.

        A class of the same name that was registered before is replaced: a notebook's cell may run twice.

        Raises:
            TypeError: a class whose fields are not known.
        """
        for cls in classes:
            if kind_of(cls) is None:
                raise TypeError(f"register({cls!r}): {unknown_class(cls)}.")
            self._classes[type_name(cls)] = cls
            self._registered.add(type_name(cls))

    def register_new(self, *classes: type) -> None:
        """Register those of these classes whose names are not known yet.

        Raises:
            TypeError: a class whose fields are not known.
        """
        self.register(*(cls for cls in classes if type_name(cls) not in self._registered))

    def trust(self, homes: frozenset[str]) -> None:
        """Let values be instances of classes that are written in the packages of these modules, or global names there."""
        self._homes.add(homes)

    def dumps(self, value: Any) -> bytes:
        """Return `value` as bytes.

        Raises:
            UnsupportedValue: it holds a value of a type that is not stored.
        """
        if value.__class__ is bytearray:
            value = plain.Buffer(value)
        try:
            return packb(value, self._default, _PACK)
        except TypeError:
            if (stopped := _stopped.__dict__.pop("by", None)) is not None:
                raise stopped from None
            # An odd key, a lone surrogate, or an unknown type; the encoder does not say which.
            return self._dumps_slowly(value)

    def loads(self, data: bytes) -> Any:
        """Return the value that `dumps` made these bytes of.

        Raises:
            StoreError: the bytes are damaged, or hold an instance of a class that is not registered.
        """
        return self._decoder.value_of(data)

    def loads_each(self, datas: Sequence[bytes]) -> list[Any]:
        """Return the value of each of these, as `loads` does one by one, in a fraction of the time.

        Raises:
            StoreError: as `loads`.
        """
        return self._decoder.values_of(datas)

    def loads_lenient(self, data: bytes) -> Any:
        """As `loads`, but an instance of an unknown class comes back as an inert `Opaque`."""
        return Decoder(self._classes, self._homes, Opaque).value_of(data)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the name of the format and the bytes, as LangGraph's savers want them."""
        return "msgpack", self.dumps(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value of what `dumps_typed` returned; also of "json", "bytes", "bytearray" and "null".

        Savers of others keep those. JSON comes back as data alone: what LangChain would make an object of stays a dict.

        Raises:
            StoreError: the bytes are damaged or in another format.
        """
        kind, content = data
        if kind == "msgpack":
            return self.loads(content)
        from nbhitl.checkpoint.serde.formats import plain_value

        return plain_value(kind, content)

    def codec_for(self, cls: type) -> Codec:
        """Return the tag for instances of `cls` and the function that turns one into data.

        Raises:
            UnsupportedValue: instances of `cls` are not stored.
        """
        codec = self._codecs.get(cls)
        if codec is None:
            codec = self._codecs[cls] = self._find_codec(cls)
        return codec

    def _find_codec(self, cls: type) -> Codec:
        found = graphtypes.message_codec(cls) or foreign.codec(cls)
        if found is not None:
            return found
        if cls is Opaque:
            raise UnsupportedValue(
                "a value was loaded without its class being known. Register the class, then load again"
            )
        if kind_of(cls) is None or not self._may_store(cls):
            raise unknown_class(cls)
        if type_name(cls) not in self._registered:
            self._classes[type_name(cls)] = cls
        return user_codec(cls)

    def _may_store(self, cls: type) -> bool:
        if self._learn or type_name(cls) in self._classes:
            return True
        known_base = any(self._classes.get(type_name(base)) is base for base in cls.__mro__[1:-1])
        return known_base or self._homes.hold(cls)

    def _default(self, value: Any) -> Any:
        try:
            if isinstance(value, BaseException):
                return repr(value)  # it comes back as its text: nothing but its class could make it again
            codec = self._codecs.get(type(value))
            if codec is None:
                if _plain_base(type(value)) is not None:
                    return plain_value(value)
                codec = self.codec_for(type(value))
            tag, to_data = codec
            return Ext(tag, packb(to_data(value), self._default, _PACK))
        except BaseException as error:
            if not isinstance(error, Exception):
                _stopped.by = error
            raise

    def _dumps_slowly(self, value: Any) -> bytes:
        try:
            return packb(self._packable(value), None, _PACK)
        except UnsupportedValue:
            raise
        except (TypeError, RecursionError):
            raise UnsupportedValue(
                f"a {type(value).__name__} is nested too deeply, or contains itself"
            ) from None
        except Exception as error:  # an object whose own fields are not what its class says
            raise UnsupportedValue(f"a {type(value).__name__} cannot be taken apart: {error!r}") from error

    def _packable(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            if not _is_odd(value):
                return value
            value = plain.OddStr(value)
        elif kind is list:
            return [self._packable(item) for item in value]
        elif kind is dict:
            if all(type(key) is str and not _is_odd(key) for key in value):
                return {key: self._packable(item) for key, item in value.items()}
            value = plain.Pairs(value)
        elif value is None or kind in _NATIVE or (kind is int and -(2**63) <= value < 2**64):
            return value
        elif isinstance(value, BaseException):
            return self._packable(repr(value))
        elif kind not in self._codecs and _plain_base(kind) is not None:
            return self._packable(plain_value(value))
        tag, to_data = self.codec_for(type(value))
        return Ext(tag, packb(self._packable(to_data(value)), None, _PACK))


_TO_PLAIN: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__pos__,
    list: lambda value: list.__getitem__(value, slice(None)),
    dict: lambda value: dict(dict.items(value)),
}


def plain_value(value: Any) -> Any:
    """Return a string, whole number, list or dict of a class of its own as the plain one; other values as they are.

    LangChain's `message.text` is such a string. What else the class holds is not stored.
    """
    base = _plain_base(type(value))
    return value if base is None else _TO_PLAIN[base](value)


_bases: dict[type, type | None] = {}


def _plain_base(cls: type) -> type | None:
    """Return the plain type whose values the instances of a class are, None where they are not, or are more."""
    if cls not in _bases:
        known = cls in _TO_PLAIN or cls in _NATIVE or cls in _ENCODERS or kind_of(cls) is not None
        known = known or foreign.codec(cls) is not None
        _bases[cls] = None if known else next((base for base in cls.__mro__ if base in _TO_PLAIN), None)
    return _bases[cls]


def _is_odd(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
