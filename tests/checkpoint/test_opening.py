"""A connection that is opened in another thread, for a caller that may be gone when it is there."""

import asyncio
import sqlite3
import sys
import threading
from importlib import import_module

import pytest

from nbhitl.checkpoint._opening import opened_aside
from nbhitl.errors import StoreError

OPENERS = [
    ("nbhitl.checkpoint.sqlite.aio", "AsyncSqliteSaver"),
    ("nbhitl.checkpoint.postgres.aio", "AsyncPostgresSaver"),
    ("nbhitl.store.sqlite.aio", "AsyncSqliteStore"),
    ("nbhitl.store.postgres.aio", "AsyncPostgresStore"),
]


class Slow:
    """Opens connections that note when they are closed, as soon as it is allowed to."""

    def __init__(self) -> None:
        self.begun, self.may_go_on, self.ended = (threading.Event() for _ in range(3))
        self.closed: list[str] = []

    def __call__(self, address: str) -> "Slow":
        self.begun.set()
        assert self.may_go_on.wait(10)
        return self

    def close(self) -> None:
        self.closed.append(threading.current_thread().name)
        self.ended.set()


async def cancelled(opening, slow):
    task = asyncio.ensure_future(opening)
    assert await asyncio.to_thread(slow.begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(("module", "kind"), OPENERS)
def test_what_is_opened_for_somebody_who_was_cancelled_is_closed(monkeypatch, module, kind):
    """Also where the event loop ends before it is open."""
    slow = Slow()
    monkeypatch.setattr(import_module(module), "connect", slow)

    async def main():
        async def opening():
            async with getattr(sys.modules[module], kind).from_conn_string("address"):
                raise AssertionError("nobody waits for it")

        await cancelled(opening(), slow)
        assert slow.closed == []
        slow.may_go_on.set()

    asyncio.run(main())
    assert slow.ended.wait(10)
    assert len(slow.closed) == 1


async def test_what_is_open_already_when_the_caller_is_cancelled_is_closed_too(monkeypatch):
    slow = Slow()
    slow.may_go_on.set()

    async def opened_and_cancelled(opens):
        opens()
        raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "to_thread", opened_and_cancelled)
    with pytest.raises(asyncio.CancelledError):
        await opened_aside(slow, "address")
    assert len(slow.closed) == 1


async def test_who_is_not_cancelled_gets_it_open():
    conn = await opened_aside(lambda path: sqlite3.connect(path, check_same_thread=False), ":memory:")
    assert conn.execute("SELECT 1").fetchone() == (1,)
    conn.close()


async def test_what_cannot_be_opened_is_told():
    def refused(address: str) -> sqlite3.Connection:
        raise StoreError(f"no store {address}")

    with pytest.raises(StoreError, match="no store address"):
        await opened_aside(refused, "address")
