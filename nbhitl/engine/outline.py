"""A thread's checkpoints in one line each, without the snapshots that `get_state_history` builds; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.records import Frame, StoredCheckpoint
from nbhitl.constants import NULL_TASK_ID
from nbhitl.engine.head import new_head
from nbhitl.engine.questions import RESERVED
from nbhitl.engine.snapshot import snapshot_of
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nbhitl.checkpoint.records import HistoryLine, StepOutline
    from nbhitl.engine.program import Program

    Same = Callable[[Any, Any], bool]
    Told = tuple[tuple[str, ...], tuple[tuple[str, Any], ...], tuple[tuple[str, Any], ...]]


def history_lines(
    program: Program, thread: str, ns: str, steps: Iterable[StepOutline], same: Same
) -> list[HistoryLine] | None:
    """Return a line for each step, oldest first; None where only snapshots can tell what a state is.

    Args:
        thread: the thread's id.
        ns: its namespace.
        steps: what each step wrote, oldest first.
        same: whether two values are the same.
    """
    if program.root_state or program.objects:
        return None
    first = new_head(program).values
    known: set[str] = set()
    started: dict[tuple[str, ...], Told] = {}
    lines: list[HistoryLine] = []
    for step in steps:
        own, parent_id, created_at, metadata, triggers, frame, touched, pending = step
        if touched is None or (pending and _updates_aside(pending)):
            return None
        if parent_id in known:
            changed = _changed(program, first, touched, same)
        else:
            changed = tuple(key for key in program.stream_keys if key in touched or key in first)
        told = started.get(tuple(triggers)) if frame is None and not pending else None
        if told is None:
            told = _told(program, thread, ns, step)
            if frame is None and not pending:
                started[tuple(triggers)] = told
        known.add(own)
        step_number, source = metadata.get("step", 0), metadata.get("source", "")
        lines.append((own, parent_id or "", created_at, step_number, source, changed, *told))
    return lines


def _updates_aside(pending: Sequence[tuple[str, str, Any]]) -> bool:
    """Whether a Command has changed the state of the checkpoint without making a new one."""
    return any(task == NULL_TASK_ID and channel not in RESERVED for task, channel, _ in pending)


def _changed(
    program: Program, first: Mapping[str, Any], touched: Mapping[str, tuple[Any, Any]], same: Same
) -> tuple[str, ...]:
    differ = []
    for key, (before, after) in touched.items():
        old = first.get(key, MISSING) if before is MISSING else before
        new = first.get(key, MISSING) if after is MISSING else after
        if old is not new and (old is MISSING or new is MISSING or not same(old, new)):
            differ.append(key)
    if len(differ) == 1:
        return (differ[0],) if differ[0] in program.keys else ()
    return tuple(key for key in program.stream_keys if key in differ) if differ else ()


def _told(program: Program, thread: str, ns: str, step: StepOutline) -> Told:
    """The nodes of a checkpoint's step, its questions and errors. Where nothing is pending, triggers tell it all."""
    snapshot = snapshot_of(
        program,
        StoredCheckpoint(
            thread, ns, step.checkpoint_id, step.parent_id, step.created_at, step.metadata,
            step.frame or Frame(tuple(step.triggers)), {}, list(step.pending),
        ),
        newest=False,
    )  # fmt: skip
    return (
        snapshot.next,
        tuple((asked.id, asked.value) for task in snapshot.tasks for asked in task.interrupts),
        tuple((task.name, task.error) for task in snapshot.tasks if task.error),
    )
