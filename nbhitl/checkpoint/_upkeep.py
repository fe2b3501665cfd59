"""What deleting, pruning, copying and filtering decide. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint import claims
from nbhitl.checkpoint._answers import answers_of
from nbhitl.checkpoint._fold import fold_newest_first
from nbhitl.checkpoint._metadata import decode_metadata
from nbhitl.checkpoint._rows import (
    Codec,
    StepRow,
    WriteRow,
    decode_body,
    encode_body,
    encode_writes,
)
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.constants import RESUME
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nbhitl.checkpoint.claims import Question

Place = tuple[str, str]
"""A namespace and the id of a checkpoint in it."""


class PruneRule(NamedTuple):
    """Which checkpoints stay: those with an answered question too if `answered`, and none before `moment` goes.

    `moment` is UTC, ISO 8601; None lets every checkpoint go, however young.
    """

    answered: bool = False
    moment: str | None = None


def matches(metadata: Mapping[str, Any], filter: Mapping[str, Any], *, by_path: bool = False) -> bool:
    """Whether the metadata holds every entry of the filter; None also stands for no entry.

    A key `"a.b"` that is not there is, `by_path`, the entry "b" of the entry "a".
    """
    if by_path:
        return all(_at(metadata, key) == value for key, value in filter.items())
    return all(metadata.get(key) == value for key, value in filter.items())


def _at(metadata: Mapping[str, Any], path: str) -> Any:
    if path in metadata:
        return metadata[path]
    found: Any = metadata
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def kept_places(
    spaces: Mapping[str, Sequence[StepRow]], questions: Iterable[Question], rule: PruneRule, codec: Codec
) -> set[Place]:
    """Return which checkpoints of a thread pruning leaves.

    The newest of each namespace always stay, and those where something can still happen to a question, and
    what the checkpoints that stay refer to in graphs that they call.

    Args:
        spaces: all rows by namespace, newest first.
        questions: all questions of the thread.
        rule: what else stays.
        codec: reads the rows' bodies.
    """
    states = claims.LIVE | {claims.APPLIED} if rule.answered else claims.LIVE
    kept = {(ns, rows[0].checkpoint_id) for ns, rows in spaces.items() if rows}
    kept |= {(q.ns, q.checkpoint_id) for q in questions if q.state in states}
    if rule.moment is not None:
        kept |= {
            (ns, row.checkpoint_id)
            for ns, rows in spaces.items()
            for row in rows
            if _created(row) >= rule.moment
        }
    return _with_children(kept, spaces, codec)


def any_young(spaces: Mapping[str, Sequence[StepRow]], rule: PruneRule) -> bool:
    """Whether a thread has a checkpoint that is not older than the rule's moment."""
    moment = rule.moment or ""
    return any(_created(row) >= moment for rows in spaces.values() for row in rows)


def _created(row: StepRow) -> str:
    try:
        return claims.moment(row.created_at)
    except ValueError:
        raise StoreError(
            f"thread {row.thread_id!r}: checkpoint {row.checkpoint_id} has no readable time "
            f"({row.created_at!r}), so it cannot be pruned by age. Prune by strategy alone."
        ) from None


def _with_children(kept: set[Place], spaces: Mapping[str, Sequence[StepRow]], codec: Codec) -> set[Place]:
    rows = {(ns, row.checkpoint_id): row for ns, found in spaces.items() for row in found}
    waiting, reached = list(kept), set(kept)
    while waiting:
        row = rows.get(waiting.pop())
        children = decode_body(row, codec).frame.children if row is not None else {}
        for place in children.items():
            if place not in reached:
                reached.add(place)
                waiting.append(place)
    return reached


def made_whole(rows: Sequence[StepRow], doomed: set[str], codec: Codec) -> list[StepRow]:
    """Return the rows that stay but were folded from rows that go, each holding its whole state.

    Args:
        rows: all rows of a namespace, newest first.
    """
    parents = {row.checkpoint_id: row for row in rows}

    def loses_its_ground(row: StepRow) -> bool:
        return row.checkpoint_id not in doomed and not row.is_whole and row.parent_id in doomed

    return [
        _whole(folded.row, encode_body(folded.body.as_full(folded.values, folded.versions), codec))
        for folded in fold_newest_first(parents.values(), codec, loses_its_ground)
    ]


def _whole(row: StepRow, body: bytes) -> StepRow:
    return row._replace(base_id=row.checkpoint_id, since=0, size=len(body), body=body)


def stranded_results(rows: Sequence[StepRow], doomed: set[str], codec: Codec) -> list[WriteRow]:
    """Return the results of checkpoints that stay, as pending writes, where the child that holds them goes.

    Args:
        rows: all rows of a namespace, newest first.
    """
    children: dict[str, list[StepRow]] = {}
    for row in reversed(rows):
        if row.parent_id is not None:
            children.setdefault(row.parent_id, []).append(row)
    writes: list[WriteRow] = []
    for row in rows:
        if row.checkpoint_id not in doomed:
            writes += _saved_results(row, children.get(row.checkpoint_id, ()), doomed, codec)
    return writes


def _saved_results(
    row: StepRow, children: Sequence[StepRow], doomed: set[str], codec: Codec
) -> Iterator[WriteRow]:
    for child in children:
        if child.checkpoint_id in doomed:
            for task in decode_body(child, codec).tasks(child):
                yield from encode_writes(row[:3], task, codec, WRITES_IDX_MAP)
        if child is not children[-1] and decode_metadata(child.metadata, codec).get("source") == "loop":
            break


def copied_questions(questions: Iterable[Question], target: str) -> Iterator[Question]:
    """Yield the questions of a copied thread that can be answered there: in the copy nobody has answered them."""
    for question in questions:
        if question.state in claims.LIVE:
            yield renamed(claims.release(question), target)


def renamed(question: Question, thread_id: str) -> Question:
    """Return the question as another thread has it: a breakpoint's id is made from its thread."""
    if question.thread_id == thread_id:
        return question
    if question.kind == claims.BREAKPOINT:
        own = claims.breakpoint_id(thread_id, question.checkpoint_id, question.task_id)
        question = question._replace(interrupt_id=own)
    return question._replace(thread_id=thread_id)


def copied_writes(
    writes: Iterable[WriteRow], questions: Iterable[Question], codec: Codec, target: str
) -> Iterator[WriteRow]:
    """Yield the pending writes of a copied thread, without the answers that are on their way in the original."""
    on_their_way: dict[tuple[str, str], set[str]] = {}
    for question in questions:
        if question.state == claims.DELIVERED:
            on_their_way.setdefault((question.ns, question.checkpoint_id), set()).add(question.interrupt_id)
    for write in writes:
        taken_back = on_their_way.get((write.ns, write.checkpoint_id), ())
        if write.channel == RESUME and taken_back:
            left = [entry for entry in answers_of(write, codec) if entry[0] not in taken_back]
            if left:
                yield write._replace(thread_id=target, value=codec.dumps(left))
        else:
            yield write._replace(thread_id=target)
