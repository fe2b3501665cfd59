"""What checkpoints are stamped with: an id that grows, and the time."""

from __future__ import annotations

import os
import time
from threading import Lock

_id_lock = Lock()
_window = (0, "", (1 << 12) - 1)
"""Of the ids made last: the nanoseconds since 1970 at which the 4,096 ticks began that share the beginning of their ids,
that beginning, and the last of these ticks. To make it anew is half of an id's cost.
"""
_id_end = ""
_BEFORE_1970 = 0x01B21DD213814000
"""Ticks of 100 nanoseconds from 1582, where version 6 begins to count, to 1970."""
_HEX_DIGITS, _HEX_PAIRS = "0123456789abcdef", [f"{number:02x}" for number in range(256)]


def _draw_id_end() -> None:
    """Give this process its own end of every id: ids of one process differ in time, those of two in this."""
    global _id_end  # noqa: PLW0603 - drawn once a process
    drawn = int.from_bytes(os.urandom(8))
    _id_end = f"{0x8000 | drawn >> 50:04x}-{drawn & 0xFFFFFFFFFFFF:012x}"


_draw_id_end()
os.register_at_fork(after_in_child=_draw_id_end)


def new_checkpoint_id(clock_ns: int | None = None) -> str:
    """Return a fresh id: a version 6 UUID, so that later ids are greater as strings.

    Args:
        clock_ns: nanoseconds since 1970, read from the clock if not given. Two ids made by one process are
            never made of the same time.
    """
    return new_stamp(clock_ns)[0]


def new_stamp(clock_ns: int | None = None) -> tuple[str, int]:
    """Return a fresh id, as `new_checkpoint_id`, and when it was made: nanoseconds since 1970, for `spelled`."""
    global _window  # noqa: PLW0603 - the one clock of this process
    now = time.time_ns() if clock_ns is None else clock_ns
    with _id_lock:
        began, text, last = _window
        tick = (now - began) // 100
        if tick <= last:
            tick = last + 1
        if tick >= 1 << 12:
            began, text, tick = _window_at(began // 100 + tick + _BEFORE_1970)
        _window = (began, text, tick)
    return f"{text}{_HEX_DIGITS[tick >> 8]}{_HEX_PAIRS[tick & 0xFF]}-{_id_end}", now


def _window_at(ticks: int) -> tuple[int, str, int]:
    """Return the window of an id that is made so many ticks after 1582."""
    high = ticks >> 12
    return ((high << 12) - _BEFORE_1970) * 100, f"{high >> 16:08x}-{high & 0xFFFF:04x}-6", ticks & 0xFFF


_LENGTH, _VERSION = 36, 14
_LATEST = (1 << 60) - (1 << 40)
"""Some thirty hours before the last time that an id can tell, in the year 5236."""


def catch_up(checkpoint_id: str) -> None:
    """Make the ids of this process greater than one that it has found in a store, from here on.

    Its maker's clock may go before this one's, or this one may have been put back: a checkpoint whose id is less than
    its parent's would never be the newest of its thread, and what it holds would be lost to sight.
    """
    global _window  # noqa: PLW0603 - as above
    if checkpoint_id <= _window[1] or len(checkpoint_id) != _LENGTH or checkpoint_id[_VERSION] != "6":
        return
    try:
        ticks = int(f"{checkpoint_id[:8]}{checkpoint_id[9:13]}{checkpoint_id[15:18]}", 16)
    except ValueError:
        return  # somebody's own id
    with _id_lock:
        began, _, last = _window
        if began // 100 + last + _BEFORE_1970 < ticks < _LATEST:
            _window = _window_at(ticks)


_A_SECOND = 1_000_000_000
_second = (-_A_SECOND, "")
"""When the second began that was told last, in nanoseconds since 1970, and the text of it."""


def utc_now() -> str:
    """Return the time as savers keep it: UTC, ISO 8601, microseconds."""
    return spelled(time.time_ns())


def spelled(at: str | int) -> str:
    """Return a time of nanoseconds since 1970 as `utc_now` tells it; one that is told so already as it is."""
    if isinstance(at, str):
        return at
    began, second = _second
    if not 0 <= at - began < _A_SECOND:
        began, second = _second_at(at)
    # Six digits, whatever their number.
    return f"{second}{str((at - began) // 1000 + 1_000_000)[1:]}+00:00"


def _second_at(now: int) -> tuple[int, str]:
    """Return the second of a moment, and remember it: its text changes once a second."""
    global _second  # noqa: PLW0603 - as above
    began = now - now % _A_SECOND
    told = began, time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(began // _A_SECOND))
    _second = told
    return told  # not what is remembered, which another thread may have changed by now
