"""How a task is named. The name follows from the task's place, so a store need not hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from _blake2 import blake2b  # hashlib's own; hashlib itself would load OpenSSL, 2 ms and 3 MB
except ImportError:
    from hashlib import blake2b

if TYPE_CHECKING:
    from nbhitl.checkpoint.records import StepRecord, TaskWrites


def digest_id(text: str) -> str:
    """Return 32 hex digits that name `text`: the same text, the same id, in every process.

    >>> digest_id("plan:1")
    '1bd9b1b11b2c2b8d4ff2c69b9cd86e8f'
    """
    return blake2b(text.encode(), digest_size=16).hexdigest()


def task_id(checkpoint_id: str, ns: str, step: int, name: str, path: tuple[Any, ...]) -> str:
    """Return the id of a task, in the form of a UUID: one name for one task of one checkpoint.

    Stores rely on it: it stays as it is.
    """
    h = digest_id(f"{checkpoint_id}/{ns}/{step}/{name}/{path!r}")
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def result_id(record: StepRecord, task: TaskWrites) -> str:
    """Return the id of one of the tasks whose results a step was made of."""
    if task.task_id:
        return task.task_id
    return task_id(record.parent_id or "", record.ns, record.metadata["step"], task.name, task.path)
