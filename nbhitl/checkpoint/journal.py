"""Which journal of effects belongs to a checkpointer: its own, or one kept beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.companion import companion_of

if TYPE_CHECKING:
    from nbhitl.checkpoint.steps import StepSaver

__all__ = ["journal_of"]


def journal_of(checkpointer: Any) -> StepSaver:
    """Return what keeps the journal of `once()` for a checkpointer: `once_entries`, `settle_once`, `forget_once`.

    nbhitl's savers keep their own. For LangGraph's SQLite savers it is in a file beside theirs, for others in this
    process, for as long as the saver lives.
    """
    return companion_of(checkpointer)
