"""Compression of what is stored whole."""

from __future__ import annotations

import zlib

from nbhitl.errors import StoreError

_ZLIB = b"\x78"
_WORTH_COMPRESSING = 2048


def compressed(data: bytes) -> bytes:
    """Return the body of a step, compressed if that is worth it."""
    return zlib.compress(data, 1) if len(data) >= _WORTH_COMPRESSING else data


def decompressed(data: bytes) -> bytes:
    """Return what was compressed, unpacked: zlib's data begins with another byte than a body's list.

    Raises:
        StoreError: it is damaged.
    """
    if data[:1] != _ZLIB:
        return data
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data)
    except zlib.error as error:
        raise StoreError(f"a stored step is damaged and cannot be read: {error}") from error
    if unpacker.unused_data or not unpacker.eof:
        raise StoreError("a stored step is damaged and cannot be read: it does not end where its data ends")
    return unpacked
