"""Where the effects of `once()` in a run are noted."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from nbhitl.engine.foreign import ForeignSaver

if TYPE_CHECKING:
    from nbhitl.checkpoint.steps import StepSaver
    from nbhitl.engine.running import Run

_lock = Lock()


def journal_of_run(run: Run) -> tuple[StepSaver, str]:
    """Return the journal of a run and the name of its thread.

    Graphs that a node calls write to the journal of the outermost graph that keeps the same thread. Without a
    saver the journal is the run's, and ends with it.
    """
    # Loaded by the first once(): a graph that never calls it need not import a saver.
    from nbhitl.checkpoint.journal import journal_of
    from nbhitl.checkpoint.memory import InMemorySaver

    outermost = run
    while (above := outermost.parent) is not None and _same_thread(above.run, outermost):
        outermost = above.run
    saver = outermost.saver
    if saver is not None:
        return journal_of(
            saver.saver if isinstance(saver, ForeignSaver) else saver
        ), outermost.thread_id or ""
    with _lock:
        if outermost.journal is None:
            outermost.journal = InMemorySaver()
        return outermost.journal, outermost.thread_id or ""


def _same_thread(above: Run, below: Run) -> bool:
    """A called graph with a thread of its own has a journal of its own."""
    return below.saver is None or (above.saver is not None and above.thread_id == below.thread_id)
