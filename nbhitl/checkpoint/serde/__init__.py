"""Values as bytes and back, as data: nothing is pickled, nothing is imported or called by name."""

from nbhitl.checkpoint.serde.base import SerializerProtocol, ensure_serde
from nbhitl.checkpoint.serde.canonical import canonical_bytes
from nbhitl.checkpoint.serde.core import Serde, packed_plain, plain_value, unpacked_plain
from nbhitl.checkpoint.serde.usertypes import Opaque

__all__ = [
    "Opaque",
    "Serde",
    "SerializerProtocol",
    "canonical_bytes",
    "ensure_serde",
    "packed_plain",
    "plain_value",
    "unpacked_plain",
]
