"""Report a task's end to the run's stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.engine import events
from nbhitl.engine.tasks import interrupt_id

if TYPE_CHECKING:
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.tasks import TaskResult


def report(progress: Progress, result: TaskResult) -> None:
    """Put what a task left into the stream: its update, its questions, its result."""
    stream = progress.run.stream
    hidden = progress.program.nodes[result.task.name].hidden
    if stream.silent or (hidden and not result.interrupts):
        return
    if result.interrupts:
        chunk = events.interrupt_chunk(result)
        progress.emit("updates", chunk)
        if stream.wants("values"):
            state = progress.output()
            progress.emit("values", {**state, **chunk} if isinstance(state, dict) else chunk)
    elif (
        result.interrupts is None
        and stream.wants("updates")
        and (result.error is None or _answered(progress, result))
    ):
        keys = progress.settings.output_keys
        progress.emit("updates", events.updates_chunk(keys, progress.settings.single, result))
    at_breakpoint = result.interrupts is not None and not result.interrupts
    if not (hidden or result.cached or at_breakpoint) and stream.wants("tasks"):
        progress.emit("tasks", events.result_payload(progress.program.stream_keys, result), progress.step)


def _answered(progress: Progress, result: TaskResult) -> bool:
    """Whether a task that failed had got an answer: then it shows as a node that wrote nothing, as LangGraph has it."""
    first = interrupt_id(result.task.namespace, 0)
    return first in result.task.answers or first in progress.run.answers
