"""What a thread has on record: its checkpoints, writes and decisions as DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from nbhitl.review.decisions import Decision
    from nbhitl.review.session import ReviewSession


class Recorded:
    """What a GraphThread tells of its past; see `nbhitl.history`."""

    graph: Any
    config: Any
    session: ReviewSession

    def history(self, **columns: Any) -> pd.DataFrame:
        """Return one row a checkpoint, oldest first; see `nbhitl.history.history_frame`."""
        from nbhitl.history import history_frame

        return history_frame(self.graph, self.config, decisions=self._pairs(), **columns)

    def writes(self) -> pd.DataFrame:
        """Return one row a write; see `nbhitl.history.writes_frame`."""
        from nbhitl.history import writes_frame

        return writes_frame(self.graph, self.config)

    def decisions(self, **columns: Any) -> pd.DataFrame:
        """Return one row a decision made in this session; see `nbhitl.history.decisions_frame`."""
        from nbhitl.history import decisions_frame

        return decisions_frame(self._pairs(), **columns)

    def diff(self, a: str, b: str) -> pd.DataFrame:
        """Return what differs between two checkpoints, named by label (`cp3`) or id."""
        from nbhitl.history import diff_frame, find_checkpoint, read_history

        rows = read_history(self.graph, self.config)
        return diff_frame(find_checkpoint(rows, a).snapshot, find_checkpoint(rows, b).snapshot)

    def _pairs(self) -> list[tuple[Any, Decision]]:
        return [(card.question, card.decision) for card in self.session.cards if card.decision is not None]
