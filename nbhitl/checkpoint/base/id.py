"""Ids that grow with time, under the name that savers written for LangGraph import."""

from __future__ import annotations

from uuid import UUID

from nbhitl.checkpoint.stamps import new_checkpoint_id

__all__ = ["uuid6"]

_NODE = (1 << 48) - 1
_CLOCK_SEQ = (1 << 14) - 1


def uuid6(node: int | None = None, clock_seq: int | None = None) -> UUID:
    """Return a fresh version 6 UUID: later ones are greater, as numbers and as strings.

    Args:
        node: 48 bits for its last part; by default a number that this process has drawn.
        clock_seq: 14 bits for the part before that.

    >>> uuid6() < uuid6()
    True
    """
    number = UUID(new_checkpoint_id()).int
    if clock_seq is not None:
        number = number & ~(_CLOCK_SEQ << 48) | (clock_seq & _CLOCK_SEQ) << 48
    if node is not None:
        number = number & ~_NODE | node & _NODE
    return UUID(int=number)
