"""`await once(...)` in async nodes."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import aiosqlite
import pytest

from nbhitl import once
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import EffectInDoubt, EffectRunning

from .graphs import CONFIG, Engine, State


@pytest.fixture(params=["memory", "own file", "lent connection", "postgres"])
async def async_saver(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
    elif request.param == "own file":
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
            yield saver
    elif request.param == "postgres":
        async with AsyncPostgresSaver.from_conn_string(request.getfixturevalue("postgres")) as saver:
            yield saver
    else:
        async with aiosqlite.connect(tmp_path / "store.db") as conn:
            yield AsyncSqliteSaver(conn)


@pytest.mark.parametrize("name", ["nbhitl", "langgraph"])
async def test_a_node_that_starts_again_does_not_do_it_again(name, async_saver):
    engine = Engine(name)
    ran: list[Any] = []

    async def effect(value: Any) -> Any:
        await asyncio.sleep(0)
        ran.append(value)
        return {"value": value}

    async def ask(state: State) -> State:
        row = await once("async", effect, 1)
        plain = once("plain", ran.append, 2)
        return {"got": [row, plain, engine.interrupt("q")]}

    graph = engine.graph(ask, saver=async_saver if name == "nbhitl" else engine.memory())
    await graph.ainvoke({}, CONFIG)
    got = await graph.ainvoke(engine.command(resume="a"), CONFIG)
    assert got == {"got": [{"value": 1}, None, "a"]}
    assert ran == [1, 2]


async def test_sync_and_async_share_the_journal_of_a_saver(async_saver):
    assert await async_saver.abegin_once("t", "k", "ann", "1") is None
    entry = await async_saver.abegin_once("t", "k", "bob", "2")
    assert (entry.state, entry.owner) == ("started", "ann")
    assert await async_saver.aend_once("t", "k", "ann", [1], "3") is True
    assert [e.result for e in await async_saver.aonce_entries("t")] == [[1]]
    await async_saver.aforget_once("t", "k")
    assert await async_saver.abegin_once("t", "k", "bob", "4") is None
    assert await async_saver.acancel_once("t", "k", "bob") is True
    assert await async_saver.abegin_once("t", "k", "bob", "4") is None
    await async_saver.asettle_once("t", "k", "settled")
    assert [e.result for e in await async_saver.aonce_entries("t")] == ["settled"]


async def test_partials_and_callable_objects_are_awaited_too():
    class Sends:
        async def __call__(self, what: str) -> str:
            return f"sent {what}"

    async def send(what: str) -> str:
        return f"sent {what}"

    async def node(state: State) -> State:
        return {"got": [await once("a", Sends(), "a"), await once("b", partial(send, "b"))]}

    graph = Engine("nbhitl").graph(node, saver=InMemorySaver())
    assert await graph.ainvoke({}, CONFIG) == {"got": ["sent a", "sent b"]}


async def test_a_function_that_only_returns_an_awaitable_is_refused():
    async def send() -> str:
        return "sent"

    async def node(state: State) -> State:
        return {"got": once("k", lambda: send())}

    saver = InMemorySaver()
    with pytest.raises(TypeError, match="Pass the coroutine function itself"):
        await Engine("nbhitl").graph(node, saver=saver).ainvoke({}, CONFIG)
    assert saver.once_entries("t") == []


async def test_after_an_error_it_runs_again(async_saver):
    ran: list[int] = []

    async def effect() -> int:
        ran.append(1)
        if len(ran) == 1:
            raise OSError("no network")
        return len(ran)

    async def node(state: State) -> State:
        return {"got": await once("k", effect)}

    graph = Engine("nbhitl").graph(node, saver=async_saver)
    with pytest.raises(OSError, match="no network"):
        await graph.ainvoke({}, CONFIG)
    assert await graph.ainvoke(None, CONFIG) == {"got": 2}


async def test_of_tasks_at_once_one_runs_it():
    ran: list[int] = []
    told: list[EffectRunning] = []
    go_on = asyncio.Event()

    async def slow() -> str:
        ran.append(1)
        await go_on.wait()
        return "done"

    async def node(state: State) -> State:
        first = asyncio.create_task(once("k", slow))
        await asyncio.sleep(0)
        with pytest.raises(EffectRunning) as raised:
            await once("k", slow)
        told.append(raised.value)
        go_on.set()
        return {"got": [await first, await once("k", slow)]}

    graph = Engine("nbhitl").graph(node, saver=InMemorySaver())
    assert await graph.ainvoke({}, CONFIG) == {"got": ["done", "done"]}
    assert ran == [1]
    assert len(told) == 1


async def test_cancelled_half_way_it_is_in_doubt(async_saver):
    began = asyncio.Event()

    async def forever() -> None:
        began.set()
        await asyncio.Event().wait()

    async def node(state: State) -> State:
        return {"got": await once("k", forever)}

    graph = Engine("nbhitl").graph(node, saver=async_saver)
    run = asyncio.create_task(graph.ainvoke({}, CONFIG))
    await asyncio.wait_for(began.wait(), 30)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    with pytest.raises(EffectInDoubt) as raised:
        await graph.ainvoke(None, CONFIG)
    assert not isinstance(raised.value, EffectRunning)
    await async_saver.asettle_once("t", "k", "sent")
    assert await graph.ainvoke(None, CONFIG) == {"got": "sent"}
