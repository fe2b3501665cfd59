"""Bytes as Python's sqlite3 takes them quickest. For `bytes` it asks around for an adapter, each time anew; that takes
longer than to bind them, and a step has four. For a `bytearray` it does not.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from nbhitl.checkpoint._ids import packed


@lru_cache(maxsize=4096)
def bound(text: str) -> bytearray | str:
    """Return what `packed` returns, to be bound; nobody may change it.

    >>> bytes(bound("1f1e5456-be7a-625d-96f0-95f93fe6b380")).hex()
    '1f1e5456be7a625d96f095f93fe6b380'
    >>> bound("first")
    'first'
    """
    data = packed(text)
    return data if isinstance(data, str) else bytearray(data)


def plain(value: Any) -> Any:
    """Return a bound value as SQLite gives it back, which can be a key of dictionaries."""
    return bytes(value) if isinstance(value, bytearray) else value
