"""Waiting for a session from an event loop, such that the stop button gets through."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbhitl.review.session import ReviewSession

HEARTBEAT = 0.25
"""Seconds between looks while a cell waits; a bare await would not notice that it is to stop."""


async def next_change(session: ReviewSession) -> None:
    """Come back at the next change of `session`, on whichever thread it is made, or at the next heartbeat."""
    loop = asyncio.get_running_loop()
    changed: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not changed.done():
            changed.set_result(None)

    def tell() -> None:
        loop.call_soon_threadsafe(settle)

    forget = session.on_change(tell)
    try:
        await asyncio.wait({changed}, timeout=HEARTBEAT)
    finally:
        forget()
