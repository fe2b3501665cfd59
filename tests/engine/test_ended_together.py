"""Tasks that have ended when a run asks: their results come together, in the order in which they ended."""

from __future__ import annotations

import asyncio
from collections import deque
from queue import SimpleQueue

import pytest

from nbhitl.engine.adrive import AsyncDriver
from nbhitl.engine.drive import Driver
from nbhitl.engine.instructions import AWAIT
from nbhitl.engine.tasks import TaskResult

from .building import Hand, chain, pulled

A, B, C = (TaskResult(pulled(name), []) for name in "abc")


def driver_of(inbox: SimpleQueue | None = None) -> Driver:
    driver = Driver(Hand(chain("a"), {}).progress(), inbox)
    if inbox is None:
        driver.inbox, driver.early = SimpleQueue(), deque()
    driver.running = 3
    return driver


def test_a_run_gets_all_that_has_ended():
    driver = driver_of()
    for result in (A, B, C):
        driver.inbox.put(result)
    assert driver.perform(AWAIT) == [A, B, C]
    assert driver.running == 0


def test_a_run_waits_for_no_more_than_one():
    driver = driver_of()
    driver.inbox.put(B)
    assert driver.perform(AWAIT) == [B]
    assert driver.running == 2


def test_in_a_live_run_a_chunk_comes_before_what_ended_after_it():
    inbox = SimpleQueue()
    driver = driver_of(inbox)
    driver.early.extend([A, B])
    inbox.put("chunk")
    inbox.put(C)
    assert driver.perform(AWAIT) == [A, B]
    assert inbox.get() == "chunk"
    assert driver.perform(AWAIT) == [C]


@pytest.mark.parametrize("cancelled", [False, True])
def test_an_async_run_gets_all_that_has_ended(cancelled):
    """One that was cancelled from outside is raised when it is its turn: by then what ended beside it is settled."""

    async def main() -> None:
        driver = AsyncDriver(Hand(chain("a"), {}).progress())
        driver.results = asyncio.Queue()
        ended = [asyncio.get_running_loop().create_task(asyncio.sleep(0, result)) for result in (A, B, C)]
        if cancelled:
            ended[1].cancel()
        await asyncio.wait(ended)
        for task, result in zip(ended, (A, B, C), strict=True):
            driver.tasks[task] = result.task
            driver.results.put_nowait(task)
        if not cancelled:
            assert await driver.perform(AWAIT) == [A, B, C]
            assert not driver.tasks
            return
        assert await driver.perform(AWAIT) == [A]
        assert await driver.perform(AWAIT) == [C]
        with pytest.raises(asyncio.CancelledError):
            await driver.perform(AWAIT)

    asyncio.run(main())
