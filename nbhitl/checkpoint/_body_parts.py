"""The parts of a row's body: the frame, and what tasks wrote, as `_rows` tells it. Pure."""

from __future__ import annotations

from itertools import chain, islice
from operator import is_
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._ids import packed
from nbhitl.checkpoint.records import Frame
from nbhitl.checkpoint.serde.plain import listed, mapped
from nbhitl.constants import PULL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint.records import TaskWrites

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
    """Return the frame that was stored as these fields.

    Raises:
        TypeError, ValueError: they are none.
    """
    if data is None:
        return Frame()
    triggers, writers, sends, channels, start, children = (*data, *_NO_FRAME[len(data) :])
    triggers, writers = tuple(names(triggers)), tuple(names(writers))
    if children:
        names([*children, *mapped(children).values()])
    return Frame(triggers, tuple(listed(sends)), mapped(channels or {}), start, writers, children or {})


def names(part: Any) -> list[str]:
    """Return the names of channels or nodes that a part of a frame holds.

    Raises:
        TypeError: it is something else.
    """
    found = listed(part)
    for name in found:
        if type(name) is not str:
            raise TypeError(f"there is a {type(name).__name__} in the place of a name")
    return found


def result_data(
    task: TaskWrites, step: int, values: dict[str, Any], appended: dict[str, list[Any]], found: dict[str, int]
) -> list[Any]:
    """A task's writes, with references for what the step stores anyway: its new values and appended items.

    `found` is where among the appended items of each key the next write is likely to be: writes were applied
    in the order of the tasks.
    """
    task_id, name, path, pairs = task
    writes: list[list[Any]] = []
    if len(values) > 1 and _begins_with(pairs, values):
        writes.append([len(values)])
        pairs = pairs[len(values) :]
    for channel, value in pairs:
        if value is None:
            writes.append([channel])
        elif channel in values and values[channel] is value:
            writes.append([channel, None, None])
        elif channel in appended:
            writes.append(_appended_ref(channel, value, appended[channel], found) or [channel, value])
        elif type(value) is list and value and _are_the_items(value, values.get(channel)):
            writes.append([channel, 0, len(value)])
        else:
            writes.append([channel, value])
    place = None if path == (PULL, name) else list(path)
    return [packed(task_id) if task_id else step, name, place, writes]


def _begins_with(pairs: Sequence[tuple[str, Any]], values: dict[str, Any]) -> bool:
    """Whether the first writes are all of the new values, in their order."""
    if len(pairs) < len(values):
        return False
    for (channel, value), (key, new) in zip(pairs, values.items(), strict=False):
        if value is not new or channel != key:
            return False
    return True


def _are_the_items(written: list[Any], new: Any) -> bool:
    """Whether a new value is a list of what was written, as in the first turn of a chat."""
    return type(new) is list and len(new) == len(written) and all(map(is_, written, new))


def _appended_ref(channel: str, value: Any, items: list[Any], found: dict[str, int]) -> list[Any] | None:
    """Where among the appended items a write is found, by identity: a run of them, or one."""
    one = type(value) is not list
    run = [value] if one else value
    if not run:
        return None
    if len(run) == len(items) and all(map(is_, run, items)):  # one task appended it all: nearly always so
        return [channel, 0, None if one else len(run)]
    likely, last = found.get(channel, 0), len(items) - len(run)
    for start in chain(range(likely, last + 1), range(min(likely, last + 1))):
        if all(a is b for a, b in zip(islice(items, start, None), run, strict=False)):
            found[channel] = start + len(run)
            return [channel, start, None if one else len(run)]
    return None
