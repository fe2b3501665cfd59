"""The metadata of a checkpoint, as bytes and back. No I/O."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint.serde.core import Serde, packed_plain
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from nbhitl.checkpoint._rows import Codec

_MOST = 2**63 - 1
"""As large as a step can be: tables hold its number in 64 bits."""

SOURCES = ("input", "loop", "update", "fork")


def encode_metadata(metadata: dict[str, Any], serde: Codec) -> bytes:
    """Return the bytes of a checkpoint's metadata: the usual one is `[source, step]`; what is more, or of another
    form, stays as it is. `decode_metadata` gives it back.
    """
    try:
        source, step, parents = metadata["source"], metadata["step"], metadata["parents"]
    except KeyError:
        return serde.dumps(metadata)
    if parents or len(metadata) != 3 or source not in SOURCES or type(step) is not int:
        return serde.dumps(metadata)
    if serde.__class__ is Serde:
        return _known_metadata(source, step)
    return serde.dumps([SOURCES.index(source), step])


@lru_cache(maxsize=1024)
def _known_metadata(source: str, step: int) -> bytes:
    """Every thread has the same first steps, and nbhitl's serializers are of one mind about numbers."""
    return cast("bytes", packed_plain([SOURCES.index(source), step]))


def decode_metadata(data: bytes, serde: Codec) -> dict[str, Any]:
    """Return a checkpoint's metadata.

    Raises:
        StoreError: the bytes are damaged.
    """
    return metadata_of(serde.loads(data))


def metadata_of(loaded: Any) -> dict[str, Any]:
    """Return the metadata that was stored as this value; see `encode_metadata`.

    Raises:
        StoreError: it is none.
    """
    if isinstance(loaded, dict):
        return loaded
    try:
        source, step = loaded
        if type(step) is not int or not -_MOST <= step <= _MOST:
            raise ValueError(f"there is no step {step!r}")
        return {"source": SOURCES[source], "step": step, "parents": {}}
    except (TypeError, ValueError, LookupError) as error:
        raise StoreError(f"the metadata of a checkpoint is damaged and cannot be read: {error}") from error
