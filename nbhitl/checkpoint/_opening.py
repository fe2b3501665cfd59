"""A connection that is opened for a saver or a store, and closed if that cannot be made."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Closable(Protocol):
    """A connection of whichever database."""

    def close(self) -> None:
        """End it."""


@contextmanager
def closed_if_it_fails(conn: Closable) -> Iterator[None]:
    """Return a context that closes the connection if it ends with an error; else whoever was made there does."""
    try:
        yield
    except BaseException:
        conn.close()
        raise
