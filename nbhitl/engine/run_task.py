"""Run one task: the only caller of user code.

`task_steps` tells what a task does as a generator of calls; `run_task` makes them one after another, and
`arun_task`, in the module of that name, awaits them. So a sync and an async run differ in how a call is made, and in
nothing else.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from nbhitl._context import CURRENT_TASK
from nbhitl._langchain import langchain_scope
from nbhitl.constants import CHILDREN, NO_WRITES, PUSH
from nbhitl.engine.paths import path_routes, path_state
from nbhitl.engine.read import read_state
from nbhitl.engine.retry import retry_delay
from nbhitl.engine.returned import result_of_call
from nbhitl.engine.running import RunningTask
from nbhitl.engine.swallowed import note_swallowed, swallowed, swallowed_before
from nbhitl.engine.tasks import TaskResult, interrupt_id, new_result
from nbhitl.engine.writes import writes_of
from nbhitl.errors import GraphInterrupt, NodeCancelledError, ParentCommand
from nbhitl.types import MISSING, Interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from contextvars import Context

    from nbhitl.engine.program import Action, Branch
    from nbhitl.engine.running import Run
    from nbhitl.engine.tasks import Task

Call = tuple["Action", tuple[Any, ...], dict[str, Any]]


def task_steps(running: RunningTask, values: Mapping[str, Any]) -> Generator[Call | float, Any, TaskResult]:
    """Yield the calls that a task makes, get their results sent, and return what the task left.

    A yielded number asks to wait for so many seconds before the next attempt.
    """
    task, node = running.task, running.node
    if node.retry:
        running.started_at = time.time()
    returned = task.returned
    while True:
        try:
            if returned is MISSING:
                writes = yield from _attempt(running, values)
            else:
                writes = yield from _outcome(running, values, returned)
        except GraphInterrupt as pause:
            yield from _tell_failed(running, pause)
            return _paused(running, pause)
        except ParentCommand as up:
            yield from _tell_failed(running, up)
            if returned is not MISSING or up.args[0].graph not in (task.namespace, task.name):
                return TaskResult(task, [], error=up)
            returned = _for_this_graph(up)  # and the node's own edges lead on from there, too
        except Exception as error:
            yield from _tell_failed(running, error)
            returned = task.returned
            delay = retry_delay(node.retry, running.attempt, error)
            if delay is None:
                from nbhitl.engine.unswapped import unswapped

                note_swallowed(running, error)
                error = unswapped(error, task.name)
                error.add_note(f"During task with name '{task.name}' and id '{task.id}'")
                return TaskResult(task, [], error=error, attempts=running.attempt)
            running.attempt += 1
            running.restart()
            yield delay
        else:
            return TaskResult(task, writes or [(NO_WRITES, None)])


def _paused(running: RunningTask, pause: GraphInterrupt) -> TaskResult:
    task = running.task
    lost = swallowed_before(running, pause)
    if lost is not None:
        return TaskResult(task, [], error=swallowed(running, lost), attempts=running.attempt)
    # It holds the frames that it came through and they hold it: without them no run waits for the collector.
    pause.__traceback__ = None
    result = new_result(task, [])
    result.interrupts = _asked(task, pause)
    if running.attempt > 1:
        result.attempts = running.attempt
    return result


def _tell_failed(running: RunningTask, error: BaseException) -> Generator[Any, Any, None]:
    if running.trace is not None:
        from nbhitl.engine.traces import fail_node

        yield from fail_node(running, error)


def _attempt(
    running: RunningTask, values: Mapping[str, Any]
) -> Generator[Call | float, Any, list[tuple[str, Any]]]:
    node, run = running.node, running.run
    state, running.state = running.state, MISSING
    if state is MISSING:
        state = _input(running, values)
    if run.stream.messages:
        from nbhitl.engine.messages import note_input

        note_input(running, state)
    if run.trace is not None and (node.branches or not node.hidden):
        from nbhitl.engine.traces import open_node

        yield from open_node(running, state)
    action = node.action
    returned = yield (action, (state,), running.injected(action.injects) if action.injects else {})
    if returned is not None and type(returned) is not dict:
        returned = yield from result_of_call(running, action, state, returned)
    if running.paused is not None:
        raise swallowed(running, running.paused)
    if node.branches:
        writes = yield from _outcome(running, values, returned)
    else:
        writes = _writes(running, returned)
    if run.stream.messages and not node.hidden:
        from nbhitl.engine.messages import report_returned

        report_returned(running, returned)
    if running.trace is not None:
        from nbhitl.engine.traces import close_node

        yield from close_node(running, returned)
    return writes


def _input(running: RunningTask, values: Mapping[str, Any]) -> Any:
    """Return what the node is called with."""
    task, run = running.task, running.run
    if task.path[0] == PUSH or task.name == run.program.start:
        return task.input
    # An error handler gets what the node got that failed.
    reader = running.node.reader if task.failed is None else run.program.nodes[task.failed.name].reader
    return read_state(reader, values, task.step, run.stop)


def _outcome(
    running: RunningTask, values: Mapping[str, Any], returned: Any
) -> Generator[Call | float, Any, list[tuple[str, Any]]]:
    """Return the writes of a node that returned: its updates, and what its edges start."""
    writes = _writes(running, returned)
    for branch in running.node.branches:
        writes.extend((yield from _branch_writes(running, branch, values, writes, returned)))
    return writes


def _writes(running: RunningTask, returned: Any) -> list[tuple[str, Any]]:
    """Return the writes that a node's return value and its static edges stand for."""
    node = running.node
    writes = writes_of(running.run.program, node, returned)
    if running.pushed:
        writes = [*running.pushed, *writes]
    if running.children:
        writes.append((CHILDREN, running.children))
    writes.extend(node.routes)
    return writes


def _branch_writes(
    running: RunningTask,
    branch: Branch,
    values: Mapping[str, Any],
    writes: list[tuple[str, Any]],
    returned: Any,
) -> Generator[Call | float, Any, list[tuple[str, Any]]]:
    """Ask a path function where to go, on the state with the task's own writes applied."""
    run = running.run
    state = path_state(running, branch, values, writes, returned)
    outer = None
    if run.trace is not None:
        from nbhitl.engine.traces import open_branch

        outer = yield from open_branch(running, branch, state)
    try:
        action = branch.action
        answer = yield (action, (state,), running.injected(action.injects) if action.injects else {})
        if type(answer) is not str:
            answer = yield from result_of_call(running, action, state, answer)
    except Exception as error:
        if run.trace is not None:
            from nbhitl.engine.traces import fail_branch

            yield from fail_branch(running, outer, error)
        raise
    if run.trace is not None:
        from nbhitl.engine.traces import close_branch

        yield from close_branch(running, outer, answer)
    if running.paused is not None:
        raise swallowed(running, running.paused)
    return path_routes(running, branch, answer)


def _for_this_graph(up: ParentCommand) -> Any:
    from dataclasses import replace

    return replace(up.args[0], graph=None)


def _asked(task: Task, pause: GraphInterrupt) -> tuple[Interrupt, ...]:
    """Return the questions of a pause; one that a node raised itself gets its id here."""
    interrupts: tuple[Interrupt, ...] = pause.args[0] if pause.args else ()
    if len(interrupts) == 1 and interrupts[0].id != "placeholder-id":
        return (interrupts[0],)
    return tuple(
        Interrupt(i.value, interrupt_id(task.namespace, n)) if i.id == "placeholder-id" else i
        for n, i in enumerate(interrupts)
    )


def enter_task(running: RunningTask) -> None:
    """Make `running` the task that the current context belongs to."""
    CURRENT_TASK.set(running)
    langchain_scope(running)


def run_task(run: Run, task: Task, values: Mapping[str, Any], context: Context) -> TaskResult:
    """Run a task on this thread, within `context`, and return what it left."""
    return context.run(_drive, RunningTask(run, task, run.program.nodes[task.name], values), values)


def _drive(running: RunningTask, values: Mapping[str, Any]) -> TaskResult:
    """Call a node and its path functions; what is more than that, or goes wrong, is told in steps."""
    enter_task(running)
    if not _is_everyday(running):
        return _refused(running) or _in_steps(running, values)
    node = running.node
    made: tuple[Any, ...] = ()
    try:
        state = running.state = _input(running, values)
        function: Any = node.action.sync  # there is one, since the node is plain
        returned = function(state)
        made = (returned,)
        if type(returned) is not dict or running.paused is not None:
            return _in_steps(running, values, made)
        writes = _writes(running, returned)
        for branch in node.branches:
            function = branch.action.sync
            answer = function(path_state(running, branch, values, writes, returned))
            made = (*made, answer)
            if type(answer) is not str or running.paused is not None:
                return _in_steps(running, values, made)
            writes.extend(path_routes(running, branch, answer))
    except GraphInterrupt as pause:
        return _paused(running, pause)
    except Exception as error:
        return _in_steps(running, values, made, error)
    except BaseException as error:
        return _in_steps(running, values, made, node_cancelled(running, error))
    return new_result(running.task, writes or [(NO_WRITES, None)])


def _is_everyday(running: RunningTask) -> bool:
    """Whether a task does no more than call a few functions once each: then nothing is gained by telling it in steps."""
    run, task = running.run, running.task
    return (
        running.node.is_plain
        and task.timeout is None
        and run.trace is None
        and not run.stream.messages
        and task.failed is None
        and task.returned is MISSING
    )


def _refused(running: RunningTask) -> TaskResult | None:
    """Return the error for a limit in time, which a sync run cannot keep."""
    if running.node.timeout is None and running.task.timeout is None:
        return None
    from nbhitl.engine.timeouts import refuse_timeout  # which loads asyncio

    return TaskResult(running.task, [], error=refuse_timeout(running))


def _in_steps(
    running: RunningTask,
    values: Mapping[str, Any],
    made: Sequence[Any] = (),
    raised: Exception | None = None,
) -> TaskResult:
    """Make the calls of a task until it ends, but for those that were made: what they returned, what the next raised."""
    steps = task_steps(running, values)
    try:
        wanted = next(steps)
        for returned in made:
            wanted = steps.send(returned)
        if raised is not None:
            wanted = steps.throw(raised)
        while True:
            if type(wanted) is float:
                time.sleep(wanted)
                wanted = steps.send(None)
                continue
            action, args, kwargs = wanted  # type: ignore[misc]  # a Call: a float is dealt with above
            try:
                returned = (action.sync or sync_function(action))(*args, **kwargs)
            except Exception as error:
                wanted = steps.throw(error)
            except BaseException as error:
                wanted = steps.throw(node_cancelled(running, error))
            else:
                wanted = steps.send(returned)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a StopIteration's value has no type


def node_cancelled(running: RunningTask, error: BaseException) -> NodeCancelledError:
    """Return the error for a node that raised asyncio's CancelledError itself.

    Raises:
        BaseException: `error` itself, if it is another one.
    """
    asyncio = sys.modules.get("asyncio")  # without it there is no such error
    if asyncio is None or not isinstance(error, asyncio.CancelledError):
        raise error
    cancelled = NodeCancelledError(running.task.name)
    cancelled.__cause__ = error
    return cancelled


def sync_function(action: Action) -> Callable[..., Any]:
    """Return what runs the action without an event loop.

    Raises:
        TypeError: the action is async only.
    """
    if action.sync is None:
        raise TypeError(
            f'No synchronous function provided to "{action.name}". Either give it a synchronous function, or '
            "run the graph with its async methods (ainvoke, astream; of a GraphThread: await thread.arun(...))."
        )
    return action.sync
