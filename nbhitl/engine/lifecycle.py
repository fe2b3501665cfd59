"""Telling graph callback handlers when a run pauses to ask, and when one goes on; see `nbhitl.callbacks`."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any

from nbhitl.callbacks import GraphInterruptEvent, GraphResumeEvent, is_graph_handler
from nbhitl.constants import NS_SEP
from nbhitl.engine.instructions import Do, Outcome, Start
from nbhitl.engine.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Generator

    from nbhitl.engine.progress import Progress

_LOG = logging.getLogger(__name__)


def with_lifecycle(
    steps: Generator[Any, Any, Outcome], progress: Progress, callbacks: Any
) -> Generator[Any, Any, Outcome]:
    """Return the steps of a run, with its pause and its going on told to the graph handlers among `callbacks`."""
    given = callbacks if isinstance(callbacks, (list, tuple)) else getattr(callbacks, "handlers", ())
    handlers = [handler for handler in given if is_graph_handler(handler)]
    return _told(steps, progress, handlers) if handlers else steps


def _told(
    steps: Generator[Any, Any, Outcome], progress: Progress, handlers: list[Any]
) -> Generator[Any, Any, Outcome]:
    run = progress.run
    resumed, ran = False, frozenset[str]()
    try:
        wanted = next(steps)
        while True:
            if run.resuming and not resumed:
                resumed = True
                yield _telling(handlers, "on_resume", GraphResumeEvent(*_place(progress, "pending")))
            if isinstance(wanted, (Task, Start)):
                tasks = wanted.tasks if isinstance(wanted, Start) else [wanted]
                ran = frozenset(task.name for task in tasks)
            try:
                answer = yield wanted
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(answer)
    except StopIteration as end:
        outcome: Outcome = end.value
    finally:
        steps.close()
    if outcome.paused and run.parent is None:
        event = GraphInterruptEvent(*_place(progress, _status(progress, outcome, ran)), outcome.interrupts)
        yield _telling(handlers, "on_interrupt", event)
    return outcome


def _status(progress: Progress, outcome: Outcome, ran: frozenset[str]) -> str:
    """Return why a run paused: for questions, or at which kind of breakpoint."""
    if outcome.interrupts:
        return "pending"
    after = progress.settings.interrupt_after
    is_after = bool(ran) and (after == "*" or not ran.isdisjoint(after))
    return "interrupt_after" if is_after else "interrupt_before"


def _place(progress: Progress, status: str) -> tuple[Any, Any, str, tuple[str, ...]]:
    run = progress.run
    run_id = run.config.get("run_id") or getattr(run.trace, "run_id", None)
    return run_id, status, progress.head.checkpoint_id, tuple(run.ns.split(NS_SEP)) if run.ns else ()


def _telling(handlers: list[Any], method: str, event: Any) -> Do:
    return Do(_tell, _atell, (handlers, method, event))


def _tell(handlers: list[Any], method: str, event: Any) -> None:
    for handler in handlers:
        try:
            result = getattr(handler, method)(event)
            if inspect.iscoroutine(result):
                asyncio.run(result)
        except Exception as error:
            _note(handler, method, error)


async def _atell(handlers: list[Any], method: str, event: Any) -> None:
    for handler in handlers:
        try:
            result = getattr(handler, method)(event)
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            _note(handler, method, error)


def _note(handler: Any, method: str, error: Exception) -> None:
    """A handler that fails does not stop the run, unless it says that it shall."""
    if getattr(handler, "raise_error", False):
        raise error
    _LOG.warning("Error in %s.%s callback: %r", type(handler).__name__, method, error)
