"""Compression of what is stored whole."""

from __future__ import annotations

import zlib

from nbhitl.errors import StoreError

_ZLIB = b"\x78"
_WORTH_COMPRESSING = 2048

LARGEST = 1 << 30
"""Bytes of the largest state that is compressed. One that is not compressed can be no larger in the databases."""

_ALWAYS = 1 << 24
_TIMES = 20


def _most(stored: int) -> int:
    """Return to how many bytes so many may unpack.

    Somebody else's store may hold what unpacks to a thousand times its size, and takes seventy times that in memory. So
    what is large and can be compressed by more than this is stored as it is.
    """
    return min(LARGEST, max(_ALWAYS, _TIMES * stored))


def compressed(data: bytes) -> bytes:
    """Return the body of a step, compressed if that is worth it."""
    if not _WORTH_COMPRESSING <= len(data) <= LARGEST:
        return data
    packed = zlib.compress(data, 1)
    return packed if len(data) <= _most(len(packed)) else data


def looks_compressed(data: bytes) -> bool:
    """Whether `decompressed` would unpack these bytes."""
    return data[:1] == _ZLIB


def decompressed(data: bytes) -> bytes:
    """Return what was compressed, unpacked: zlib's data begins with another byte than a body's list.

    Raises:
        StoreError: it is damaged, or larger than what is ever compressed.
    """
    if data[:1] != _ZLIB:
        return data
    unpacker, most = zlib.decompressobj(), _most(len(data))
    try:
        unpacked = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        raise StoreError(f"a stored step is damaged and cannot be read: {error}") from error
    if len(unpacked) > most:
        raise StoreError(
            f"a stored step of {len(data):,} bytes unpacks to more than {most:,}, the most that nbhitl compresses so: "
            "nbhitl has not written it. Delete the thread, or restore the store from a copy."
        )
    if unpacker.unused_data or not unpacker.eof:
        raise StoreError("a stored step is damaged and cannot be read: it does not end where its data ends")
    return unpacked
