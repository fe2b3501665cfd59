"""A connection that is opened for a saver or a store, and closed if nobody gets it."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Closable(Protocol):
    """A connection of whichever database."""

    def close(self) -> None:
        """End it."""


Connection = TypeVar("Connection", bound=Closable)


@contextmanager
def closed_if_it_fails(conn: Closable) -> Iterator[None]:
    """Return a context that closes the connection if it ends with an error; else whoever was made there does."""
    try:
        yield
    except BaseException:
        conn.close()
        raise


async def opened_aside(connect: Callable[[str], Connection], address: str) -> Connection:
    """Return a connection that another thread opens, so that the event loop goes on meanwhile.

    A thread cannot be cancelled. If the caller is, whichever of the two comes later closes the connection.
    """
    import asyncio

    lock, opened, is_cancelled = Lock(), list[Connection](), False

    def open_it() -> None:
        conn = connect(address)
        with lock:
            opened.append(conn)
            nobody_waits = is_cancelled
        if nobody_waits:
            conn.close()

    try:
        await asyncio.to_thread(open_it)
    except asyncio.CancelledError:
        with lock:
            is_cancelled = True
            left = opened.copy()
        for conn in left:
            conn.close()
        raise
    return opened[0]
