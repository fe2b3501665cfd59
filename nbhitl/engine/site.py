"""Where in a node's code a question is asked."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_ENGINE = "nbhitl.engine."


def caller() -> str:
    """Return `file:line` of the code that called `interrupt()`, as an error shows it."""
    frame = next(_users(sys._getframe(1)))
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def site() -> str:
    """Return the functions of the node that led to `interrupt()`, innermost first, with the line in each.

    Such as `"confirm+2 < pay+5"`. Lines count from the top of their function and files are not named, so that
    a change elsewhere in a file, or another kernel, makes no difference. Calls within Python's own library and
    installed packages are left out: they are others for a sync and an async run.
    """
    frames = _users(sys._getframe(1))
    first = next(frames)
    installed = _installed()
    chain = [first, *(f for f in frames if not f.f_code.co_filename.startswith(installed))]
    return " < ".join(f"{f.f_code.co_qualname}+{f.f_lineno - f.f_code.co_firstlineno}" for f in chain)


def _users(frame: FrameType) -> Iterator[FrameType]:
    """Go up from `interrupt()` to what the engine called: the frames that are not nbhitl's."""
    found = False
    here: FrameType | None = frame
    while here is not None and not (found and _module(here).startswith(_ENGINE)):
        if not _module(here).startswith("nbhitl."):
            found = True
            yield here
        here = here.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


@cache
def _installed() -> tuple[str, ...]:
    from sysconfig import get_path

    return tuple({get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
