"""Change a thread from outside, as if its nodes had written: the story of `bulk_update_state`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.constants import COPY, END, INPUT, INTERRUPT, NO_WRITES, START
from nbhitl.engine.begin import stand_on
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.plan import plan_tasks, recall_writes
from nbhitl.engine.progress import task_writes
from nbhitl.engine.snapshot import apply_null_writes
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.errors import InvalidUpdateError, UnknownNodeError
from nbhitl.types import StateUpdate

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from nbhitl.checkpoint.records import CheckpointKey, StoredCheckpoint
    from nbhitl.engine.progress import Progress

_TRIGGERS = (INTERRUPT,)
"""Of an update: it ends a step as what a node did does."""


def update_loop(
    progress: Progress, key: CheckpointKey, supersteps: Sequence[Sequence[StateUpdate]]
) -> Generator[Any, Any, str]:
    """Write one checkpoint for each superstep, and return the id of the last.

    Raises:
        ValueError: no supersteps, or one without updates.
        InvalidUpdateError: an update that no node can be named for.
    """
    if not supersteps:
        raise ValueError("No supersteps provided: give at least one list of StateUpdates.")
    for updates in supersteps:
        if not updates:
            raise ValueError("No updates provided: each superstep needs at least one StateUpdate.")
    steps = [[_state_update(update) for update in updates] for updates in supersteps]
    stored: StoredCheckpoint | None = yield StoreCall("load", (key, True))
    if stored is not None:
        stand_on(progress, stored)
        progress.run.checkpoint_map = stored.metadata.get("parents") or {}
    elif steps[0][0].as_node != INPUT:
        progress.step = 0
    told = stored is not None and (yield from _is_newest(progress, key, stored))
    for updates in steps:
        yield from _superstep(progress, updates, stored, told)
        progress.pending, told = [], True
    return progress.head.checkpoint_id


def _state_update(given: Any) -> StateUpdate:
    if isinstance(given, tuple) and 0 < len(given) <= len(StateUpdate._fields):
        return StateUpdate(*given)
    raise TypeError(
        f"bulk_update_state got {given!r}; each superstep is a list of StateUpdate(values, as_node=...)."
    )


def _is_newest(progress: Progress, key: CheckpointKey, stored: StoredCheckpoint) -> Generator[Any, Any, bool]:
    """Whether nothing came after a checkpoint: then an update is what its tasks did, else it begins a branch beside."""
    if key.checkpoint_id is None:
        return True
    newest: StoredCheckpoint | None = yield StoreCall("load", (key._replace(checkpoint_id=None),))
    if newest is not None:
        progress.clock.catch_up(newest.checkpoint_id)
    return newest is None or newest.checkpoint_id == stored.checkpoint_id


def _superstep(
    progress: Progress, updates: list[StateUpdate], stored: StoredCheckpoint | None, told: bool
) -> Generator[Any, Any, None]:
    """Write one checkpoint; `told`: whether the one before it tells the updates as results of its tasks."""
    first = updates[0]
    if len(updates) > 1:
        _check_batch(updates)
    elif first.as_node == COPY:
        yield from _copy(progress, first.values, stored)
        return
    elif first.as_node == INPUT:
        yield from _input(progress, first.values)
        return
    elif first.as_node == END:
        if first.values is not None:
            raise InvalidUpdateError(
                "An update as END takes no values: update_state(config, None, as_node=END)."
            )
        _clear_tasks(progress)
        yield from progress.advance("update")
        return
    tasks = _named_tasks(progress, updates)
    progress.run.stop = progress.step + 2  # its path functions see that there is room for a step more
    results = []
    for task in tasks:
        result: TaskResult = yield task
        if result.error is not None:
            raise result.error
        results.append(result)
    progress.apply(results)
    wrote = [result for result in results if result.writes != [(NO_WRITES, None)]]
    record = [task_writes(progress.program, result, result.writes) for result in wrote] if told else []
    yield from progress.advance("update", record)


def _check_batch(updates: Sequence[StateUpdate]) -> None:
    for update in updates:
        if update.as_node is None:
            raise InvalidUpdateError(
                "as_node is required when applying multiple updates in one superstep. Say whose each update is: "
                "StateUpdate(values, as_node=...)."
            )
        if update.as_node in (END, COPY, INPUT):
            raise InvalidUpdateError(
                f"Cannot apply an update as {update.as_node!r} together with others. Give it a superstep of its own."
            )


def _copy(progress: Progress, values: Any, stored: StoredCheckpoint | None) -> Generator[Any, Any, None]:
    """Clone the checkpoint as its own sibling; a list of `(values, as_node)` replaces its tasks' results."""
    if stored is None:
        raise InvalidUpdateError(
            "Cannot copy a non-existent checkpoint: the thread is empty. Check the thread_id."
        )
    progress.head.checkpoint_id = stored.parent_id or ""
    yield from progress.advance("fork", whole=True)
    if not isinstance(values, (list, tuple)) or not values:
        return
    progress.pending = []
    yield from _superstep(progress, [StateUpdate(*pair) for pair in values], stored, True)


def _input(progress: Progress, values: Any) -> Generator[Any, Any, None]:
    """Take `values` as an input; what was about to run is still about to."""
    if values is None:
        raise InvalidUpdateError(
            f"Received no input writes for {START}: an update as {INPUT!r} needs values."
        )
    progress.head.start = values
    progress.head.triggers = tuple(dict.fromkeys((*progress.head.triggers, START)))
    yield from progress.advance("input")


def _clear_tasks(progress: Progress) -> None:
    tasks = _tasks(progress)
    progress.note(apply_null_writes(progress.program, progress.head, progress.pending))
    progress.apply([TaskResult(t, t.writes or []) for t in tasks])


def _tasks(progress: Progress) -> list[Task]:
    tasks = plan_tasks(progress.program, progress.head, progress.step, progress.run.ns)
    recall_writes(tasks, progress.pending)
    return tasks


def _named_tasks(progress: Progress, updates: Sequence[StateUpdate]) -> list[Task]:
    """Return a task for each update: the next one of that node, where it is there and has no results."""
    planned: dict[str, list[Task]] = {}
    for task in _tasks(progress):
        planned.setdefault(task.name, []).append(task)
    tasks = []
    for number, update in enumerate(updates):
        name = update.as_node or _last_writer(progress)
        if name not in progress.program.nodes:
            raise _unknown_node(progress, name)
        same = planned.get(name)
        known = update.task_id
        if same and (next_one := same.pop(0)).writes is None:
            known = next_one.id
        task = Task(
            name,
            ("__update__", number),
            _TRIGGERS,
            progress.step,
            progress.head.checkpoint_id,
            progress.run.ns,
            returned=_as_returned(progress, name, update.values),
        )
        if known is not None:
            task._id = known
        tasks.append(task)
    return tasks


def _as_returned(progress: Progress, name: str, values: Any) -> Any:
    """Return what the node returns that an update stands for; START lets in what the input schema has."""
    take_input = progress.program.nodes[name].action.sync if name == START else None
    return values if values is None or take_input is None else take_input(values)


def _unknown_node(progress: Progress, name: str) -> InvalidUpdateError:
    unknown = UnknownNodeError(
        name, [n for n in progress.program.nodes if n != START], "update_state(as_node=)"
    )
    return InvalidUpdateError(f"Node {name} does not exist. {unknown}")


def _last_writer(progress: Progress) -> str:
    writers = progress.head.writers
    if not writers:
        return START
    if writers == (INTERRUPT,):
        raise InvalidUpdateError(
            "Ambiguous update, specify as_node: no node has run yet since this branch began, so say whose update this is."
        )
    if len(writers) != 1:
        raise InvalidUpdateError(
            f"Ambiguous update, specify as_node: the last step ran {', '.join(sorted(writers))}, so say whose "
            "update this is."
        )
    return writers[0]
