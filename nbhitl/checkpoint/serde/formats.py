"""Values in the simple formats that savers of others keep: JSON, bytes, nothing."""

from __future__ import annotations

import json
from typing import Any

from nbhitl.errors import StoreError


def plain_value(kind: str, content: bytes) -> Any:
    """Return the value of bytes in the format `kind`; nothing but data comes of them.

    Raises:
        StoreError: they are damaged or in another format.
    """
    if kind == "null":
        return None
    if kind in ("bytes", "bytearray"):
        return bytes(content) if kind == "bytes" else bytearray(content)
    if kind != "json":
        formats = "'msgpack', 'json', 'bytes', 'bytearray' and 'null'"
        raise StoreError(f"a value is stored in the format {kind!r}; this serializer reads {formats}.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"a value stored as JSON is damaged: {error}.") from error
