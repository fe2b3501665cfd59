"""Worker threads: all tasks are done, side by side where they take time, by few threads where they do not."""

from __future__ import annotations

import threading
from contextvars import copy_context
from threading import Barrier, Event, Lock
from typing import TYPE_CHECKING, Any, cast

import pytest

from nbhitl.engine import workers
from nbhitl.engine.workers import Crew

if TYPE_CHECKING:
    from collections.abc import Callable


class _Done:
    """Counts what was done, and says when all of it is."""

    def __init__(self, expected: int) -> None:
        self.items: list[Any] = []
        self.threads: set[int] = set()
        self._expected = expected
        self._lock = Lock()
        self.all = Event()

    def note(self, item: Any) -> None:
        with self._lock:
            self.items.append(item)
            self.threads.add(threading.get_ident())
            if len(self.items) == self._expected:
                self.all.set()


def test_short_tasks_take_few_threads() -> None:
    done = _Done(500)
    Crew(lambda task, context: done.note(task), 32).take_on(range(500), copy_context())  # type: ignore[arg-type]
    assert done.all.wait(10)
    assert sorted(done.items) == list(range(500))
    assert len(done.threads) < 32


def test_tasks_that_wait_for_each_other_run_side_by_side() -> None:
    together = Barrier(8, timeout=10)
    done = _Done(8)

    def work(task: Any, context: Any) -> None:
        together.wait()
        done.note(task)

    Crew(work, 8).take_on(range(8), copy_context())  # type: ignore[arg-type]
    assert done.all.wait(10)


def test_no_more_than_the_limit_at_once() -> None:
    running, most, lock = 0, 0, Lock()
    done, together = _Done(40), Barrier(3, timeout=10)

    def work(task: Any, context: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if task < 3:
            together.wait()
        Event().wait(0.001)
        with lock:
            running -= 1
        done.note(task)

    Crew(work, 3).take_on(range(40), copy_context())  # type: ignore[arg-type]
    assert done.all.wait(10)
    assert most == 3


def test_tasks_that_come_later_are_done_too() -> None:
    done = _Done(100)
    crew = Crew(lambda task, context: done.note(task), 1)
    for task in range(100):
        crew.take_on([task], copy_context())  # type: ignore[list-item]
    assert done.all.wait(10)
    assert done.items == list(range(100))


@pytest.mark.parametrize(("drop", "limit", "kept"), [(Crew.drop_waiting, 1, 1), (Crew.drop_later, 3, 3)])
def test_dropped_tasks_never_start(drop: Callable[[Crew], int], limit: int, kept: int) -> None:
    hold, started = Event(), Event()
    done, tasks = _Done(kept), cast("list[Any]", list(range(kept + 4)))

    def work(task: Any, context: Any) -> None:
        started.set()
        hold.wait(10)
        done.note(task)

    crew = Crew(work, limit)
    crew.take_on(tasks, copy_context())
    assert started.wait(10)
    assert drop(crew) == 4
    hold.set()
    assert done.all.wait(10)
    assert sorted(done.items) == tasks[:kept]
    assert drop(crew) == 0


def test_without_another_thread_the_first_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, calls = workers.worker_pool(), 0

    class Stingy:
        def submit(self, *args: Any) -> None:
            nonlocal calls
            calls += 1
            if calls > 1:
                raise RuntimeError("can't start new thread")
            pool.submit(*args)

    monkeypatch.setattr(workers, "worker_pool", Stingy)
    done = _Done(20)
    Crew(lambda task, context: done.note(task), 8).take_on(range(20), copy_context())  # type: ignore[arg-type]
    assert done.all.wait(10)
    assert len(done.threads) == 1


def test_tasks_start_in_their_order_however_long_it_takes_to_start_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow:
        def submit(self, call: Any, *args: Any) -> None:
            threading.Thread(target=call, args=args, daemon=True).start()
            Event().wait(0.01)

    monkeypatch.setattr(workers, "worker_pool", Slow)
    done, tasks = _Done(5), cast("list[Any]", list(range(5)))
    Crew(lambda task, context: done.note(task), 32).take_on(tasks, copy_context())
    assert done.all.wait(10)
    assert done.items == tasks
