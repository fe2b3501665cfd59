"""What the savers in SQLite have in common: steps that wait a moment to be written together."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from nbhitl.checkpoint.sqlite._beside import SqliteRows
from nbhitl.checkpoint.steps import StepSaver

if TYPE_CHECKING:
    from nbhitl.checkpoint.serde import SerializerProtocol
    from nbhitl.checkpoint.sqlite._database import Database
    from nbhitl.checkpoint.sqlite._group import Values


class WaitingSaver(StepSaver):
    """A saver over a database in which steps may wait; see `SqliteSaver`."""

    filters_by_path = True

    def __init__(self, database: Database, serde: SerializerProtocol | None) -> None:
        self._database = database
        self._table = SqliteRows(database)
        super().__init__(self._table, serde=serde)
        database.waiting.owner = weakref.ref(self)

    def flush(self) -> None:
        """Write the steps that wait to be written; see the class.

        Raises:
            StoreError: they cannot be written.
        """
        self._database.write_waiting()

    def settle_row(self, row: Values) -> None:
        """Move the live questions of a step's thread on; within the transaction that added the step."""
        step = self._table.read_row(row)
        source = self._metadata_of(step).get("source")
        self._rows.settle_step(step.thread_id, step.ns, step.parent_id, source, step.checkpoint_id)

    def forget_thread(self, thread: str) -> None:
        """Forget what is known of a thread that somebody else deleted."""
        self._forget(thread)
