"""Which answer belongs to which question; pure."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from nbhitl.constants import INTERRUPT, RESUME
from nbhitl.errors import UnknownInterruptError, mark_invalid_resume

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbhitl.types import Interrupt

_HEX = frozenset("0123456789abcdef")


def payload_digest(value: Any) -> str:
    """Return the SHA-256 of a question's canonical encoding, as hex digits."""
    if type(value) is str:
        return sha256(b"s" + value.encode("utf-8", "surrogatepass")).hexdigest()
    from nbhitl.checkpoint.serde import canonical_bytes

    return sha256(b"v" + canonical_bytes(value)).hexdigest()


def is_interrupt_id(key: object) -> bool:
    """Whether `key` looks like an interrupt's id: 32 lower-case hex digits."""
    return isinstance(key, str) and len(key) == 32 and _HEX.issuperset(key)


def is_answer_map(resume: Any) -> bool:
    """Whether a resume value names the questions that it answers; `{}` is an answer like any other."""
    return isinstance(resume, dict) and bool(resume) and all(map(is_interrupt_id, resume))


def open_questions(writes: Iterable[tuple[str, str, Any]]) -> dict[str, list[Interrupt]]:
    """Return the questions among a checkpoint's pending writes that have no answer: `{task_id: [Interrupt]}`."""
    asked: dict[str, list[Interrupt]] = {}
    answered: dict[str, set[str]] = {}
    done: set[str] = set()
    for task_id, channel, value in writes:
        if channel == INTERRUPT:
            asked[task_id] = list(value) if isinstance(value, (list, tuple)) else [value]
        elif channel == RESUME:
            answered[task_id] = {entry[0] for entry in value if isinstance(entry, (list, tuple))}
        elif not channel.startswith("__") or channel in ("__no_writes__", "__return__", "__pregel_tasks"):
            done.add(task_id)
    return {
        task_id: still_open
        for task_id, interrupts in asked.items()
        if task_id not in done
        and (still_open := [i for i in interrupts if i.id not in answered.get(task_id, ())])
    }


def match_answers(
    resume: Any, pending: Mapping[str, Sequence[Interrupt]], at_breakpoint: bool
) -> dict[str, Any]:
    """Return `{interrupt id: answer}` for a `Command(resume=...)`.

    A map names its questions. Any other value answers the one question that is open; at a static breakpoint,
    where nothing is asked, it only means to go on.

    Raises:
        UnknownInterruptError: nothing is open, or an id in the map is not.
        RuntimeError: a single answer while several questions are open.
    """
    ids = [interrupt.id for interrupts in pending.values() for interrupt in interrupts]
    if is_answer_map(resume):
        unknown = [id for id in resume if id not in ids]
        if unknown:
            raise UnknownInterruptError(
                f"No question with id {', '.join(unknown)} is open on this thread; open are: "
                f"{', '.join(ids) or 'none'}. It may have been answered already: look at get_state(config).",
                reason="not_pending",
                interrupt_ids=unknown,
                pending_ids=ids,
            )
        return dict(resume)
    if len(ids) > 1:
        raise RuntimeError(
            "When there are multiple pending interrupts, you must specify the interrupt id when resuming. "
            f"Open are: {', '.join(ids)}. Answer with Command(resume={{id: value, ...}})."
        )
    if ids:
        return {ids[0]: resume}
    if at_breakpoint:
        return {}
    raise UnknownInterruptError(
        "Command(resume=...) was given, but no question is open on this thread: it is finished, or was "
        "answered already. Look at get_state(config).next and .interrupts.",
        reason="not_pending",
    )


def resume_entries(
    pending: Mapping[str, Sequence[Interrupt]], answers: Mapping[str, Any], before: Mapping[str, list[Any]]
) -> dict[str, list[Any]]:
    """Return the answers of each task to save: `{task_id: [[interrupt id, digest, answer], ...]}`.

    `before` are the entries that the tasks have from earlier answers.
    """
    entries: dict[str, list[Any]] = {}
    for task_id, interrupts in pending.items():
        new = [[i.id, payload_digest(i.value), answers[i.id]] for i in interrupts if i.id in answers]
        if new:
            entries[task_id] = [*before.get(task_id, ()), *new]
    return entries


def saved_entries(writes: Iterable[tuple[str, str, Any]]) -> dict[str, list[Any]]:
    """Return the answers among a checkpoint's pending writes: `{task_id: [[id, digest, answer], ...]}`."""
    return {task_id: list(value) for task_id, channel, value in writes if channel == RESUME}


def validated_answer(answer: Any, schema: Any) -> Any:
    """Return `answer` as an instance of `schema`.

    Raises:
        pydantic.ValidationError: it does not fit; `is_invalid_resume` is true for the error.
    """
    if schema is None or isinstance(schema, dict):
        return answer
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(schema).validate_python(answer)
    except ValidationError as error:
        mark_invalid_resume(error)
        raise
