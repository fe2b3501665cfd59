"""Stored steps in LangGraph's shape, and checkpoints of that shape as steps. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint._fold import DAMAGE, damaged
from nbhitl.checkpoint._rows import CLASSIC, Body
from nbhitl.checkpoint.base import LATEST_VERSION, CheckpointTuple, saver_config
from nbhitl.checkpoint.records import Frame
from nbhitl.constants import CHILDREN, SCHEDULED, START, TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint._fold import Folded
    from nbhitl.checkpoint.base import Checkpoint, CheckpointMetadata, PendingWrite

_TRIGGER, _JOIN = "branch:to:", "join:"


def checkpoint_tuple(
    folded: Folded, metadata: dict[str, Any], writes: Sequence[PendingWrite]
) -> CheckpointTuple:
    """Return a stored step as LangGraph shows a checkpoint.

    Raises:
        StoreError: the row is damaged.
    """
    row = folded.row
    try:
        checkpoint = _checkpoint(folded)
    except DAMAGE as error:
        raise damaged(row) from error
    return CheckpointTuple(
        saver_config(row.thread_id, row.ns, row.checkpoint_id),
        checkpoint,
        cast("CheckpointMetadata", metadata),
        saver_config(row.thread_id, row.ns, row.parent_id) if row.parent_id else None,
        _shown(folded, writes),
    )


def _shown(folded: Folded, writes: Sequence[PendingWrite]) -> list[PendingWrite]:
    """Return the writes that LangGraph's interface shows: without the engine's own counts of starts.

    What came in through that interface goes out as it came: an engine above a wrapped saver counts there.
    """
    if folded.body.kind == CLASSIC:
        return list(writes)
    return [write for write in writes if write[1] != SCHEDULED]


def _checkpoint(folded: Folded) -> Checkpoint:
    row, body, values, versions = folded
    if body.kind == CLASSIC:
        rest = cast("list[dict[str, Any]]", body.base)[0]
        return cast("Checkpoint", {**rest, "channel_values": values})
    extra = _frame_channels(body.frame)
    changed = body.base[1] if body.base else [*body.values, *body.appended, *(body.edits or ())]
    return {
        "v": LATEST_VERSION,
        "ts": row.created_at,
        "id": row.checkpoint_id,
        "channel_values": values | extra,
        "channel_versions": {**versions, **dict.fromkeys(extra, row.depth)},
        "versions_seen": {name: {} for name in body.frame.writers},
        "updated_channels": sorted({*changed, *extra}),
    }


def _frame_channels(frame: Frame) -> dict[str, Any]:
    channels: dict[str, Any] = dict.fromkeys(frame.triggers)
    channels |= frame.channels
    if START in channels or frame.start is not None:
        channels[START] = frame.start
    if frame.sends:
        channels[TASKS] = list(frame.sends)
    if frame.children:
        channels[CHILDREN] = frame.children
    return channels


def classic_body(checkpoint: Checkpoint) -> Body:
    """Return the body that holds a checkpoint as it was given to `put`."""
    rest = {key: value for key, value in checkpoint.items() if key != "channel_values"}
    return Body(CLASSIC, Frame(), checkpoint["channel_values"], base=[rest])


def classic_parts(
    body: Body, channels: dict[str, Any], writes: Sequence[PendingWrite]
) -> tuple[dict[str, Any], Frame, list[PendingWrite]]:
    """Return the state, the frame and the pending writes of a checkpoint that was `put`.

    What an engine of nbhitl's has made plain for another saver, which handed it on, is as it was before.
    """
    from nbhitl.checkpoint.plain_forms import from_plain

    rest = cast("list[dict[str, Any]]", body.base)[0]
    triggers = [key for key, value in channels.items() if _is_trigger(key, value)]
    waiting = {
        key: value
        for key, value in channels.items()
        if key.startswith(_JOIN) or (key.startswith(_TRIGGER) and value is not None)
    }
    frame = Frame(
        triggers=tuple(triggers),
        sends=tuple(from_plain(TASKS, send) for send in channels.get(TASKS) or ()),
        channels=waiting,
        start=channels.get(START),
        writers=tuple(rest.get("versions_seen") or ()),
        children=channels.get(CHILDREN) or {},
    )
    inner = {*triggers, *waiting, TASKS, START, CHILDREN}
    return (
        {key: value for key, value in channels.items() if key not in inner},
        frame,
        [(task, channel, from_plain(channel, value)) for task, channel, value in writes],
    )


def _is_trigger(key: str, value: Any) -> bool:
    return key == START or (key.startswith(_TRIGGER) and value is None)
