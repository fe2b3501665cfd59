"""Decide who runs next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.checkpoint.records import entry_id
from nbhitl.constants import PULL, PUSH, RESUME, START
from nbhitl.engine.questions import RESERVED, saved_starts
from nbhitl.engine.tasks import Task, new_task

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any, Literal

    from nbhitl.engine.head import Head
    from nbhitl.engine.program import Program

_PUSH_TRIGGERS = (PUSH,)


def plan_tasks(program: Program, head: Head, step: int, ns: str) -> list[Task]:
    """Return the tasks of the next step: Sends in the order of issue, then nodes by name."""
    checkpoint_id, nodes = head.checkpoint_id, program.nodes
    tasks = []
    if head.sends:
        tasks = [
            Task(send.node, (PUSH, i, False), _PUSH_TRIGGERS, step, checkpoint_id, ns, send.arg, send.timeout)
            for i, send in enumerate(head.sends)
            if send.node in nodes
        ]
    ready = head.ready(program) if head.objects else head.triggers
    starts = program.starts
    for name in (starts[ready[0]],) if len(ready) == 1 else sorted({starts[trigger] for trigger in ready}):
        tasks.append(new_task(name, (PULL, name), program.triggers[name], step, checkpoint_id, ns))
    return tasks


def recall_writes(tasks: Sequence[Task], pending: Sequence[tuple[str, str, Any]]) -> None:
    """Give each task what an earlier run of the same step left: its writes if it is done, and its answers."""
    by_task: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in pending:
        by_task.setdefault(task_id, []).append((channel, value))
    for task in tasks:
        left = by_task.get(task.id)
        if not left:
            continue
        channels = dict(left)
        if not RESERVED.issuperset(channels):
            task.writes = [(channel, value) for channel, value in left if channel not in RESERVED]
        task.starts = saved_starts(channels)
        if RESUME in channels:
            task.answers = answers_of(channels[RESUME])


def answers_of(entries: Sequence[Any]) -> dict[str, Any]:
    """Return the answers of a task by the ids of their questions; `entries` are as in `ClaimRequest.resumes`."""
    return dict(zip(map(entry_id, entries), entries, strict=True))


def at_breakpoint(tasks: Sequence[Task], nodes: Collection[str] | Literal["*"]) -> list[Task]:
    """Return the tasks at which a static breakpoint stops the run; `"*"` means every node."""
    if nodes == "*":
        return [task for task in tasks if task.name != START]
    return [task for task in tasks if task.name in nodes]
