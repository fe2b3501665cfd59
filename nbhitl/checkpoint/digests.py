"""What is kept of a question, to hold its replay and its answers against it; pure.

OpenSSL and the encodings are loaded with the first question: programs that ask nobody need neither.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from nbhitl.types import Interrupt

_LARGE = 4096
"""Bytes of a payload whose digest is not kept."""


def payload_digest(value: Any) -> str:
    """Return the SHA-256 of a question's canonical encoding, as hex digits."""
    if type(value) is str:
        return _digest_of_text(value) if len(value) <= _LARGE else _digest_of_text.__wrapped__(value)
    if type(value) is int:
        return _digest_of_number(value)
    packed = _packing()(value)
    if packed is not None and len(packed) <= _LARGE:
        return _digest_of_packed(packed)
    plainly = _encodings().plain_value(value)
    return _digest(value) if plainly is value else payload_digest(plainly)


@cache
def _encodings() -> ModuleType:
    from nbhitl.checkpoint import serde

    return serde


@cache
def _packing() -> Callable[[Any], bytes | None]:
    from nbhitl.checkpoint.serde import packed_plain

    return packed_plain


@lru_cache(maxsize=1024)
def _digest_of_text(text: str) -> str:
    return _sha256(b"s" + text.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=1024)
def _digest_of_number(number: int) -> str:
    return _digest(number)


@lru_cache(maxsize=1024)
def _digest_of_packed(packed: bytes) -> str:
    """A node that asks many questions asks the same ones again each time it restarts."""
    return _digest(_encodings().unpacked_plain(packed))


def _digest(value: Any) -> str:
    return _sha256(b"v" + _encodings().canonical_bytes(value))


def _sha256(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()


def what_was_asked(question: Interrupt) -> str:
    """Return what is kept of a question to hold its replay against: the payload's digest, and its site if noted."""
    digest = payload_digest(question.value)
    return digest if question.site is None else f"{digest} {question.site}"
