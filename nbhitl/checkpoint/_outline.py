"""What the steps of a thread wrote, without building the state at each of them. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nbhitl._slotted import of_fields
from nbhitl.checkpoint._body_parts import decode_frame, names
from nbhitl.checkpoint._compression import decompressed
from nbhitl.checkpoint._fold import DAMAGE
from nbhitl.checkpoint._metadata import metadata_of
from nbhitl.checkpoint._rows import CLASSIC, DELTA, Codec
from nbhitl.checkpoint.records import StepOutline
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.serde.plain import listed
from nbhitl.errors import StoreError
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbhitl.checkpoint._edits import Edits
    from nbhitl.checkpoint.base import PendingWrite

LeanRows = tuple[Sequence[str], Sequence[str | None], Sequence[str], Sequence[bytes], Sequence[bytes]]
"""Of some checkpoints their ids, those of their parents, when they were made, their metadata and their bodies."""

State = dict[str, Any]

_BATCH = 32
"""How many rows are decoded at once."""

_outline = of_fields(StepOutline)


def outlined(
    rows: LeanRows, pending: dict[str, list[PendingWrite]], serde: Codec, thread: str
) -> Iterator[StepOutline]:
    """Yield what each of a namespace's steps wrote, oldest first as the rows are; errors name the `thread`.

    Values in an outline may change when the next one is asked for.

    Raises:
        StoreError: a row is damaged.
    """
    ids, parents, times, *_ = rows
    children = Counter(parents)
    states: dict[str | None, State] = {}
    decoded = _decoded(rows, serde, thread)
    for checkpoint_id, parent_id, created_at, (about, body) in zip(ids, parents, times, decoded, strict=True):
        siblings = children[parent_id] - 1
        if siblings:
            children[parent_id] = siblings
            before = _own(states.get(parent_id))
        else:
            before = states.pop(parent_id, None)
        try:
            kind, frame, values, appended, removed, _, base, *more = body
            if appended or removed:
                for part in (*(appended or {}).values(), removed or []):
                    listed(part)
            if kind == CLASSIC:
                after, touched = None, None
            elif kind == DELTA and before is not None:
                after = before
                touched = _apply(before, values, appended, removed)
                if more:
                    touched.update(_edit(before, *more))
            else:
                after, touched = values, _of_whole(before, values, base[1] if base else values, removed)
            plain = frame is None or len(frame) < 3
            outline = _outline((
                checkpoint_id, parent_id, created_at, metadata_of(about),
                () if frame is None else names(frame[0]), None if plain else decode_frame(frame), touched,
                pending.get(checkpoint_id, ()),
            ))  # fmt: skip
        except (*DAMAGE, StoreError) as error:
            raise _damaged(thread, checkpoint_id, error) from error
        yield outline
        if after is not None and checkpoint_id in children:
            states[checkpoint_id] = after


def _decoded(rows: LeanRows, serde: Codec, thread: str) -> Iterator[tuple[Any, Any]]:
    """Yield the metadata and the body of each row, decoded some at a time."""
    ids, _, _, metadata, bodies = rows
    loads_each = serde.loads_each if type(serde) is Serde else lambda datas: [*map(serde.loads, datas)]
    for start in range(0, len(bodies), _BATCH):
        batch = slice(start, start + _BATCH)
        try:
            abouts = loads_each(metadata[batch])
            decoded = loads_each([*map(decompressed, bodies[batch])])
        except StoreError:  # of one of them: which?
            yield from _one_by_one(ids[batch], metadata[batch], bodies[batch], serde, thread)
        else:
            yield from zip(abouts, decoded, strict=True)


def _one_by_one(
    ids: Sequence[str], metadata: Sequence[bytes], bodies: Sequence[bytes], serde: Codec, thread: str
) -> Iterator[tuple[Any, Any]]:
    for checkpoint_id, about, body in zip(ids, metadata, bodies, strict=True):
        try:
            yield serde.loads(about), serde.loads(decompressed(body))
        except StoreError as error:
            raise _damaged(thread, checkpoint_id, error) from error


def _damaged(thread: str, checkpoint_id: str, error: Exception) -> StoreError:
    return StoreError(
        f"thread {thread!r}, checkpoint {checkpoint_id} is damaged and cannot be read ({error}). "
        "Restore the store from a copy, or delete the thread."
    )


def _own(state: State | None) -> State | None:
    """A parent's state for one of its children to change, while others still need it."""
    if state is None:
        return None
    return {key: value.copy() if type(value) is list else value for key, value in state.items()}


def _apply(
    state: State, values: State, appended: dict[str, list[Any]] | None, removed: Sequence[str] | None
) -> dict[str, tuple[Any, Any]]:
    touched = {}
    if removed:
        for key in removed:
            touched[key] = state.pop(key, MISSING), MISSING
    for key, value in values.items():
        touched[key] = state.get(key, MISSING), value
        state[key] = value
    if appended:
        for key, items in appended.items():
            if key not in state:
                state[key] = list(items)
                touched[key] = MISSING, items
            elif items:
                state[key].extend(items)
                touched[key] = None, items
    return touched


def _edit(state: State, edits: dict[str, Edits]) -> dict[str, tuple[Any, Any]]:
    from nbhitl.checkpoint._edits import edited

    touched = {key: (state[key], edited(state[key], of_key)) for key, of_key in edits.items()}
    state.update({key: after for key, (_, after) in touched.items()})
    return touched


def _of_whole(
    before: State | None, after: State, written: Sequence[str], removed: Sequence[str] | None
) -> dict[str, tuple[Any, Any]]:
    if before is None:
        return {key: (MISSING, value) for key, value in after.items()}
    touched = {}
    if removed:
        for key in removed:
            touched[key] = before.get(key, MISSING), MISSING
    for key in written:
        touched[key] = before.get(key, MISSING), after[key]
    return touched
