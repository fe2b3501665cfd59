"""Which journal of effects belongs to a checkpointer: its own, or one kept beside it in this process."""

from __future__ import annotations

from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.steps import StepSaver

__all__ = ["journal_of"]

_beside: WeakKeyDictionary[Any, StepSaver] = WeakKeyDictionary()
_lock = Lock()


def journal_of(checkpointer: Any) -> StepSaver:
    """Return what keeps the journal of `once()` for a checkpointer: `once_entries`, `settle_once`, `forget_once`.

    nbhitl's savers keep their own. For others it is kept in this process, for as long as the saver lives.
    """
    if isinstance(checkpointer, StepSaver):
        return checkpointer
    with _lock:
        found = _beside.get(checkpointer)
        if found is None:
            found = _beside[checkpointer] = InMemorySaver()
        return found
