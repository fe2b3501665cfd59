"""A thread that another kind of saver kept, built again as steps in memory: what each changed is found anew."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.claims import APPLIED, OPEN
from nbhitl.checkpoint.companion import companion_of
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import CheckpointKey, PauseRecord, StepRecord, TaskWrites
from nbhitl.checkpoint.serde import Serde
from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.records import QuestionRecord, StoredCheckpoint
    from nbhitl.checkpoint.steps import StepSaver

_Prints = dict[str, Any]
"""Of each key a digest of its value, or of a list the digests of its items."""


def rebuilt(
    stored: Iterable[StoredCheckpoint], names: Mapping[str, tuple[str, tuple[Any, ...]]]
) -> InMemorySaver:
    """Return a saver in memory that holds one thread.

    Args:
        stored: its checkpoints; in each namespace, oldest first.
        names: of tasks that are known by name, `{task id: (node, path)}`.

    Raises:
        UnsupportedValue: a value that is not stored as data; the message names where it is.
    """
    saver = InMemorySaver()
    prints: dict[tuple[str, str], _Prints] = {}
    for checkpoint in stored:
        known = prints.get((checkpoint.ns, checkpoint.parent_id or ""), {})
        here = _prints(checkpoint)
        saver.put_step(_record(checkpoint, known, here))
        prints[checkpoint.ns, checkpoint.checkpoint_id] = here
        place = CheckpointKey(checkpoint.thread_id, checkpoint.ns, checkpoint.checkpoint_id)
        saver.put_pending(place, _tasks(checkpoint, names))
    return saver


def with_questions(saver: InMemorySaver, thread_id: str, questions: Sequence[QuestionRecord]) -> None:
    """Add to a rebuilt thread what is open at the newest checkpoint of its root namespace."""
    newest = saver.load(CheckpointKey(thread_id, ""))
    if questions and newest is not None:
        saver.put_pause(PauseRecord(thread_id, "", newest.checkpoint_id, [], list(questions)))


def with_claims(
    saver: InMemorySaver, companion: StepSaver, thread_id: str, renamed: Mapping[str, str]
) -> None:
    """Add to a rebuilt thread what was kept beside its saver: claims, and the journal of `once()`.

    Args:
        saver: what `rebuilt` returned.
        companion: what is kept beside the saver that the thread comes from.
        thread_id: the thread.
        renamed: the ids of tasks and questions that are others now.
    """
    claimed = [
        _under(question, renamed)
        for question in companion._rows.questions(thread_id)
        if question.state != OPEN
    ]
    with saver._rows.atomic(thread_id):
        saver._rows.put_questions(claimed)
        saver._rows.put_once(companion._rows.once_entries(thread_id))


def _under(question: Question, renamed: Mapping[str, str]) -> Question:
    """Return a question under the ids that it and its task have now."""
    return question._replace(
        interrupt_id=renamed.get(question.interrupt_id, question.interrupt_id),
        task_id=renamed.get(question.task_id, question.task_id),
    )


def keep_beside(saver: InMemorySaver, checkpointer: Any, thread_id: str, renamed: Mapping[str, str]) -> None:
    """Keep the decisions and the journal of a thread beside a checkpointer that has no place for them.

    Args:
        saver: has the thread.
        checkpointer: keeps its checkpoints.
        thread_id: the thread.
        renamed: the ids of tasks and questions that are others there.
    """
    decided = [
        _under(question, renamed)
        for question in saver._rows.questions(thread_id)
        if question.state == APPLIED
    ]
    journal = saver._rows.once_entries(thread_id)
    if decided or journal:
        rows = companion_of(checkpointer)._rows
        with rows.atomic(thread_id):
            rows.put_questions(decided)
            rows.put_once(journal)


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
