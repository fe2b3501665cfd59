"""Pauses that user code caught: which one, where it was asked, and where it was caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.errors import SwallowedInterrupt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from nbhitl.engine.running import RunningTask
    from nbhitl.errors import GraphInterrupt


def swallowed(running: RunningTask, pause: GraphInterrupt) -> SwallowedInterrupt:
    """Return the error for a pause that never reached the engine, for this task and those that called its graph."""
    above = running.run.parent
    while above is not None:
        # Should a caller catch this error as well, it has swallowed the question.
        above.paused = pause
        above = above.run.parent
    return SwallowedInterrupt(
        f"Node {running.task.name!r} asked a person{_where(pause)} and went on. Let the pause pass: in `except "
        "Exception`, `suppress` or a retry wrapper, raise GraphInterrupt again, or move the interrupt() out of the "
        "block."
    )


def swallowed_before(running: RunningTask, pause: GraphInterrupt) -> GraphInterrupt | None:
    """Return a pause that code caught on its way to the one that reached the engine, or None.

    Calls side by side may pause as well, and are asked when they start again. A pause was swallowed if the code
    that caught it is the code that went on to the later one.
    """
    if running.earlier is None:
        return None
    passed = {id(entry.tb_frame) for entry in _entries(pause.__traceback__)}
    asked = {question.id for question in pause.args[0]} if pause.args else set()
    for before in running.earlier:
        if before is pause:
            return None
        first = next(_entries(before.__traceback__), None)
        told = {question.id for question in before.args[0]} <= asked
        if first is not None and id(first.tb_frame) in passed and not told:
            return before
    return None


def note_swallowed(running: RunningTask, error: Exception) -> None:
    """Add to a node's error that it had paused before, and where that was caught."""
    if running.paused is not None and not isinstance(error, SwallowedInterrupt):
        error.add_note(f"Before this, node {running.task.name!r} asked a person{_where(running.paused)}.")


def _where(pause: GraphInterrupt) -> str:
    entries = list(_entries(pause.__traceback__))
    if not entries:
        return ", caught the pause itself"
    asked, caught = (f"{e.tb_frame.f_code.co_filename}:{e.tb_lineno}" for e in (entries[-1], entries[0]))
    function = entries[0].tb_frame.f_code.co_name
    return f" at {asked}, caught the pause itself at {caught} (in {function!r})"


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """Yield a traceback's entries outside of nbhitl, from where it was caught to where it was raised."""
    while traceback is not None:
        if not str(traceback.tb_frame.f_globals.get("__name__", "")).startswith("nbhitl."):
            yield traceback
        traceback = traceback.tb_next
