"""Which answer belongs to which question; pure."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint.claims import is_in_doubt
from nbhitl.checkpoint.digests import what_was_asked
from nbhitl.checkpoint.records import entry_id
from nbhitl.constants import ERROR, INTERRUPT, NULL_TASK_ID, RESUME, SCHEDULED
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, UnknownInterruptError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from nbhitl.checkpoint.records import CheckpointKey, Claim
    from nbhitl.types import Interrupt

RESERVED = frozenset({ERROR, INTERRUPT, RESUME, SCHEDULED})
"""Channels of pending writes that tell of a task, but are not what it wrote."""

_HEX = frozenset("0123456789abcdef")


def is_interrupt_id(key: object) -> bool:
    """Whether `key` looks like an interrupt's id: 32 lower-case hex digits."""
    return isinstance(key, str) and len(key) == 32 and _HEX.issuperset(key)


def is_answer_map(resume: Any) -> bool:
    """Whether a resume value names the questions that it answers; `{}` is an answer like any other."""
    return isinstance(resume, dict) and bool(resume) and all(map(is_interrupt_id, resume))


class Left(NamedTuple):
    """What tasks left at a checkpoint.

    `finished` are the ids of tasks that have left results, `asked` what the others have asked, answered or not,
    `{task_id: [Interrupt]}`, `answered` the answers to be delivered, `{task_id: [[id, what was asked, answer]]}`, and
    `has_answer` the ids of all questions that those are for.
    """

    finished: set[str]
    asked: dict[str, list[Interrupt]]
    answered: dict[str, list[Any]]
    has_answer: set[str]

    def still_open(self) -> dict[str, list[Interrupt]]:
        """Return the questions that have no answer: `{task_id: [Interrupt]}`."""
        if not self.has_answer:
            return self.asked
        return {
            task_id: still_open
            for task_id, interrupts in self.asked.items()
            if (still_open := [i for i in interrupts if i.id not in self.has_answer])
        }

    def taken_up(self) -> set[str]:
        """Return the ids of questions that have an answer which is not known to be applied.

        A task that has since asked something else has used up the answers before.
        """
        ids: set[str] = set()
        for task_id, rows in self.answered.items():
            if task_id in self.asked:
                ids |= {i.id for i in self.asked[task_id] if i.id in self.has_answer}.intersection(
                    map(entry_id, rows)
                )
            elif task_id not in self.finished:
                ids.update(map(entry_id, rows))
        return ids


def tasks_left(writes: Iterable[tuple[str, str, Any]]) -> Left:
    """Return what the pending writes of a checkpoint tell of its tasks."""
    finished: set[str] = set()
    asked, answered = {}, {}
    for task_id, channel, value in writes:
        if channel == INTERRUPT:
            asked[task_id] = list(value) if isinstance(value, (list, tuple)) else [value]
        elif channel == RESUME:
            answered[task_id] = [*value] if isinstance(value, (list, tuple)) else [value]
        elif channel not in RESERVED and task_id != NULL_TASK_ID:
            finished.add(task_id)
    for task_id in finished:
        asked.pop(task_id, None)
    return Left(finished, asked, answered, set(map(entry_id, chain.from_iterable(answered.values()))))


def asked_again(writes: Sequence[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
    """Return the pending writes of a checkpoint without what was written by hand for tasks that have asked.

    A task that asked gets a result by an answer only: one without was written by `update_state`, whose branch it
    belongs to. Who names the checkpoint of before answers what was asked there.
    """
    channels: dict[str, set[str]] = {}
    for task_id, channel, _ in writes:
        channels.setdefault(task_id, set()).add(channel)
    unanswered = {id for id, left in channels.items() if INTERRUPT in left and RESUME not in left}
    return [write for write in writes if write[0] not in unanswered or write[1] in RESERVED]


def open_questions(writes: Iterable[tuple[str, str, Any]]) -> dict[str, list[Interrupt]]:
    """Return the questions among a checkpoint's pending writes that have no answer: `{task_id: [Interrupt]}`."""
    return tasks_left(writes).still_open()


def match_answers(
    resume: Any,
    left: Left,
    *,
    can_go_on: bool,
    strict: bool = False,
    thread_id: str | None = None,
) -> dict[str, Any]:
    """Return `{interrupt id: answer}` for a `Command(resume=...)`.

    A map names its questions; ids that are not open are left aside if others are. Any other value answers the
    one question that is open. A question whose answer is being applied is matched as well: the claim on it tells
    who was first. At a static breakpoint, where nothing was asked, the answer only means to go on.

    Args:
        resume: the value of `Command(resume=)`.
        left: what tasks left at the checkpoint.
        can_go_on: whether the checkpoint has tasks that are about to run.
        strict: take `{}` for a map that names nothing, refuse every id that is not open, and refuse with
            UnknownInterruptError only.
        thread_id: the thread, for errors.

    Raises:
        UnknownInterruptError: nothing is open, or none of the map's ids; strictly, an id of the map's is not.
        RuntimeError: a single answer while several questions are open; strictly an UnknownInterruptError.
    """
    asked = [i.id for interrupts in left.asked.values() for i in interrupts]
    still_open = [i.id for interrupts in left.still_open().values() for i in interrupts]
    if is_answer_map(resume):
        return _named_answers(resume, set(asked), still_open, strict=strict, thread_id=thread_id)
    if strict and resume == {}:
        raise UnknownInterruptError(
            "The resume map names no interrupt; in strict mode {} is no answer. Open are: "
            f"{', '.join(still_open) or 'none'}. Answer with Command(resume={{id: {{}}}}).",
            reason="empty_map",
            pending_ids=sorted(still_open),
        )
    if len(still_open) > 1:
        raise _ambiguous(still_open, strict=strict)
    if still_open or asked:
        return {(still_open or asked)[-1]: resume}
    if can_go_on and not left.finished:
        return {}
    raise UnknownInterruptError(
        f"Command(resume=...) was given, but no question is open on thread {thread_id!r}: it is finished, or was "
        "answered already. Look at get_state(config).next and .interrupts.",
        reason="not_pending",
    )


def _named_answers(
    answers: dict[str, Any],
    asked: set[str],
    still_open: Sequence[str],
    *,
    strict: bool,
    thread_id: str | None,
) -> dict[str, Any]:
    unknown = [id for id in answers if id not in asked]
    # A program may hand over all the answers that it has collected, those of before too.
    if unknown and not strict and len(unknown) < len(answers):
        return {id: answer for id, answer in answers.items() if id in asked}
    if unknown:
        raise UnknownInterruptError(
            f"Unknown or already-consumed interrupt: {', '.join(unknown)}. On thread {thread_id!r} open are: "
            f"{', '.join(still_open) or 'none'}. It may have been answered already: look at get_state(config).",
            reason="not_pending",
            interrupt_ids=unknown,
            pending_ids=sorted(still_open),
        )
    return dict(answers)


def _ambiguous(still_open: Sequence[str], *, strict: bool) -> Exception:
    message = (
        "When there are multiple pending interrupts, you must specify the interrupt id when resuming. "
        f"Open are: {', '.join(still_open)}. Answer with Command(resume={{id: value, ...}})."
    )
    if strict:
        return UnknownInterruptError(message, reason="ambiguous", pending_ids=sorted(still_open))
    return RuntimeError(message)


def resume_entries(
    pending: Mapping[str, Sequence[Interrupt]], answers: Mapping[str, Any], before: Mapping[str, list[Any]]
) -> dict[str, list[Any]]:
    """Return the answers of each task to save: `{task_id: [[interrupt id, what was asked, answer], ...]}`.

    `before` are the entries that the tasks have from earlier answers.
    """
    entries: dict[str, list[Any]] = {}
    for task_id, interrupts in pending.items():
        new = [[i.id, what_was_asked(i), answers[i.id]] for i in interrupts if i.id in answers]
        if new:
            entries[task_id] = [*before.get(task_id, ()), *new]
    return entries


def saved_starts(channels: Mapping[str, Any]) -> int:
    """Return how often a task's node has started, by what the task left: `{channel: value}`.

    A number is only saved from the second start on; a question or an error tells of the first.
    """
    if SCHEDULED in channels:
        return int(channels[SCHEDULED])
    return 1 if INTERRUPT in channels or ERROR in channels else 0


def check_claims(
    claims: Iterable[Claim], key: CheckpointKey, ids: Collection[str], now: str, *, can_release: bool = True
) -> None:
    """Check that answers of earlier runs at this checkpoint are not being applied elsewhere.

    Args:
        claims: those of the thread.
        key: the checkpoint.
        ids: the interrupts that were answered there.
        now: the time.
        can_release: the saver is one of nbhitl's, on which a caller can open a question again.

    Raises:
        AlreadyAnswered: a run that took one up has time left to report.
        AnswerInDoubt: its time is over: whether the effect ran is not known.
    """
    for claim in claims:
        place = (claim.thread_id, claim.ns, claim.checkpoint_id)
        if place != tuple(key) or claim.interrupt_id not in ids or claim.state != "delivered":
            continue
        if claim.lease_until is None:
            continue  # its node has failed and said so: running it again is a retry
        who = f"the answer of {claim.by or 'someone'} (given {claim.at})"
        where = f"thread {claim.thread_id!r}"
        if not is_in_doubt(claim, now):
            raise AlreadyAnswered(
                f"On {where}, {who} is being applied by another run until {claim.lease_until}. Wait for it, "
                "then look at get_state(config).",
                by=claim.by,
                at=claim.at,
            )
        raise AnswerInDoubt(
            f"On {where}, {who} was taken up by a run that never reported back: whether its effect has happened "
            "is not known. Look, then ask anew from a fork: invoke(None, get_state(config).config)."
            f"{_release_call(claim) if can_release else ''}"
        )


def _release_call(claim: Claim) -> str:
    place = f"{claim.thread_id!r}, {claim.ns!r}, {claim.checkpoint_id!r}, [{claim.interrupt_id!r}]"
    return f" Or open the question again: graph.checkpointer.release({place})."
