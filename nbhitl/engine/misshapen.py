"""Stored data of another shape than the engine writes: somebody else has written there. Looked for after an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.records import are_entries
from nbhitl.constants import CHILDREN, INTERRUPT, NULL_TASK_ID, RESUME, SCHEDULED, TASKS
from nbhitl.errors import StoreError
from nbhitl.types import Interrupt, Send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nbhitl.checkpoint.records import Frame
    from nbhitl.engine.head import Head


def refuse_misshapen(
    thread_id: str | None,
    checkpoint_id: str,
    metadata: Any,
    next_up: Frame | Head,
    writes: Iterable[Sequence[Any]],
    saver: Any = None,
) -> None:
    """Raise the error for a checkpoint that the engine has not written so; return if it may have.

    Args:
        thread_id: whose checkpoint it is.
        checkpoint_id: which one.
        metadata: its metadata.
        next_up: what runs next.
        writes: its pending writes.
        saver: what has read it, for the store's name.

    Raises:
        StoreError: its metadata, what runs next or its pending writes are no such things.
    """
    wrong = _wrong_with(metadata, next_up, writes)
    if wrong is not None:
        error = StoreError(
            f"thread {thread_id!r}, checkpoint {checkpoint_id} is damaged: {wrong}. Restore the store from a copy, or "
            "delete the thread."
        )
        name_store(saver, error)
        raise error


def name_store(saver: Any, error: StoreError) -> None:
    """Put the store's name before an error about what is stored there, if the saver is one of nbhitl's."""
    name = getattr(saver, "_name_store", None)
    if name is not None:
        name(error)


def _wrong_with(metadata: Any, next_up: Frame | Head, writes: Iterable[Sequence[Any]]) -> str | None:
    if not isinstance(metadata, dict) or type(metadata.get("step", -1)) is not int:
        return "its metadata is none"
    if not isinstance(metadata.get("parents") or {}, dict):
        return "its metadata names no parents"
    if not all(isinstance(name, str) for name in (*next_up.triggers, *next_up.writers)):
        return "what runs next is no name"
    if not all(isinstance(sent, Send) and isinstance(sent.node, str) for sent in next_up.sends):
        return "what is sent is no Send"
    for task_id, channel, value in writes:
        if not isinstance(channel, str):
            return f"task {task_id} has written to what is no channel"
        fits = _SHAPES.get(channel)
        if fits is not None and task_id != NULL_TASK_ID and not fits(value):
            return f"task {task_id} has left {type(value).__name__} as {channel}"
    return None


def _are_interrupts(value: Any) -> bool:
    return type(value) is list and all(isinstance(asked, Interrupt) for asked in value)


def _are_places(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(part, str) for part in (*value, *value.values()))


_SHAPES: dict[str, Callable[[Any], bool]] = {
    INTERRUPT: _are_interrupts,
    RESUME: are_entries,
    SCHEDULED: lambda value: type(value) is int,
    CHILDREN: _are_places,
    TASKS: lambda value: isinstance(value, Send) and isinstance(value.node, str),
}
