"""Checkpoints that another kind of saver kept, as steps of a saver of nbhitl's: what changed is found anew."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import CheckpointKey, PauseRecord, StepRecord, TaskWrites
from nbhitl.checkpoint.serde import Serde
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbhitl.checkpoint.records import QuestionRecord, StoredCheckpoint

_Prints = dict[str, Any]
"""Of each key a digest of its value, or of a list the digests of its items."""


def replayed(
    stored: Iterable[StoredCheckpoint],
    questions: Sequence[QuestionRecord] = (),
    names: Mapping[str, tuple[str, tuple[Any, ...]]] | None = None,
) -> InMemorySaver:
    """Return a saver in memory that holds one thread.

    Args:
        stored: its checkpoints; in each namespace, oldest first.
        questions: what is open at the newest checkpoint of the root namespace.
        names: of tasks that are known by name, `{task id: (node, path)}`.

    Raises:
        UnsupportedValue: a value that is not stored as data; the message names where it is.
    """
    saver = InMemorySaver()
    prints: dict[tuple[str, str], _Prints] = {}
    newest: StoredCheckpoint | None = None
    for checkpoint in stored:
        known = prints.get((checkpoint.ns, checkpoint.parent_id or ""), {})
        here = _prints(checkpoint)
        saver.put_step(_record(checkpoint, known, here))
        prints[checkpoint.ns, checkpoint.checkpoint_id] = here
        place = CheckpointKey(checkpoint.thread_id, checkpoint.ns, checkpoint.checkpoint_id)
        saver.put_pending(place, _tasks(checkpoint, names or {}))
        if checkpoint.ns == "" and (newest is None or newest.checkpoint_id < checkpoint.checkpoint_id):
            newest = checkpoint
    if questions and newest is not None:
        at = (newest.thread_id, "", newest.checkpoint_id)
        saver.put_pause(PauseRecord(*at, [], list(questions)))
    return saver


def _record(checkpoint: StoredCheckpoint, before: _Prints, here: _Prints) -> StepRecord:
    values: dict[str, Any] = {}
    appended: dict[str, list[Any]] = {}
    for key, value in checkpoint.values.items():
        old, new = before.get(key), here[key]
        if old == new:
            continue
        if isinstance(old, list) and isinstance(new, list) and new[: len(old)] == old:
            appended[key] = value[len(old) :]
        else:
            values[key] = value
    removed = tuple(key for key in before if key not in here)
    return StepRecord(
        checkpoint.thread_id, checkpoint.ns, checkpoint.checkpoint_id, checkpoint.parent_id,
        checkpoint.created_at, checkpoint.metadata, checkpoint.frame, values, appended, removed, [],
        lambda: checkpoint.values,
    )  # fmt: skip


def _prints(checkpoint: StoredCheckpoint) -> _Prints:
    serde = Serde(learn=True)
    prints: _Prints = {}
    for key, value in checkpoint.values.items():
        items = value if type(value) is list else (value,)
        try:
            digests = [blake2b(serde.dumps(item), digest_size=16).digest() for item in items]
        except UnsupportedValue as error:
            where = f"thread {checkpoint.thread_id!r}, checkpoint {checkpoint.checkpoint_id}"
            raise UnsupportedValue(f"state key {key!r} ({where}) cannot be exported: {error}.") from None
        prints[key] = digests if type(value) is list else digests[0]
    return prints


def _tasks(
    checkpoint: StoredCheckpoint, names: Mapping[str, tuple[str, tuple[Any, ...]]]
) -> list[TaskWrites]:
    by_task: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in checkpoint.writes:
        by_task.setdefault(task_id, []).append((channel, value))
    return [TaskWrites(task_id, *names.get(task_id, ("", ())), writes) for task_id, writes in by_task.items()]
