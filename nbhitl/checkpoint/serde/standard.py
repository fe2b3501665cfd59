"""Types of the standard library's larger modules, as plain data and back. Imported when a value of one is at hand.

Encoding imports none of these modules: who has a Decimal has loaded `decimal`. Decoding loads the one it needs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.serde import tags
from nbhitl.errors import StoreError, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PurePath
    from zoneinfo import ZoneInfo

    from nbhitl.checkpoint.serde.plain import Codec


def _zone_data(value: ZoneInfo) -> str:
    if value.key is None:
        raise UnsupportedValue(
            "a ZoneInfo that was made of a file has no key that could be stored; make it by name"
        )
    return value.key


def _path_codec(kind: str) -> Codec:
    return tags.PATH, lambda value: [kind, str(value)]


_PATHS = {
    "posix": "PurePosixPath",
    "windows": "PureWindowsPath",
    "posix path": "Path",
    "windows path": "Path",
}
_ADDRESSES = (
    "IPv4Address", "IPv6Address", "IPv4Interface", "IPv6Interface", "IPv4Network", "IPv6Network",
)  # fmt: skip

_ENCODERS: dict[str, dict[str, Codec]] = {
    "decimal": {"Decimal": (tags.DECIMAL, str)},
    "fractions": {"Fraction": (tags.FRACTION, lambda value: [value.numerator, value.denominator])},
    "uuid": {"UUID": (tags.UUID, lambda value: value.bytes)},
    "zoneinfo": {"ZoneInfo": (tags.ZONEINFO, _zone_data)},
    "pathlib": {
        "PurePosixPath": _path_codec("posix"),
        "PureWindowsPath": _path_codec("windows"),
        "PosixPath": _path_codec("posix path"),
        "WindowsPath": _path_codec("windows path"),
    },
    "ipaddress": {
        name: (tags.IP_ADDRESS, lambda value: [type(value).__name__, str(value)]) for name in _ADDRESSES
    },
}


def codec(cls: type) -> Codec | None:
    """Return how to store instances of `cls` if it is one of these modules' types itself, else None."""
    module = cls.__module__.partition(".")[0]
    found = _ENCODERS[module].get(cls.__qualname__)
    # A class that only calls itself so is not theirs.
    return (
        found if found is not None and getattr(sys.modules.get(module), cls.__name__, None) is cls else None
    )


def _decimal(data: str) -> Any:
    from decimal import Decimal

    return Decimal(data)


def _fraction(data: list[int]) -> Any:
    from fractions import Fraction

    numerator, denominator = data
    if type(numerator) is not int or type(denominator) is not int:
        raise TypeError("a fraction is made of two whole numbers")  # of text it may be one that has no end
    return Fraction(numerator, denominator)


def _uuid(data: bytes) -> Any:
    from uuid import UUID

    return UUID(bytes=data)


def _zone(data: str) -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo(data)


def _path(data: list[str]) -> PurePath:
    import pathlib

    kind, text = data
    path: PurePath = getattr(pathlib, _PATHS[kind])(text)
    return path


def _address(data: list[str]) -> Any:
    import ipaddress

    name, text = data
    if name not in _ADDRESSES:
        raise StoreError(f"a stored value is of the unknown type ipaddress.{name}; the data is damaged.")
    return getattr(ipaddress, name)(text)


DECODERS: dict[int, Callable[[Any], Any]] = {
    tags.DECIMAL: _decimal,
    tags.FRACTION: _fraction,
    tags.UUID: _uuid,
    tags.ZONEINFO: _zone,
    tags.PATH: _path,
    tags.IP_ADDRESS: _address,
}
