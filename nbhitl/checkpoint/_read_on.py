"""A history goes on to be read though somebody prunes the thread meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


def read_on(
    read: Callable[[str | None, int], Iterator[T]], id_of: Callable[[T], str], before: str | None
) -> Iterator[T]:
    """Yield what `read` does; where steps went that it needs, what is still there after the last one that it gave.

    Args:
        read: reads newest first what is before a checkpoint; the number says how many were given already.
        id_of: names the checkpoint of what was read.
        before: where to begin.

    Raises:
        StoreError: reading again does not help: the store is damaged.
    """
    given, again = 0, False
    while True:
        before_this = given
        try:
            for found in read(before, given):
                yield found
                given, before = given + 1, id_of(found)
            return
        except StoreError:
            if again and given == before_this:
                raise
            again = True
