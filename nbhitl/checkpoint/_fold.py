"""Rows folded into states. Pure: rows come in, states go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint._rows import CLASSIC, FULL, Body, Codec, StepRow, Tip, decode_body
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nbhitl.checkpoint.base import PendingWrite


DAMAGE = (TypeError, ValueError, LookupError, AttributeError)
"""What goes wrong when data of another form than expected is read."""


class Folded(NamedTuple):
    """A row with the whole state at it, and the version of every key."""

    row: StepRow
    body: Body
    values: dict[str, Any]
    versions: dict[str, int]


class _Grown(NamedTuple):
    """The first `length` items of a list that later checkpoints go on appending to."""

    items: list[Any]
    length: int


def ancestry(rows: Sequence[StepRow], target: StepRow, since: str | None = None) -> list[StepRow]:
    """Return the rows from which `target` is folded, oldest first and `target` last.

    Args:
        rows: at least all rows of the namespace between the target's base, or `since`, and the target.
        since: the id of a checkpoint whose state is known; the row after it comes first.

    Raises:
        StoreError: a row in between is not there.
    """
    by_id = {row.checkpoint_id: row for row in rows}
    chain = [target]
    while not chain[-1].is_whole and (since is None or chain[-1].parent_id != since):
        parent = by_id.get(chain[-1].parent_id or "")
        if parent is None or len(chain) > len(by_id):  # or the parents go round in a circle
            raise _broken(chain[-1])
        chain.append(parent)
    chain.reverse()
    return chain


def _broken(row: StepRow) -> StoreError:
    return StoreError(
        f"thread {row.thread_id!r}, checkpoint {row.checkpoint_id}: its parent {row.parent_id} is not "
        "in the store. Read the thread again: somebody may have pruned it while it was read. If that changes "
        "nothing, the store was changed from outside; delete the thread or restore the file."
    )


def fold(chain: Sequence[StepRow], serde: Codec) -> Folded:
    """Return the state at the last row of an `ancestry`."""
    values: dict[str, Any] = {}
    versions: dict[str, int] = {}
    for row in chain:
        body = decode_body(row, serde)
        try:
            if row.is_whole:
                values, versions = _whole(row, body)
            else:
                _apply(row, body, values, versions)
        except DAMAGE as error:
            raise damaged(row) from error
    return Folded(row, body, values, versions)


def _whole(row: StepRow, body: Body) -> tuple[dict[str, Any], dict[str, int]]:
    if body.kind == FULL:
        return body.values, dict.fromkeys(body.values, row.depth) if body.base is None else body.base[0]
    if body.kind == CLASSIC:
        return body.values, {}
    raise damaged(row)


def damaged(row: StepRow) -> StoreError:
    """Return the error for a row whose content is not what it should be."""
    return StoreError(
        f"thread {row.thread_id!r}: checkpoint {row.checkpoint_id} is damaged and cannot be read. "
        "Restore the store from a copy, or delete the thread."
    )


def _apply(row: StepRow, body: Body, values: dict[str, Any], versions: dict[str, int]) -> None:
    """Change a state by a delta, in place; lists that are appended to belong to the state."""
    for key in body.removed:
        values.pop(key, None)
        versions.pop(key, None)
    values.update(body.values)
    for key in body.values:
        versions[key] = row.depth
    if body.edits:
        from nbhitl.checkpoint._edits import edited

        for key, edits in body.edits.items():
            values[key] = edited(_settled(values[key]), edits)
            versions[key] = row.depth
    for key, items in body.appended.items():
        if key in values:
            values[key].extend(items)
        else:
            values[key] = list(items)  # the row's own list stays: results of its tasks refer to it
        versions[key] = row.depth


def tip_of(folded: Folded) -> Tip:
    """Return what must be known of a checkpoint to store its child."""
    row = folded.row
    return Tip(row.checkpoint_id, row.base_id, row.depth, row.since, row.size, dict(folded.versions))


def fold_newest_first(
    rows: Iterable[StepRow], serde: Codec, wanted: Callable[[StepRow], bool]
) -> Iterator[Folded]:
    """Yield the wanted ones of a namespace's rows with their states, newest first, as the rows come in.

    Rows are gathered until none of them needs an older one, then folded forward. Items of lists that only
    grow are shared between the states of one call.

    Args:
        rows: newest first, without gaps.
    """
    for segment in _segments(rows, wanted):
        states, folded = _states(segment, serde)
        for row, body in reversed(folded):
            values, versions = states.pop(row.checkpoint_id)
            if wanted(row):
                yield Folded(row, body, {key: _settled(item) for key, item in values.items()}, versions)


def bodies_newest_first(rows: Iterable[StepRow], serde: Codec) -> Iterator[tuple[StepRow, Body]]:
    """Yield all of a namespace's rows with their bodies, newest first, as far as their states can be folded.

    The states, which may be much larger than the rows, are not built.
    """
    for segment in _segments(rows, lambda row: True):
        yield from reversed(_states(segment, serde)[1])


def _segments(rows: Iterable[StepRow], wanted: Callable[[StepRow], bool]) -> Iterator[list[StepRow]]:
    """Yield rows that need none but each other, newest first, where one of them is wanted."""
    segment: list[StepRow] = []
    needed: set[str] = set()
    any_wanted = False
    for row in rows:
        is_wanted = wanted(row)
        if not (is_wanted or row.checkpoint_id in needed):
            continue
        any_wanted = any_wanted or is_wanted
        segment.append(row)
        needed.discard(row.checkpoint_id)
        if not row.is_whole:
            needed.add(row.parent_id or "")
        if not needed:
            if any_wanted:
                yield segment
            segment, any_wanted = [], False
    if needed:
        without = [row for row in segment if (row.parent_id or "") in needed and not row.is_whole]
        raise _broken(without[0])


_States = dict[str, tuple[dict[str, Any], dict[str, int]]]


def _states(segment: list[StepRow], serde: Codec) -> tuple[_States, list[tuple[StepRow, Body]]]:
    """Return the state at each row of a segment, lists in it shared, and the rows with their bodies, oldest first."""
    states: _States = {}
    folded: list[tuple[StepRow, Body]] = []
    for row in reversed(segment):
        body = decode_body(row, serde)
        folded.append((row, body))
        try:
            if row.is_whole:
                states[row.checkpoint_id] = _whole(row, body)
            else:
                values, versions = states[row.parent_id or ""]
                states[row.checkpoint_id] = _grow(row, body, dict(values), dict(versions))
        except DAMAGE as error:
            raise damaged(row) from error
    return states, folded


def _grow(
    row: StepRow, body: Body, values: dict[str, Any], versions: dict[str, int]
) -> tuple[dict[str, Any], dict[str, int]]:
    """As `_apply`, but appending costs what is appended: the list is shared with the parent's state."""
    for key, items in body.appended.items():
        before = values.get(key)
        shared, length = (
            (before.items, before.length) if isinstance(before, _Grown) else (list(before or ()), None)
        )
        if length is not None and length != len(shared):
            shared = shared[:length]  # another branch has gone on with this list
        shared.extend(items)
        values[key] = _Grown(shared, len(shared))
        versions[key] = row.depth
    _apply(
        row, Body(body.kind, body.frame, body.values, {}, body.removed, edits=body.edits), values, versions
    )
    return values, versions


def _settled(item: Any) -> Any:
    return item.items[: item.length] if isinstance(item, _Grown) else item


def joined(first: Sequence[PendingWrite], later: Sequence[PendingWrite]) -> list[PendingWrite]:
    """Return the results of tasks, of those in both only the first."""
    if not first or not later:
        return [*first, *later]
    known = {task_id for task_id, _, _ in first}
    return [*first, *(write for write in later if write[0] not in known)]
