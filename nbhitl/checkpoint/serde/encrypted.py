"""Values encrypted in the store: whoever has the file, or the database, and not the key, cannot read them.

>>> from nbhitl.checkpoint.memory import InMemorySaver
>>> from nbhitl.checkpoint.serde.encrypted import EncryptedSerializer
>>> saver = InMemorySaver(serde=EncryptedSerializer.from_pycryptodome_aes(key=b"sixteen bytes..."))
"""

from __future__ import annotations

import os
from typing import Any

from nbhitl.checkpoint.serde.base import CipherProtocol, SerializerProtocol
from nbhitl.checkpoint.serde.jsonplus import JsonPlusSerializer
from nbhitl.errors import StoreError

__all__ = ["CipherProtocol", "EncryptedSerializer"]

_KEY = "LANGGRAPH_AES_KEY"
_LENGTHS = (16, 24, 32)
_PART = 16
"""Bytes of the nonce, which comes first, and of the tag that follows it."""


class EncryptedSerializer(SerializerProtocol):
    """Turns values into encrypted bytes and back: states, writes, payloads, answers and metadata.

    Names stay readable: threads, namespaces, nodes, keys of writes, who answered and when; so does the SHA-256 of each
    question. Bytes that were stored without encryption are read as they are.

    Args:
        cipher: encrypts and decrypts.
        serde: turns values into bytes and back.
    """

    def __init__(self, cipher: CipherProtocol, serde: SerializerProtocol | None = None) -> None:
        self.cipher = cipher
        self.serde = JsonPlusSerializer() if serde is None else serde

    def register(self, *classes: type) -> None:
        """Let values be instances of these classes, where the inner serializer wants to know them."""
        self._pass_on("register", *classes)

    def register_new(self, *classes: type) -> None:
        """Register those of these classes whose names the serializer inside does not know yet."""
        self._pass_on("register_new", *classes)

    def trust(self, homes: frozenset[str]) -> None:
        """Let values be instances of a program's own classes, if the serializer inside needs that said."""
        self._pass_on("trust", homes)

    def _pass_on(self, method: str, *args: Any) -> None:
        known = getattr(self.serde, method, None)
        if known is not None:
            known(*args)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the kind of encoding with the cipher's name, and the encrypted bytes."""
        kind, data = self.serde.dumps_typed(obj)
        name, encrypted = self.cipher.encrypt(data)
        return f"{kind}+{name}", encrypted

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value of what `dumps_typed` returned.

        Raises:
            StoreError: it was encrypted with another key, or is damaged.
        """
        kind, encrypted = data
        inner, plus, name = kind.partition("+")
        if not plus:
            return self.serde.loads_typed(data)
        try:
            decrypted = self.cipher.decrypt(name, encrypted)
        except Exception as error:  # whatever a cipher says of bytes that are not its own
            raise StoreError(
                f"a stored value cannot be decrypted ({error}): it was encrypted with another key, or is damaged."
            ) from error
        return self.serde.loads_typed((inner, decrypted))

    @classmethod
    def from_pycryptodome_aes(
        cls, serde: SerializerProtocol | None = None, **kwargs: Any
    ) -> EncryptedSerializer:
        """Return a serializer that encrypts by AES, with the package pycryptodome.

        Args:
            serde: turns values into bytes and back.
            kwargs: arguments of `Crypto.Cipher.AES.new`: `key`, 16, 24 or 32 bytes, by default what the environment
                variable LANGGRAPH_AES_KEY holds; `mode`, by default EAX.

        Raises:
            ImportError: pycryptodome is not installed.
            ValueError: there is no key, or one of another length.
        """
        try:
            from Crypto.Cipher import AES
        except ImportError as error:
            raise ImportError(
                "Pycryptodome is not installed. Please install it with `pip install pycryptodome`."
            ) from error
        key = kwargs.pop("key", None)
        key = _key_of_environment() if key is None else key
        if len(key) not in _LENGTHS:
            raise ValueError(
                f"Incorrect AES key length ({len(key)} bytes): it must be 16, 24, or 32 bytes long."
            )
        mode = kwargs.pop("mode", AES.MODE_EAX)
        return cls(_Aes(AES, key, mode, kwargs), serde)


class _Aes:
    """AES in a mode that notices changes; what it returns is nonce, tag and encrypted bytes."""

    def __init__(self, aes: Any, key: bytes, mode: int, options: dict[str, Any]) -> None:
        self._aes = aes
        self._key = key
        self._mode = mode
        self._options = options

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        cipher = self._aes.new(self._key, self._mode, **self._options)
        encrypted, tag = cipher.encrypt_and_digest(plaintext)
        return "aes", cipher.nonce + tag + encrypted

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        if ciphername != "aes":
            raise ValueError(f"unsupported cipher: {ciphername}")
        nonce, tag = ciphertext[:_PART], ciphertext[_PART : 2 * _PART]
        cipher = self._aes.new(self._key, self._mode, **{**self._options, "nonce": nonce})
        decrypted: bytes = cipher.decrypt_and_verify(ciphertext[2 * _PART :], tag)
        return decrypted


def _key_of_environment() -> bytes:
    key = os.environ.get(_KEY)
    if key is None:
        raise ValueError(f"{_KEY} environment variable is not set.")
    if len(key.encode()) not in _LENGTHS:
        raise ValueError(f"{_KEY} must be 16, 24, or 32 bytes long.")
    return key.encode()
