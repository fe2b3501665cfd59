"""A store that carries out together what tasks of one event loop ask of it at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from nbhitl.store.base import BaseStore, PutOp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbhitl.store.base import Op, Result

__all__ = ["AsyncBatchedBaseStore"]

_Waiting = tuple["Op", "asyncio.Future[Any]"]


class AsyncBatchedBaseStore(BaseStore):
    """A store that implements `abatch` alone; make one inside the event loop that it is for.

    What is awaited in one turn of the loop is one `abatch`, and the next begins when that has ended. Sync methods wait
    for the loop, from other threads.

    Raises:
        RuntimeError: it is made where no event loop runs.
    """

    __slots__ = ("_loop", "_waiting", "_worker")

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Carry out several operations; for threads other than the event loop's.

        Raises:
            asyncio.InvalidStateError: the event loop would wait for itself.
        """
        if _running_loop() is self._loop:
            raise asyncio.InvalidStateError(
                f"Synchronous calls to {type(self).__name__} detected in the main event loop, which would wait for "
                "itself. Await the async method: `await store.aget(...)` for `store.get(...)`."
            )
        return asyncio.run_coroutine_threadsafe(self.abatch(ops), self._loop).result()

    async def _adone(self, op: Op) -> Any:
        done: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((op, done))
        if self._worker is None or self._worker.done():
            self._worker = self._loop.create_task(self._work())
        return await done

    async def _work(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            await self._carry_out([entry for entry in waiting if not entry[1].done()])

    async def _carry_out(self, waiting: Sequence[_Waiting]) -> None:
        """Do these by one `abatch`: what is read twice once, and of several writes of an item the last one."""
        ops: list[Op] = []
        places: list[int] = []
        for op, _ in waiting:
            place = next((n for n, known in enumerate(ops) if _one_is_enough(known, op)), len(ops))
            places.append(place)
            ops[place : place + 1] = [op]
        try:
            results = await self.abatch(ops)
        except BaseException as error:
            for _, done in waiting:
                if not done.done():
                    done.set_exception(error) if isinstance(error, Exception) else done.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for place, (_, done) in zip(places, waiting, strict=True):
            if not done.done():
                done.set_result(results[place])


def _one_is_enough(known: Op, op: Op) -> bool:
    """Whether only the later of two operations is to be done: they read the same, or write the same item."""
    if isinstance(op, PutOp) and isinstance(known, PutOp):
        return (op.namespace, op.key) == (known.namespace, known.key)
    return op == known


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
