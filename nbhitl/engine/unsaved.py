"""Errors of a store in a called graph: what ran before them has happened, although nothing tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbhitl.engine.instructions import StoreCall
    from nbhitl.engine.running import Run

_MARK = "_nbhitl_unsaved"


def note_unsaved(run: Run, call: StoreCall, error: Exception) -> None:
    """Note with the error of a store that results of a called graph were not saved."""
    if run.parent is not None and call.method.startswith("put_"):
        setattr(error, _MARK, True)


def left_unsaved(error: BaseException | None) -> bool:
    """Whether a node's error is, or comes from, one of a store that lost what a called graph had done."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if getattr(error, _MARK, False):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
