"""A step's frame as it stands in a row's body: `[triggers, writers, sends, channels, start, children]`. Pure."""

from __future__ import annotations

from typing import Any

from nbhitl.checkpoint.records import Frame
from nbhitl.checkpoint.serde.plain import listed

_NO_FRAME: tuple[Any, ...] = ([], [], [], None, None, None)


def frame_data(frame: Frame) -> list[Any] | None:
    """The fields of a frame, without those at the end that are empty."""
    if frame.children or frame.sends or frame.channels or frame.start is not None:
        parts = [list(frame.triggers), list(frame.writers), list(frame.sends), frame.channels, frame.start]
        return [*parts, frame.children] if frame.children else parts
    if frame.writers:
        return [list(frame.triggers), list(frame.writers)]
    return [list(frame.triggers)] if frame.triggers else None


def decode_frame(data: list[Any] | None) -> Frame:
    """Return the frame that was stored as these fields."""
    if data is None:
        return Frame()
    triggers, writers, sends, channels, start, children = (*data, *_NO_FRAME[len(data) :])
    triggers, writers, sends = (tuple(listed(part)) for part in (triggers, writers, sends))
    return Frame(triggers, sends, channels or {}, start, writers, children or {})
