"""Errors of a store: the thread that they are about, and that what ran before them has happened unsaved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from nbhitl.engine.instructions import StoreCall
    from nbhitl.engine.running import Run

_MARK = "_nbhitl_unsaved"


def note_failure(run: Run, call: StoreCall, error: Exception) -> None:
    """Note with the error of a store the thread, and if results of a called graph were not saved."""
    thread = repr(run.thread_id)
    if type(error) is StoreError and run.thread_id is not None and thread not in str(error):
        error.args = (
            f"{error} This was about thread {thread}.",
        )  # it was refused before it knew what it was for
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
