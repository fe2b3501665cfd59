"""Steps as rows: what changed since the parent, or the whole state now and then. No I/O.

A row's body is a list, `[kind, frame, values, appended, removed, results, base]`, with the frame as
`[triggers, writers, sends, channels, start, children]`:

    DELTA    values and appended hold what changed, removed what is gone; base is None. What was edited in lists
             (see `_edits`) comes last, by key, if there is any
    FULL     values holds every key; base is [versions of all keys, keys that changed, {key: items appended}],
             None where every key has a new value
    CLASSIC  values is the checkpoint that `put` was given; the rest is empty

A result that is the new value of its key, all of its items, or a run of appended ones, is stored as a reference; results
that are the first new values, in their order, as `[how many]`; a task whose id follows from its place, with its step
instead of the id. The whole state of a long thread is compressed.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from nbhitl._slotted import made, of_fields, slotted
from nbhitl.checkpoint._body_parts import decode_frame, frame_data, result_data
from nbhitl.checkpoint._compression import compressed, decompressed
from nbhitl.checkpoint._ids import unpacked
from nbhitl.checkpoint._metadata import encode_metadata
from nbhitl.checkpoint.records import StepRecord, TaskWrites
from nbhitl.checkpoint.serde.core import Serde
from nbhitl.checkpoint.serde.plain import listed, mapped, with_buffers
from nbhitl.checkpoint.stamps import spelled
from nbhitl.checkpoint.task_ids import task_id
from nbhitl.constants import PULL
from nbhitl.errors import StoreError, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbhitl.checkpoint._edits import Edits
    from nbhitl.checkpoint._once import OnceRow
    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.records import Frame

DELTA, FULL, CLASSIC = 0, 1, 2

DELTAS_A_WHOLE = 2
"""How many times as many bytes of deltas as of the whole state there may be before it is stored whole again."""


class Codec(Protocol):
    """Values to bytes and back."""

    def dumps(self, value: Any) -> bytes: ...
    def loads(self, data: bytes) -> Any: ...


class StepRow(NamedTuple):
    """A stored checkpoint; the fields are the columns of table `steps`.

    `base_id` is the row from which to fold (its own id if it holds the whole state), `depth` counts the rows
    from the thread's first and is the version of what changed here, `since` the bytes of deltas since the
    base and `size` its bytes before compression.
    """

    thread_id: str
    ns: str
    checkpoint_id: str
    parent_id: str | None
    created_at: str
    base_id: str
    depth: int
    since: int
    size: int
    metadata: bytes
    body: bytes

    @property
    def is_whole(self) -> bool:
        """Whether the row can be read without its parent."""
        return self.base_id == self.checkpoint_id


class WriteRow(NamedTuple):
    """A pending write; the fields are the columns of table `writes`."""

    thread_id: str
    ns: str
    checkpoint_id: str
    task_id: str
    idx: int
    name: str
    path: str
    channel: str
    value: bytes


_step_row, write_row = of_fields(StepRow), of_fields(WriteRow)


@slotted
class Tip:
    """What must be known of a checkpoint to store its child; `versions` is `{key: depth of its change}`."""

    checkpoint_id: str
    base_id: str
    depth: int
    since: int
    size: int
    versions: dict[str, int]


@slotted
class Body:
    """A row's body, decoded; see the module's docstring."""

    kind: int
    frame: Frame
    values: dict[str, Any]
    appended: dict[str, list[Any]] = made(factory=dict)
    removed: Sequence[str] = ()
    results: Sequence[list[Any]] = ()
    base: list[Any] | None = None
    edits: dict[str, Edits] | None = None

    def writes(self, row: StepRow) -> list[tuple[str, str, Any]]:
        """Return the results, of tasks of the parent of `row`, as `[(task_id, channel, value), ...]`.

        Raises:
            StoreError: the row is damaged.
        """
        try:
            return [
                (task_id, channel, value)
                for task_id, writes in ((_task_id(row, *task[:3]), task[3]) for task in self.results)
                for channel, value in self._written(writes)
            ]
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise unreadable(row, f"it is damaged: its results cannot be read ({error!r})") from error

    def tasks(self, row: StepRow) -> list[TaskWrites]:
        """Return the results by task; see `writes`."""
        try:
            return [
                TaskWrites(
                    _task_id(row, task_id, name, path),
                    name,
                    tuple(path or (PULL, name)),
                    [*self._written(writes)],
                )
                for task_id, name, path, writes in self.results
            ]
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise unreadable(row, f"it is damaged: its results cannot be read ({error!r})") from error

    def _written(self, writes: list[list[Any]]) -> Iterator[tuple[str, Any]]:
        for write in writes:
            if type(write[0]) is int:
                for channel in islice(self.values if self.base is None else self.base[1], write[0]):
                    yield channel, self.values[channel]
            elif len(write) < 3:
                yield write[0], write[1] if len(write) == 2 else None
            else:
                yield write[0], self._referred(*write)

    def _referred(self, channel: str, start: int | None, count: int | None) -> Any:
        if start is None:
            return self.values[channel]
        items = self._appended(channel)
        return items[start] if count is None else items[start : start + count]

    def _appended(self, channel: str) -> list[Any]:
        """What the step appended to a list; all of a list that is a new value."""
        if self.base is None and channel in self.appended:
            return self.appended[channel]
        items = cast("list[Any]", self.values[channel])
        count = len(items) if self.base is None else self.base[2].get(channel, len(items))
        return items[len(items) - count :]

    def as_full(self, values: dict[str, Any], versions: dict[str, int]) -> Body:
        """Return the same step with the whole state in it."""
        if self.kind != DELTA:
            return self
        counts = {key: len(items) for key, items in self.appended.items()}
        base = [versions, [*self.values, *(self.edits or ()), *counts], counts]
        return Body(FULL, self.frame, values, {}, self.removed, self.results, base)


def _task_id(row: StepRow, named: int | bytes | str, name: str, path: list[Any] | None) -> str:
    """The id of a task of the row's parent: as it is stored, or made from the step and the task's place."""
    if not isinstance(named, int):
        return unpacked(named)
    own = (PULL, name) if path is None else tuple(listed(path))
    return task_id(row.parent_id or "", row.ns, named, name, own)


def encode_step(record: StepRecord, tip: Tip | None, serde: Codec) -> tuple[StepRow, Tip]:
    """Return the row for a step, and the tip for its child. `tip` (the parent's) is used up.

    Raises:
        UnsupportedValue: a value that cannot be stored; the message names where it is.
    """
    checkpoint_id, is_snapshot = record.checkpoint_id, tip is None or tip.since >= DELTAS_A_WHOLE * tip.size
    if tip is None:
        tip = Tip(checkpoint_id, checkpoint_id, 0, 0, 0, {})
    tip.checkpoint_id = checkpoint_id
    tip.depth = depth = tip.depth + 1
    versions = tip.versions
    for key in record.removed:
        versions.pop(key, None)
    for key in chain(record.values, record.appended):
        versions[key] = depth
    if record.edits and not is_snapshot:
        body = _edited_body(record, versions, depth)
    else:
        body = _step_body(record, record.values, versions, depth, whole=is_snapshot)
    if bytearray in map(type, body[2].values()) and isinstance(serde, Serde):
        body[2] = with_buffers(body[2])
    try:
        data = serde.dumps(body)
        metadata = encode_metadata(record.metadata, serde)
    except UnsupportedValue as error:
        from nbhitl.checkpoint._unstorable import located

        raise located(record, serde, error) from None
    if body[0] == FULL:
        tip.base_id, tip.size, tip.since = checkpoint_id, len(data), 0
        if is_snapshot:
            data = compressed(data)
    else:
        tip.since += len(data)
    fields = (
        record.thread_id, record.ns, checkpoint_id, record.parent_id, spelled(record.created_at),
        tip.base_id, depth, tip.since, tip.size, metadata, data,
    )  # fmt: skip
    return _step_row(fields), tip


def _edited_body(record: StepRecord, versions: dict[str, int], depth: int) -> list[Any]:
    edits = record.edits or {}
    others = {key: value for key, value in record.values.items() if key not in edits}
    return [*_step_body(record, others, versions, depth, whole=False), edits]


def _step_body(
    record: StepRecord, values: dict[str, Any], versions: dict[str, int], depth: int, *, whole: bool
) -> list[Any]:
    appended, step = record.appended, record.metadata["step"]
    found: dict[str, int] = {}
    results = []
    for task in record.results:
        results.append(result_data(task, step, values, appended, found))
    frame, removed = frame_data(record.frame), [*record.removed] if record.removed else None
    if not whole:
        kind = DELTA if appended or len(values) != len(versions) else FULL
        return [kind, frame, values, appended or None, removed, results, None]
    counts = {key: len(items) for key, items in appended.items()} if appended else {}
    base = [versions, [*values, *counts], counts]
    # What has no version was never written, and what a reducer begins with is no part of a checkpoint; unless this is the
    # first row of a branch whose past is not known here.
    begins_anew = depth == 1 and record.parent_id is not None
    values = {key: value for key, value in record.full().items() if begins_anew or key in versions}
    for key in values:
        versions.setdefault(key, depth)
    return [FULL, frame, values, None, removed, results, base]


def decode_body(row: StepRow, serde: Codec) -> Body:
    """Return a row's body.

    Raises:
        StoreError: the bytes are damaged.
    """
    try:
        kind, frame, values, appended, removed, results, base, *more = serde.loads(decompressed(row.body))
        if appended or removed:
            for part in (*(appended or {}).values(), removed or []):
                listed(part)
        if results:
            listed(results)
        if base is not None:
            mapped(base[0])
        about, edits = decode_frame(frame), dict(*more) if more else None
        return Body(kind, about, mapped(values), appended or {}, removed or (), results or (), base, edits)
    except StoreError as error:
        raise unreadable(row, error) from error
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise unreadable(row, f"a stored step is damaged and cannot be read: {error}") from error


def unreadable(row: StepRow | WriteRow | Question | OnceRow, why: object) -> StoreError:
    """Return the error for a row whose bytes cannot be read, with the place of the row."""
    named = row._asdict()
    ns = f", namespace {named['ns']!r}" if named.get("ns") else ""
    if isinstance(row, StepRow):
        part = f"checkpoint {row.checkpoint_id}"
    elif isinstance(row, WriteRow):
        part = f"checkpoint {row.checkpoint_id}, node {row.name!r}, write to {row.channel!r}"
    elif "interrupt_id" in named:
        part = (
            f"checkpoint {named['checkpoint_id']}, node {named['node']!r}, question {named['interrupt_id']}"
        )
    else:
        part = f"once({named['key']!r})"
    text = str(why)
    if "damaged" in text and "Restore" not in text:  # else it says itself what to do
        text = f"{text.rstrip('.')}. Restore the store from a copy, or delete the thread."
    return StoreError(f"thread {row.thread_id!r}{ns}, {part}: {text}")


def decode_write(row: WriteRow, serde: Codec) -> Any:
    """Return the value of a pending write.

    Raises:
        StoreError: the bytes are damaged.
    """
    try:
        return serde.loads(row.value)
    except StoreError as error:
        raise unreadable(row, error) from error


def encode_body(body: Body, serde: Codec) -> bytes:
    """Return the bytes of a body; `decode_body` gives it back."""
    frame = frame_data(body.frame)
    more = [body.edits] if body.edits else []
    return serde.dumps(
        [body.kind, frame, body.values, body.appended, [*body.removed], [*body.results], body.base, *more]
    )


def encode_writes(
    key: tuple[str, str, str], task: TaskWrites, serde: Codec, special: Mapping[str, int]
) -> list[WriteRow]:
    """Return the rows of a task's pending writes; `special` has the index of each channel it has once.

    Raises:
        UnsupportedValue: a value that cannot be stored; the message names node and channel.
    """
    task_id, name, steps, writes = task
    path = f"{steps[0]}/{steps[1]}" if len(steps) == 2 else "/".join(map(str, steps))
    rows: list[WriteRow] = []
    try:
        for channel, value in writes:
            idx = special.get(channel, len(rows))
            rows.append(write_row((*key, task_id, idx, name, path, channel, serde.dumps(value))))
    except UnsupportedValue as error:
        raise UnsupportedValue(
            f"node {name!r}, write to {channel!r} (thread {key[0]!r}) cannot be saved: {error}."
        ) from None
    return rows
