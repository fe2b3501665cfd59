"""The newest checkpoints that were read last, so that reading one again while nothing has changed costs little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._recall import CONSTANT, is_constant_frame
from nbhitl.checkpoint.records import new_stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.checkpoint._rows import StepRow
    from nbhitl.checkpoint.records import StoredCheckpoint

_KEPT = 64


class Reread:
    """Checkpoints without pending writes whose values cannot be changed, by thread and namespace.

    A checkpoint is kept together with the very row that it was read from: the store gives the same row again
    only if that has not changed.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[StepRow, StoredCheckpoint]] = {}

    def again(self, thread: str, ns: str, row: StepRow) -> StoredCheckpoint | None:
        """Return what `keep` was given with this row, for somebody who may change it; None if nothing was."""
        known = self._kept.get((thread, ns))
        return _copied(known[1]) if known is not None and known[0] is row else None

    def keep(self, thread: str, ns: str, row: StepRow, stored: StoredCheckpoint) -> None:
        """Keep a checkpoint, if it can be copied quickly."""
        rest = (value for name, value in stored.metadata.items() if name != "parents")
        if stored.writes or not is_constant_frame(stored.frame):
            return
        if _constant(stored.values.values()) and _constant(rest):
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[thread, ns] = row, _copied(stored)


def _constant(values: Iterable[Any]) -> bool:
    return all(type(value) in CONSTANT for value in values)


def _copied(stored: StoredCheckpoint) -> StoredCheckpoint:
    metadata = dict(stored.metadata)
    if "parents" in metadata:
        metadata["parents"] = dict(metadata["parents"])
    return new_stored(
        stored.thread_id, stored.ns, stored.checkpoint_id, stored.parent_id, stored.created_at, metadata,
        stored.frame, dict(stored.values), [],
    )  # fmt: skip
