"""Take in a graph's input where that calls nobody's code: then it is not run as a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.engine.tasks import TaskResult
from nbhitl.engine.writes import writes_of

if TYPE_CHECKING:
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.tasks import Task


def take_in(progress: Progress, task: Task) -> TaskResult | None:
    """Return the result of START; None if it has to run as other tasks do.

    So it has to where path functions leave it, where somebody listens, and with an input that does not fit: then
    its error is told as that of any task.
    """
    run, node = progress.run, progress.program.nodes[task.name]
    function = node.action.sync
    if function is None or node.branches or not node.is_plain or run.trace is not None or run.stream.messages:
        return None
    try:
        writes = writes_of(progress.program, node, function(task.input))
    except Exception:
        return None
    writes.extend(node.routes)
    return TaskResult(task, writes)
