"""The sync driver: pumps the loop, runs tasks on this thread or on worker threads, calls the saver."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.leases import end, hold, let_go
from nbhitl.engine.fail import save_late, stop, stopped_at_tasks, took_too_long
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
from nbhitl.engine.run_task import run_task
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.engine.unsaved import note_failure

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from contextvars import Context

    from nbhitl.engine.events import Chunk
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.workers import Crew


def run_to_end(steps: Generator[Any, Any, Outcome], progress: Progress) -> Outcome:
    """Drive a run whose stream nobody reads while it runs, and return how it ended."""
    driver = Driver(progress)
    wanted = None
    try:
        wanted = next(steps)
        while True:
            try:
                answer = driver.perform(wanted)
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a StopIteration's value has no type
    except Exception:
        raise
    except BaseException as error:
        driver.stop(steps, wanted, error)
        raise
    finally:
        driver.close()


def run_streaming(
    steps: Generator[Any, Any, Outcome], progress: Progress, chunks: deque[Chunk]
) -> Generator[Chunk, None, Outcome]:
    """Drive a run and yield its chunks after each thing it does; a node's own chunks wait for its end.

    What is reported while a step is put away is yielded when it is saved.
    """
    driver = Driver(progress)
    wanted = None
    try:
        wanted = next(steps)
        while True:
            if chunks and wanted.__class__ is not StoreCall:
                while chunks:
                    yield chunks.popleft()
            try:
                answer = driver.perform(wanted)
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as end:
        while chunks:
            yield chunks.popleft()
        return end.value  # type: ignore[no-any-return]  # a StopIteration's value has no type
    except GeneratorExit:
        driver.leave(steps, wanted)
        raise
    except Exception:
        while chunks:
            yield chunks.popleft()
        raise
    except BaseException as error:
        driver.stop(steps, wanted, error)
        raise
    finally:
        driver.close()


def run_live(
    steps: Generator[Any, Any, Outcome], progress: Progress, inbox: SimpleQueue[Any]
) -> Generator[Chunk, None, Outcome]:
    """Drive a run and yield its chunks the moment they are made: every node runs on a worker thread.

    `inbox` is where the run's stream puts its chunks; results of tasks arrive there too.
    """
    driver = Driver(progress, inbox=inbox)
    wanted = None
    try:
        wanted = next(steps)
        while True:
            if wanted.__class__ is not StoreCall:
                yield from _ready_chunks(driver)
            alone = wanted if isinstance(wanted, Task) else None
            if alone is not None:
                driver.start([alone])
                wanted = Await()
            try:
                if isinstance(wanted, Await):
                    result = yield from _next_result(driver)
                    answer = [result, *driver.ended()] if alone is None else result
                else:
                    answer = driver.perform(wanted)
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as end:
        yield from _ready_chunks(driver)
        return end.value  # type: ignore[no-any-return]  # a StopIteration's value has no type
    except GeneratorExit:
        driver.leave(steps, wanted)
        raise
    except Exception:
        yield from _ready_chunks(driver)
        raise
    except BaseException as error:
        driver.stop(steps, wanted, error)
        raise
    finally:
        driver.close()


def _ready_chunks(driver: Driver) -> Iterator[Chunk]:
    while True:
        try:
            item = driver.inbox.get_nowait()
        except Empty:
            return
        if isinstance(item, TaskResult):
            driver.early.append(item)
        else:
            yield item


def _next_result(driver: Driver) -> Generator[Chunk, None, TaskResult]:
    while True:
        if driver.early:
            driver.running -= 1
            return driver.early.popleft()
        item = driver.wait()
        if isinstance(item, TaskResult):
            driver.running -= 1
            return item
        yield item


_MOMENT = 0.005
"""Seconds after a task has failed in which results of others are still told to who reads the run's stream."""


class Driver:
    """Performs the loop's instructions for one run.

    Results of tasks on worker threads arrive in `inbox`; `early` are those that were there before anybody waited.
    """

    # Of most runs these stay as they are, and there is no inbox: their tasks run one by one, on the caller's thread.
    inbox: SimpleQueue[Any]
    early: deque[TaskResult]
    crew: Crew | None = None
    running = 0
    is_live = False
    deadline: float | None = None
    lease: int | None = None

    def __init__(self, progress: Progress, inbox: SimpleQueue[Any] | None = None) -> None:
        self.progress = progress
        self.run = progress.run
        if inbox is not None:
            self.inbox, self.early, self.is_live = inbox, deque(), True

    def perform(self, wanted: Any) -> Any:
        """Do what the loop asks for and return the answer."""
        kind = wanted.__class__
        if kind is Task:
            if self.run.step_timeout is None:
                return run_task(self.run, wanted, self.progress.head.values, copy_context())
            self.start([wanted])
            return self.next_result()
        if kind is StoreCall:
            try:
                done = getattr(self.run.saver, wanted.method)(*wanted.args)
            except Exception as error:
                note_failure(self.run, wanted, error)
                self._give_back(wanted, error)
                raise
            if wanted.method in CLAIMING and (request := claim_of(wanted)) is not None and done is not None:
                self.lease = hold(self.run.saver, request)
            return done
        if kind is Await:
            return [self.next_result(), *self.ended()]
        if kind is Start:
            return self.start(wanted.tasks)
        if kind is Do:
            return wanted.sync(*wanted.args, **wanted.kwargs)
        if kind is Show:
            return None
        assert kind is Abandon
        return self.abandon()

    def start(self, tasks: list[Task]) -> None:
        """Hand tasks to worker threads."""
        if self.run.step_timeout is not None:
            self.deadline = monotonic() + self.run.step_timeout
        if self.crew is None:
            from nbhitl.engine.workers import Crew, parallel_limit

            self.crew = Crew(self._work, parallel_limit(self.run.max_concurrency))
            if not hasattr(self, "inbox"):
                self.inbox, self.early = SimpleQueue(), deque()
        self.running += len(tasks)
        self.crew.take_on(tasks, copy_context())

    def _work(self, task: Task, context: Context) -> None:
        try:
            result = run_task(self.run, task, self.progress.head.values, context)
        except BaseException as error:  # the loop must hear of every end, SystemExit too
            result = TaskResult(task, [], error=error)
        self.inbox.put(result)

    def next_result(self) -> TaskResult:
        """Wait for the next task to end.

        Raises:
            TimeoutError: the step took longer than `step_timeout`.
        """
        while True:
            item = self.early.popleft() if self.early else self.wait()
            if isinstance(item, TaskResult):
                self.running -= 1
                return item

    def ended(self) -> list[TaskResult]:
        """Return the other results that are there; in a live run, before a chunk that is told first."""
        ended, self.early = [*self.early], deque()
        with suppress(Empty):
            while not self.is_live:
                ended.append(self.inbox.get_nowait())
        self.running -= len(ended)
        return ended

    def wait(self) -> Any:
        """Wait for what comes next: a result, or in a live run a chunk.

        Raises:
            TimeoutError: the step took longer than `step_timeout`; what was running has ended, and is saved.
        """
        if self.deadline is None:
            return self.inbox.get()
        try:
            return self.inbox.get(timeout=max(0.0, self.deadline - monotonic()))
        except Empty:
            self.deadline = None
            self.drop_waiting()
            self._perform_all(save_late(self.progress, self._wait_for_all()))
            raise took_too_long(self.run) from None

    def abandon(self) -> Abandoned:
        """Start no more than goes at once, wait for what is running, and return its results."""
        if self.crew is None:
            return Abandoned()
        self.running -= self.crew.drop_later()
        prompt = [] if self.progress.is_unseen else self._wait_a_moment()
        return Abandoned(prompt, self._wait_for_all())

    def _wait_a_moment(self) -> list[TaskResult]:
        """Return what ends about now: of tasks that take no time it is not chance which of them are seen to end."""
        over, results, chunks = monotonic() + _MOMENT, list[TaskResult](), []
        while self.running > 0 and (left := over - monotonic()) > 0:
            try:
                item = self.early.popleft() if self.early else self.inbox.get(timeout=left)
            except Empty:
                break
            if isinstance(item, TaskResult):
                self.running -= 1
                results.append(item)
            else:
                chunks.append(item)
        for chunk in chunks:
            self.inbox.put(chunk)
        return results

    def _wait_for_all(self) -> list[TaskResult]:
        results = []
        while self.running > 0:
            results.append(self.next_result())
        return results

    def drop_waiting(self) -> None:
        """Start nothing more."""
        if self.crew is not None:
            self.running -= self.crew.drop_waiting()

    def leave(self, steps: Generator[Any, Any, Outcome], wanted: Any) -> None:
        """Save where the run is whose reader leaves: it waits to perform `wanted`."""
        try:
            while isinstance(wanted, StoreCall):
                wanted = steps.send(self.perform(wanted))
            self._perform_all(stop(self.progress, before_tasks=isinstance(wanted, (Task, Start))))
        except StopIteration:
            pass
        steps.close()

    def stop(self, steps: Generator[Any, Any, Outcome], wanted: Any, error: BaseException) -> None:
        """Save where the run is that was stopped by `error` (Ctrl-C) while it performed `wanted`."""
        if stopped_at_tasks(steps, wanted):
            self._perform_all(stop(self.progress, before_tasks=False))
        elif isinstance(wanted, StoreCall):
            self._give_back(wanted, error)

    def _give_back(self, call: StoreCall, error: BaseException) -> None:
        """Open questions again if the call that failed has claimed them."""
        request = claim_of(call)
        if request is None:
            return
        from nbhitl.engine.given_back import give_back, note_not_given_back

        try:
            self._perform_all(give_back(request, error))
        except Exception as failed:
            note_not_given_back(error, failed)

    def _perform_all(self, steps: Generator[Any, Any, None]) -> None:
        answer = None
        with suppress(StopIteration):
            while True:
                answer = self.perform(steps.send(answer))

    def close(self) -> None:
        """Start nothing more, and let go of the answers that the run took up."""
        if self.crew is not None:
            self.drop_waiting()
        if self.lease is None:
            return
        # Answers that the loop still counts as taken up belong to a run that was stopped in the middle.
        (end if self.progress.claimed else let_go)(self.lease)
