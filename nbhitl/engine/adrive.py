"""The async driver: pumps the loop in an event loop, awaits nodes and the saver."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import copy_context
from time import monotonic
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint import leases
from nbhitl.engine.arun_task import arun_task
from nbhitl.engine.fail import save_stopped, stop, stopped_at_tasks, took_too_long
from nbhitl.engine.instructions import (
    CLAIMING,
    Abandon,
    Abandoned,
    Await,
    Do,
    Outcome,
    Show,
    Start,
    StoreCall,
    claim_of,
)
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.engine.unsaved import note_failure

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator, Sequence
    from contextvars import Context

    from nbhitl.engine.progress import Progress

_READS = frozenset({"load", "load_before", "claims"})
_TURN = 0.005
"""Seconds for which a run may keep the event loop to itself."""


class _InContext:
    """Awaits a coroutine within a context of its own, without the cost of an asyncio task."""

    __slots__ = ("_context", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], context: Context) -> None:
        self._coroutine = coroutine
        self._context = context

    def __await__(self) -> Generator[Any, Any, Any]:
        run, coroutine = self._context.run, self._coroutine
        step, value = coroutine.send, None
        while True:
            try:
                waited_for = run(step, value)
            except StopIteration as end:
                return end.value
            try:
                value = yield waited_for
                step = coroutine.send
            except GeneratorExit:
                run(coroutine.close)
                raise
            except BaseException as error:
                step, value = coroutine.throw, error


async def arun_to_end(steps: Generator[Any, Any, Outcome], progress: Progress) -> Outcome:
    """Drive a run whose stream nobody reads while it runs, and return how it ended."""
    driver = AsyncDriver(progress)
    wanted = None
    try:
        wanted = next(steps)
        while True:
            try:
                if driver.immediate and wanted.__class__ is StoreCall:
                    answer = driver.store_at_once(wanted)
                else:
                    answer = await driver.perform(wanted)
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a StopIteration's value has no type
    except asyncio.CancelledError as error:
        if progress.run.trace is not None:
            await progress.run.trace.afail(error)
        await driver.stop(steps, wanted)
        raise
    finally:
        await driver.close()


class AsyncDriver:
    """Performs the loop's instructions for one run."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.run = progress.run
        self.run.asynchronous = True
        self.tasks: dict[asyncio.Task[TaskResult], Task] = {}
        self.results: asyncio.Queue[asyncio.Task[TaskResult]] | None = None
        self.deadline: float | None = None
        self.lease: int | None = None
        self.immediate: bool = getattr(progress.run.saver, "immediate", False)
        self.others_turn = monotonic() + _TURN
        # Whether others have their turn before a task, which so has not begun.
        self.waits = False

    async def perform(self, wanted: Any) -> Any:
        """Do what the loop asks for and return the answer."""
        kind = wanted.__class__
        if kind is Task:
            if monotonic() >= self.others_turn:
                await self.let_others_go_on()
            if self.run.step_timeout is None:
                return await _InContext(
                    arun_task(self.run, wanted, self.progress.head.values), copy_context()
                )
            self.start([wanted])
            return await self.next_result()
        if kind is StoreCall:
            return self.store_at_once(wanted) if self.immediate else await self.store(wanted)
        if kind is Await:
            return [await self.next_result(), *self.ended()]
        if kind is Start:
            return self.start(wanted.tasks)
        if kind is Do:
            return await wanted.async_(*wanted.args, **wanted.kwargs)
        if kind is Show:
            return None
        assert kind is Abandon
        return await self.abandon()

    async def let_others_go_on(self) -> None:
        """Give the event loop a turn: a run whose nodes wait for nothing would keep it, and be deaf to its own end."""
        self.waits = True
        await asyncio.sleep(0)
        self.waits = False
        self.others_turn = monotonic() + _TURN

    def store_at_once(self, call: StoreCall) -> Any:
        """Call a saver that waits for nothing."""
        try:
            return self._stored(call, getattr(self.run.saver, call.method)(*call.args))
        except Exception as error:
            note_failure(self.run, call, error)
            raise

    async def store(self, call: StoreCall) -> Any:
        """Call the saver; being cancelled meanwhile does not keep a checkpoint from being saved."""
        saving = getattr(self.run.saver, f"a{call.method}")(*call.args)
        if call.method in _READS:
            return await saving
        task = asyncio.ensure_future(saving)
        try:
            return self._stored(call, await asyncio.shield(task))
        except asyncio.CancelledError as cancelled:
            await asyncio.gather(task, return_exceptions=True)
            await self._give_back(call, cancelled)
            raise
        except Exception as error:
            note_failure(self.run, call, error)
            await self._give_back(call, error)
            raise

    async def _give_back(self, call: StoreCall, error: BaseException) -> None:
        """Open questions again if the call has claimed them: nothing has run with their answers."""
        request = claim_of(call)
        if request is None:
            return
        from nbhitl.engine.given_back import give_back, note_not_given_back

        try:
            await self._perform_all(give_back(request, error))
        except Exception as failed:
            note_not_given_back(error, failed)

    def _stored(self, call: StoreCall, done: Any) -> Any:
        if call.method in CLAIMING and (request := claim_of(call)) is not None and done is not None:
            self.lease = leases.hold(self.run.saver, request)
        return done

    def start(self, tasks: list[Task]) -> None:
        """Start asyncio tasks, as many at once as `max_concurrency` allows."""
        loop = asyncio.get_running_loop()
        if self.results is None or not self.tasks:
            self.results = asyncio.Queue()
        if self.run.step_timeout is not None:
            self.deadline = loop.time() + self.run.step_timeout
        limit = self.run.max_concurrency
        gate = asyncio.Semaphore(limit) if limit is not None and limit < len(tasks) else None
        for task in tasks:
            running = loop.create_task(self._one(task, gate))
            self.tasks[running] = task
            running.add_done_callback(self.results.put_nowait)

    async def _one(self, task: Task, gate: asyncio.Semaphore | None) -> TaskResult:
        if gate is None:
            return await arun_task(self.run, task, self.progress.head.values)
        async with gate:
            return await arun_task(self.run, task, self.progress.head.values)

    async def next_result(self) -> TaskResult:
        """Wait for the next task to end.

        Raises:
            TimeoutError: the step took longer than `step_timeout`.
        """
        assert self.results is not None
        try:
            async with asyncio.timeout_at(self.deadline):
                done = await self.results.get()
        except TimeoutError:
            stopped = [_cancelled(result.task) for result in await self._cancel_all()]
            await self._perform_all(save_stopped(self.progress, stopped))
            raise took_too_long(self.run) from None
        del self.tasks[done]
        return done.result()

    def ended(self) -> list[TaskResult]:
        """Return the other results that are there."""
        assert self.results is not None
        ended = []
        while not self.results.empty():
            done = self.results.get_nowait()
            if done.cancelled() or done.exception() is not None:
                self.results.put_nowait(done)  # which is raised when it is its turn
                break
            del self.tasks[done]
            ended.append(done.result())
        return ended

    async def abandon(self) -> Abandoned:
        """Cancel what is running; return the results that are there, and what was cancelled."""
        noticed = []
        while self.results is not None and not self.results.empty():
            noticed.append(self.results.get_nowait())
        prompt = self._results_of(noticed)
        ended = self._results_of([running for running in self.tasks if running.done()])
        cancelled = [_cancelled(result.task) for result in await self._cancel_all()]
        return Abandoned(prompt, [*ended, *cancelled])

    def _results_of(self, ended: Sequence[asyncio.Task[TaskResult]]) -> list[TaskResult]:
        for task in ended:
            del self.tasks[task]
        return [task.result() for task in ended if not task.cancelled() and task.exception() is None]

    async def stop(
        self, steps: Generator[Any, Any, Outcome], wanted: Any, *, before_tasks: bool = False
    ) -> None:
        """Save where the run is that was stopped at `wanted`."""
        stopped = await self._cancel_all()
        if not stopped_at_tasks(steps, wanted):
            return
        await self._perform_all(stop(self.progress, before_tasks=before_tasks or self.waits, stopped=stopped))

    async def _perform_all(self, steps: Generator[Any, Any, None]) -> None:
        answer = None
        with suppress(StopIteration):
            while True:
                answer = await self.perform(steps.send(answer))

    async def close(self) -> None:
        """Cancel what is still running, and let go of the answers that the run took up."""
        await self._cancel_all()
        # Answers that the loop still counts as taken up belong to a run that was stopped in the middle.
        if self.progress.claimed:
            await leases.aend(self.lease)
        else:
            leases.let_go(self.lease)

    async def _cancel_all(self) -> list[TaskResult]:
        """Cancel what is running; return what its tasks left, of those that did not heed it their results."""
        for running in self.tasks:
            running.cancel()
        if not self.tasks:
            return []
        ended = await asyncio.gather(*self.tasks, return_exceptions=True)
        stopped = [
            _cancelled(task) if isinstance(result, BaseException) else result
            for task, result in zip(self.tasks.values(), ended, strict=True)
        ]
        self.tasks.clear()
        return stopped


def _cancelled(task: Task) -> TaskResult:
    return TaskResult(task, [], error=asyncio.CancelledError(), attempts=0, cancelled=True)
