"""Run one task in an event loop; see `run_task` for what a task does."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from nbhitl.engine.run_task import enter_task, node_cancelled, sync_function, task_steps
from nbhitl.engine.running import RunningTask
from nbhitl.engine.timeouts import limited_by, within

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from nbhitl.engine.program import Action
    from nbhitl.engine.running import Run
    from nbhitl.engine.tasks import Task, TaskResult


async def arun_task(run: Run, task: Task, values: Mapping[str, Any]) -> TaskResult:
    """Run a task in the running event loop and the current context; sync functions go to a worker thread."""
    running = RunningTask(run, task, run.program.nodes[task.name], values)
    limits = limited_by(running)
    enter_task(running)
    if run.parent is not None:
        run.parent.sign_of_life()
    steps = task_steps(running, values)
    try:
        wanted = next(steps)
        while True:
            if type(wanted) is float:
                await asyncio.sleep(wanted)
                wanted = steps.send(None)
                continue
            action, args, kwargs = wanted  # type: ignore[misc]  # a Call: a float is dealt with above
            try:
                call = _acall(action, args, kwargs)
                if limits is not None and action is running.node.action and action.async_ is not None:
                    call = within(limits, running, call)
                returned = await call
            except asyncio.CancelledError as error:
                current = asyncio.current_task()
                if current is not None and current.cancelling():
                    if running.trace is not None:
                        await running.trace.afail(error)
                    raise
                wanted = steps.throw(node_cancelled(running, error))
            except Exception as error:
                wanted = steps.throw(error)
            else:
                wanted = steps.send(returned)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a StopIteration's value has no type


def _acall(action: Action, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Coroutine[Any, Any, Any]:
    if action.async_ is None:
        return _call_sync(action, args, kwargs)
    call: Coroutine[Any, Any, Any] = action.async_(*args, **kwargs)
    return call


async def _call_sync(action: Action, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if action.inline or action.sync is None:
        return sync_function(action)(*args, **kwargs)
    call = partial(copy_context().run, called, action.sync, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(None, call)


def called(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what `function` returns. No future can hold a StopIteration: whoever waits for it would wait for ever."""
    try:
        return function(*args, **kwargs)
    except StopIteration as stop:
        raise RuntimeError("a function raised StopIteration") from stop
