"""What a saver asks of a serializer, so that one written for LangGraph can be handed to one of nbhitl's."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class SerializerProtocol(Protocol):
    """Values to typed bytes and back; `loads_typed(dumps_typed(value))` gives `value`."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the kind of encoding and the bytes."""

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value of what `dumps_typed` returned."""


class CipherProtocol(Protocol):
    """What encrypts and decrypts."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """Return the cipher's name and the encrypted bytes."""

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        """Return what was encrypted."""


def maybe_add_typed_methods(serde: Any) -> SerializerProtocol:
    """Return `serde` if it is a serializer: what LangGraph calls `ensure_serde`. See there."""
    return ensure_serde(serde)


def ensure_serde(serde: Any) -> SerializerProtocol:
    """Return `serde` if it is a serializer.

    Raises:
        TypeError: it lacks `dumps_typed` or `loads_typed`.
    """
    if isinstance(serde, SerializerProtocol):
        return serde
    raise TypeError(
        f"serde= needs an object with dumps_typed() and loads_typed(); got {type(serde).__name__}. "
        "Leave it out to use nbhitl.checkpoint.serde.Serde()."
    )
