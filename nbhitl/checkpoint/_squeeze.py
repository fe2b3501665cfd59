"""Compression of what is stored whole."""

from __future__ import annotations

import zlib

from nbhitl.errors import StoreError

_ZLIB = b"\x78"
_WORTH_COMPRESSING = 2048

LARGEST = 1 << 30
"""Bytes of the largest state that is compressed. Somebody else's store may hold what unpacks to a thousand times its
size: no more than this is unpacked. A row that is not compressed can be no larger in SQLite and PostgreSQL.
"""


def compressed(data: bytes) -> bytes:
    """Return the body of a step, compressed if that is worth it."""
    return zlib.compress(data, 1) if _WORTH_COMPRESSING <= len(data) <= LARGEST else data


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
    unpacker = zlib.decompressobj()
    try:
        unpacked = unpacker.decompress(data, LARGEST + 1)
    except zlib.error as error:
        raise StoreError(f"a stored step is damaged and cannot be read: {error}") from error
    if len(unpacked) > LARGEST:
        raise StoreError(
            f"a stored step of {len(data):,} bytes unpacks to more than {LARGEST:,}, the most that nbhitl compresses: "
            "nbhitl has not written it. Delete the thread, or restore the store from a copy."
        )
    if unpacker.unused_data or not unpacker.eof:
        raise StoreError("a stored step is damaged and cannot be read: it does not end where its data ends")
    return unpacked
