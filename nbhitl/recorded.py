"""What a thread has on record: its checkpoints, writes and decisions as DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.review.drive import drive
from nbhitl.review.on_record import decisions_on_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from nbhitl.review.on_record import Decided
    from nbhitl.review.runner import Runner
    from nbhitl.review.session import ReviewSession


class Recorded:
    """What a GraphThread tells of its past; see `nbhitl.history`."""

    graph: Any
    config: Any
    thread_id: str
    session: ReviewSession
    _runner: Runner

    def history(self, *, values: bool | Sequence[str] = False, ids: bool = False) -> pd.DataFrame:
        """Return one row a checkpoint, oldest first; see `nbhitl.history.history_frame` for the columns.

        Args:
            values: True adds a column `state.<key>` for each state key, a list of names only those.
            ids: True adds ids and times, which differ from run to run.
        """
        from nbhitl.history import history_frame

        return history_frame(self.graph, self.config, decisions=self._decided(), values=values, ids=ids)

    def writes(self) -> pd.DataFrame:
        """Return one row a write; see `nbhitl.history.writes_frame`."""
        from nbhitl.history import writes_frame

        return writes_frame(self.graph, self.config)

    def decisions(self, *, ids: bool = False) -> pd.DataFrame:
        """Return one row a decision, by the time of deciding; see `nbhitl.history.decisions_frame` for the columns.

        Those of other kernels are told as the store has them; of a thread that runs on an event loop, only this kernel's
        are told.

        Args:
            ids: True adds who decided, when and how quickly, and the ids of what was asked.
        """
        from nbhitl.history import decisions_frame

        return decisions_frame(self._decided(), ids=ids)

    def diff(self, a: str, b: str) -> pd.DataFrame:
        """Return what differs between two checkpoints, named by label (`cp3`) or id."""
        from nbhitl.history import diff_frame, find_checkpoint, read_history

        rows = read_history(self.graph, self.config)
        return diff_frame(find_checkpoint(rows, a).snapshot, find_checkpoint(rows, b).snapshot)

    def _decided(self) -> list[Decided]:
        own = [(card.question, card.decision) for card in self.session.cards if card.decision is not None]
        if self._runner.loop is not None:
            return own
        return drive(self.graph, decisions_on_record(self.thread_id, own))
