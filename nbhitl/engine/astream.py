"""Drive an async run whose chunks are read while it runs: it goes on when its reader asks for the next one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from threading import get_ident
from typing import TYPE_CHECKING, Any

from nbhitl.engine.adrive import AsyncDriver
from nbhitl.engine.instructions import Await, Outcome, Start, StoreCall
from nbhitl.engine.tasks import Task

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from nbhitl.engine.events import Chunk
    from nbhitl.engine.progress import Progress

_DONE = object()


class Mailbox:
    """A queue of chunks that any thread may fill and the event loop empties."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()

    def put(self, item: Any) -> None:
        """Add an item, from any thread."""
        if get_ident() == self._thread:
            self._queue.put_nowait(item)
        else:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)

    async def get(self) -> Any:
        """Wait for the next item."""
        return await self._queue.get()

    def ready(self) -> list[Any]:
        """Return the items that are there."""
        items = []
        while not self._queue.empty():
            items.append(self._queue.get_nowait())
        return items


async def arun_streaming(
    steps: Generator[Any, Any, Outcome],
    progress: Progress,
    mailbox: Mailbox,
    outcomes: list[Outcome],
    *,
    live: bool,
) -> AsyncGenerator[Chunk, None]:
    """Drive a run and yield its chunks; `outcomes` gets how it ended.

    With `live`, chunks that nodes make are yielded while the nodes run. What is reported while a step is put
    away is yielded when it is saved.
    """
    driver = AsyncDriver(progress)
    calls: list[asyncio.Task[Any]] = []
    try:
        async with aclosing(_pump(steps, driver, mailbox, outcomes, calls if live else None)) as chunks:
            async for chunk in chunks:
                yield chunk
    except asyncio.CancelledError as error:
        if progress.run.trace is not None:
            await progress.run.trace.afail(error)
        raise
    except Exception:
        for chunk in mailbox.ready():
            yield chunk
        raise
    else:
        for chunk in mailbox.ready():
            yield chunk
    finally:
        await _stop(calls)
        await driver.close()


async def _pump(
    steps: Generator[Any, Any, Outcome],
    driver: AsyncDriver,
    mailbox: Mailbox,
    outcomes: list[Outcome],
    calls: list[asyncio.Task[Any]] | None,
) -> AsyncGenerator[Chunk, None]:
    """Perform the loop's instructions; nodes of a live run in `calls`, to have their chunks meanwhile."""
    wanted, performed = None, False
    try:
        wanted = next(steps)
        while True:
            performed = False
            if wanted.__class__ is not StoreCall:
                for chunk in mailbox.ready():
                    yield chunk
            performed = True
            try:
                if calls is not None and wanted.__class__ in (Task, Await):
                    calls[:] = [_begin(driver, wanted, mailbox)]
                    while (item := await mailbox.get()) is not _DONE:
                        yield item
                    answer = calls.pop().result()
                else:
                    answer = await driver.perform(wanted)
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as end:
        outcomes.append(end.value)
    except (GeneratorExit, asyncio.CancelledError):
        await _stop(calls or [])
        await driver.stop(steps, wanted, before_tasks=not performed and isinstance(wanted, (Task, Start)))
        raise


def _begin(driver: AsyncDriver, wanted: Any, mailbox: Mailbox) -> asyncio.Task[Any]:
    call = asyncio.create_task(driver.perform(wanted))
    call.add_done_callback(lambda _: mailbox.put(_DONE))
    return call


async def _stop(calls: list[asyncio.Task[Any]]) -> None:
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
