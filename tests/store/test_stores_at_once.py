"""Stores that several threads, processes or coroutines use at once."""

from __future__ import annotations

import asyncio
import threading
from collections import UserDict
from contextlib import asynccontextmanager

import aiosqlite
import psycopg
import pytest
from database_stores import keys

from nbhitl.errors import StoreError
from nbhitl.store.base import (
    GetOp,
    PutOp,
)
from nbhitl.store.postgres import AsyncPostgresStore, PostgresStore
from nbhitl.store.sqlite import AsyncSqliteStore, SqliteStore


def test_threads_take_turns(store):
    def work(number):
        for n in range(10):
            store.put(("w", str(number)), str(n), {"n": n})
            store.put(("shared",), "k", {"by": number, "n": n})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.search(("w",), limit=100)) == 40
    assert store.get(("shared",), "k").value["n"] == 9


def test_two_stores_that_write_the_same_items_do_not_wait_for_each_other(address):
    opened_store = (PostgresStore if "host=" in address else SqliteStore).from_conn_string
    problems = []

    def work(mine, keys):
        try:
            for n in range(20):
                mine.batch([PutOp(("s",), key, {"n": n} if n % 3 else None) for key in keys])
                mine.batch([PutOp(("s",), key, {"n": n}, ttl=5) for key in keys])
                mine.batch([GetOp(("s",), key) for key in keys])
        except StoreError as error:
            problems.append(error)

    keys = [str(n) for n in range(6)]
    with opened_store(address) as one, opened_store(address) as other:
        threads = [
            threading.Thread(target=work, args=(one, keys)),
            threading.Thread(target=work, args=(other, keys[::-1])),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert len(one.search(("s",))) == 6


@asynccontextmanager
async def lent_sqlite(_):
    async with aiosqlite.connect(":memory:") as conn:
        yield AsyncSqliteStore(conn)


@asynccontextmanager
async def lent_postgres(address):
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as conn:
        yield AsyncPostgresStore(conn)


ASYNC = {
    "sqlite": lambda _: AsyncSqliteStore.from_conn_string(":memory:"),
    "aiosqlite": lent_sqlite,
    "postgres": AsyncPostgresStore.from_conn_string,
    "pool": lambda address: AsyncPostgresStore.from_conn_string(
        address, pool_config={"min_size": 1, "max_size": 3}
    ),
    "async connection": lent_postgres,
}


@pytest.mark.parametrize("kind", ASYNC)
async def test_async_stores(kind, request):
    address = "" if "sqlite" in kind else request.getfixturevalue("postgres")
    async with ASYNC[kind](address) as store:
        await store.setup()
        await asyncio.gather(*(store.aput(("a", str(n % 2)), f"k{n}", {"n": n}) for n in range(6)))
        assert keys(await store.asearch(("a",), filter={"n": {"$gte": 3}})) == ["k3", "k4", "k5"]
        assert (await store.aget(("a", "1"), "k1")).value == {"n": 1}
        assert await store.alist_namespaces(prefix=("a",)) == [("a", "0"), ("a", "1")]
        await store.adelete(("a", "1"), "k1")
        assert await store.aget(("a", "1"), "k1") is None
        await store.aput(("t",), "k", {}, ttl=0.0001)
        await asyncio.sleep(0.02)
        assert await store.sweep_ttl() == 1
        task = await store.start_ttl_sweeper(1)
        assert await store.start_ttl_sweeper(1) is task
        assert await store.stop_ttl_sweeper(5) is True
        assert task.cancelled()
        # From another thread the sync methods work too.
        assert (await asyncio.to_thread(store.get, ("a", "0"), "k2")).value == {"n": 2}


class SlowlyRead(UserDict):
    def __init__(self):
        super().__init__(n=1)
        self.started, self.go_on = threading.Event(), threading.Event()

    def keys(self):
        self.started.set()
        self.go_on.wait(5)
        return super().keys()


@pytest.mark.parametrize("kind", ["postgres", "pool"])
async def test_what_is_still_done_when_an_async_store_ends_is_waited_for(kind, postgres):
    async with ASYNC[kind](postgres) as store:
        await store.setup()
        value = SlowlyRead()
        put = asyncio.create_task(store.aput(("a",), "k", value))
        await asyncio.to_thread(value.started.wait, 5)
        put.cancel()  # its thread goes on, and may need the event loop for it
        value.go_on.set()
    with PostgresStore.from_conn_string(postgres) as again:
        assert again.get(("a",), "k").value == {"n": 1}


async def test_a_sync_store_has_async_methods(tmp_path):
    with SqliteStore.from_conn_string(str(tmp_path / "items.db")) as store:
        await store.aput(("a",), "k", {"n": 1})
        assert (await store.aget(("a",), "k")).value == {"n": 1}
