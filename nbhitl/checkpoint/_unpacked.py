"""Steps of plain values, which the store in memory holds as they are until somebody reads them.

Steps are packed into bytes so that nobody changes their values afterwards. Numbers, strings and None cannot be changed,
most steps of most threads are never read, and packing is a quarter of what a step in memory costs.
"""

from __future__ import annotations

from itertools import repeat
from types import NoneType
from typing import TYPE_CHECKING, Any, cast

from nbhitl._slotted import of_fields
from nbhitl.checkpoint._body_parts import frame_data, result_data
from nbhitl.checkpoint._metadata import encode_metadata
from nbhitl.checkpoint._rows import (
    DELTA,
    DELTAS_A_WHOLE,
    FULL,
    StepRow,
    Tip,
    encode_step,
)
from nbhitl.checkpoint.records import Frame, TaskWrites
from nbhitl.checkpoint.serde.core import Serde
from nbhitl.checkpoint.stamps import spelled
from nbhitl.constants import PULL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint._rows import Codec
    from nbhitl.checkpoint.records import StepRecord

_NUMBERS = frozenset({int, float, bool, NoneType})
_TEXTS = frozenset({str, bytes})
_PLAIN = _NUMBERS | _TEXTS

_SERDE = Serde()
"""What all plain values are packed by alike."""

_STEP_SIZE, _VALUE_SIZE = 48, 16
"""About how many bytes a packed step has, and how many more for each value."""


class UnpackedStep(StepRow):
    """A row of which `metadata` and `body` are what `packed` makes bytes of, and of `created_at` text; `since` and `size`
    are estimates.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, StepRow) and tuple(packed(self)) == tuple(packed(other)))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(tuple(packed(self)))


_unpacked_step = of_fields(UnpackedStep)


def step_in_memory(record: StepRecord, tip: Tip | None, serde: Codec) -> tuple[StepRow, Tip]:
    """As `encode_step`, but the row of a step of one task and plain values is unpacked."""
    size = _plain_size(record) if serde.__class__ is Serde else 0
    # Of a thread's first step nothing is whole but what was written.
    is_due = (
        tip.since >= DELTAS_A_WHOLE * tip.size
        if tip
        else record.values or (record.parent_id and record.full())
    )
    if not size or is_due:
        return encode_step(record, tip, serde)
    checkpoint_id, values, frame = record.checkpoint_id, record.values, record.frame
    if tip is None:
        tip = Tip(checkpoint_id, checkpoint_id, 0, 0, 0, {})
    tip.checkpoint_id = checkpoint_id
    tip.depth = depth = tip.depth + 1
    versions = tip.versions
    for key in values:
        versions[key] = depth
    if len(values) == len(versions):
        tip.base_id, tip.size, tip.since = checkpoint_id, size, 0
    else:
        tip.since += size
    task = record.results[0].name if record.results else None
    start = None if frame.start is None else {**frame.start}  # it is the caller's
    # A tuple takes a third of the dict's memory.
    body = record.metadata["step"], task, (*values, *values.values()), frame.triggers, frame.writers, start
    fields = (
        record.thread_id, record.ns, checkpoint_id, record.parent_id, record.created_at, tip.base_id, depth,
        tip.since, tip.size, record.metadata["source"], body,
    )  # fmt: skip
    return _unpacked_step(fields), tip


def _plain_size(record: StepRecord) -> int:
    """Return about how many bytes a step takes; 0 if there is more to it than plain values."""
    frame, values, metadata = record.frame, record.values, record.metadata
    if record.appended or record.removed or frame.sends or frame.channels or frame.children:
        return 0
    if len(metadata) != 3 or metadata["parents"] or not _is_implied(record.results, values, frame.triggers):
        return 0
    if frame.start is not None:
        if values or type(frame.start) is not dict:
            return 0
        values = frame.start
    if _NUMBERS.issuperset(map(type, values.values())):
        return _STEP_SIZE + _VALUE_SIZE * len(values)
    if not _PLAIN.issuperset(map(type, values.values())):
        return 0
    texts = sum([len(value) for value in values.values() if type(value) in _TEXTS])
    return _STEP_SIZE + _VALUE_SIZE * len(values) + texts


def _is_implied(results: Sequence[TaskWrites], values: dict[str, Any], triggers: tuple[str, ...]) -> bool:
    """Whether these are the results of no task, or of one that wrote the new values and then what it starts."""
    if len(results) != 1:
        return not results
    ((task_id, name, path, writes),) = results
    if task_id or path != (PULL, name) or len(writes) != len(values) + len(triggers):
        return False
    left = iter(writes)
    for key, new in values.items():
        channel, value = next(left)
        if value is not new or channel != key:
            return False
    for trigger in triggers:
        channel, value = next(left)
        if value is not None or channel != trigger:
            return False
    return True


def packed(row: StepRow) -> StepRow:
    """Return a row as other stores have it."""
    if row.__class__ is not UnpackedStep:
        return row
    step, task, changed, triggers, writers, start = cast("Any", row.body)
    count = len(changed) // 2
    values, results = dict(zip(changed[:count], changed[count:], strict=True)), []
    if task is not None:
        writes = [*values.items(), *zip(triggers, repeat(None))]
        results.append(result_data(TaskWrites("", task, (PULL, task), writes), step, values, {}, {}))
    frame = frame_data(Frame(triggers, start=start, writers=writers))
    body = [FULL if row.is_whole else DELTA, frame, values, None, None, results, None]
    metadata = encode_metadata({"source": row.metadata, "step": step, "parents": {}}, _SERDE)
    return StepRow(*row[:4], spelled(row.created_at), *row[5:9], metadata, _SERDE.dumps(body))
