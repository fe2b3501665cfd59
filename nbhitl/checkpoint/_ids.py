"""Ids in half the space: a UUID as 16 bytes, any other id as it is. Order among UUIDs stays the same."""

from __future__ import annotations

from functools import lru_cache

_LENGTH = 36


def packed(text: str) -> bytes | str:
    """Return a UUID's bytes, or `text` itself if it is not one in its usual spelling.

    >>> packed("1f1e5456-be7a-625d-96f0-95f93fe6b380").hex()
    '1f1e5456be7a625d96f095f93fe6b380'
    >>> packed("first")
    'first'
    """
    if len(text) != _LENGTH or text[8:24:5] != "----":
        return text
    digits = text.replace("-", "")
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        return text
    return data if data.hex() == digits else text


@lru_cache(maxsize=4096)
def unpacked(data: bytes | str) -> str:
    """Return the id that `packed` made this of.

    >>> unpacked(packed("1f1e5456-be7a-625d-96f0-95f93fe6b380"))
    '1f1e5456-be7a-625d-96f0-95f93fe6b380'
    """
    if isinstance(data, str):
        return data
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
