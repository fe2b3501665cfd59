"""A node that failed for good, and has an error handler: the handler runs as a task of the same step; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.constants import ERROR, PUSH
from nbhitl.engine.tasks import Task, task_namespace
from nbhitl.errors import GraphBubbleUp, NodeError, ReviewError, is_invalid_resume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.engine.program import Program
    from nbhitl.engine.tasks import TaskResult

_PART = "node_error_handler"


def handler_name(node: str) -> str:
    """Return the name under which a node's error handler is reported."""
    return f"__error_handler__{node}"


def handler_for(program: Program, result: TaskResult) -> Task | None:
    """Return the task that handles a result's error, None where it is not handled.

    What passes through nodes up to the engine is no error, and a review's errors are a person's to hear of.
    """
    error = result.error
    if program.nodes[result.task.name].error_handler is None:
        return None
    if (
        not isinstance(error, Exception)
        or isinstance(error, (GraphBubbleUp, ReviewError))
        or is_invalid_resume(error)
    ):
        return None
    return handler_task(program, result.task, error)


def handler_task(program: Program, failed: Task, error: Any) -> Task:
    """Return the task that handles `error` of the task `failed`: the same input, the same place in the order."""
    name = program.nodes[failed.name].error_handler
    assert name is not None
    path = (*failed.path[:2], _PART, False)
    task = Task(name, path, (PUSH,), failed.step, failed.checkpoint_id, failed.ns, failed.input)
    task.failed = failed
    task.error = NodeError(failed.name, error)
    # As under LangGraph, what the handler calls is below the task that failed.
    task._namespace = task_namespace(failed.namespace, name, task.id)
    return task


def failed_before(
    program: Program, tasks: Sequence[Task], pending: Sequence[tuple[str, str, Any]]
) -> list[Task]:
    """Return the handlers that an earlier run of the same step went on to: what failed does not run again.

    The tasks that failed are marked as done, without writes. Of an error that was saved only its text is left.
    """
    texts = {task_id: value for task_id, channel, value in pending if channel == ERROR}
    handlers = []
    for task in tasks:
        if program.nodes[task.name].error_handler is not None and task.id in texts and task.writes is None:
            task.writes = []
            handlers.append(handler_task(program, task, texts[task.id]))
    return handlers


def left_by(result: TaskResult) -> Sequence[tuple[str, Any]]:
    """Return what a task left to be saved: its writes, or its error."""
    return result.writes if result.error is None else [(ERROR, repr(result.error))]


def handled_error(handler: Task) -> dict[str, str]:
    """Return the error that a failed handler was about, to be saved with its own: `{task id: text}`."""
    if handler.failed is None or handler.error is None:
        return {}
    error = handler.error.error
    return {handler.failed.id: error if isinstance(error, str) else repr(error)}
