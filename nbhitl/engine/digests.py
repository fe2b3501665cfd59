"""What is kept of a question, to hold its replay and its answers against it; pure.

Loaded with the first question: programs that ask nobody need neither OpenSSL nor the canonical encoding.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.serde import canonical_bytes, packed_plain, plain_value, unpacked_plain

if TYPE_CHECKING:
    from nbhitl.types import Interrupt

_LARGE = 4096
"""Bytes of a payload whose digest is not kept."""


def payload_digest(value: Any) -> str:
    """Return the SHA-256 of a question's canonical encoding, as hex digits."""
    if type(value) is str:
        return _digest_of_text(value) if len(value) <= _LARGE else _digest_of_text.__wrapped__(value)
    packed = packed_plain(value)
    if packed is not None and len(packed) <= _LARGE:
        return _digest_of_packed(packed)
    plainly = plain_value(value)
    return _digest(value) if plainly is value else payload_digest(plainly)


@lru_cache(maxsize=1024)
def _digest_of_text(text: str) -> str:
    return sha256(b"s" + text.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=1024)
def _digest_of_packed(packed: bytes) -> str:
    """A node that asks many questions asks the same ones again each time it restarts."""
    return _digest(unpacked_plain(packed))


def _digest(value: Any) -> str:
    return sha256(b"v" + canonical_bytes(value)).hexdigest()


def what_was_asked(question: Interrupt) -> str:
    """Return what is kept of a question to hold its replay against: the payload's digest, and its site if noted."""
    digest = payload_digest(question.value)
    return digest if question.site is None else f"{digest} {question.site}"
