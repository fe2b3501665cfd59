"""The newest steps with their pending writes, as they were read or saved last: what need not be read again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint._rows import StepRow, WriteRow

    Found = tuple[StepRow, Sequence[WriteRow]]

_KEPT = 64


class Newest:
    """What is newest in each namespace. It holds as long as the mark with which it was read, which tells of all changes
    but those that this is told of; whoever uses it keeps others from changing anything meanwhile.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[object, Found | None]] = {}

    def at(self, thread: str, ns: str, mark: object) -> tuple[object, Found | None] | None:
        """Return what `keep` was given with this mark, and what has become of it; None if nothing was."""
        known = self._kept.get((thread, ns))
        return known if known is not None and known[0] == mark else None

    def keep(self, thread: str, ns: str, mark: object, found: Found | None) -> None:
        """Keep what was read: a step and its pending writes, or that there is none."""
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[thread, ns] = mark, found

    def forget(self) -> None:
        """Forget everything: steps or writes were deleted or replaced."""
        self._kept.clear()

    def added(self, row: StepRow) -> None:
        """Take notice of a new step."""
        known = self._kept.get(row[:2])
        if known is None:
            return
        mark, found = known
        if (found is None and row.parent_id is None) or (found is not None and _follows(found[0], row)):
            self._kept[row[:2]] = mark, (row, ())
        else:
            del self._kept[row[:2]]

    def wrote(self, rows: Sequence[WriteRow]) -> None:
        """Take notice of pending writes, which are there beside others of theirs or instead of them."""
        for row in rows:
            known = self._kept.get(row[:2])
            if known is None or known[1] is None:
                continue
            mark, (step, writes) = known[0], known[1]
            if step.checkpoint_id == row.checkpoint_id:
                merged = _merged(writes, row)
                if merged is None:
                    del self._kept[row[:2]]
                else:
                    self._kept[row[:2]] = mark, (step, merged)


def _follows(step: StepRow, row: StepRow) -> bool:
    """Whether a step below another one is the newest then."""
    return row.parent_id == step.checkpoint_id and row.checkpoint_id > step.checkpoint_id


def _merged(writes: Sequence[WriteRow], new: WriteRow) -> Sequence[WriteRow] | None:
    """One task's writes in the order of their indexes, of those below 0 the last; None if several tasks have written."""
    merged = {}
    for row in writes:
        if row.task_id != new.task_id:
            return None
        merged[row.idx] = row
    if new.idx < 0 or new.idx not in merged:
        merged[new.idx] = new
    return [merged[idx] for idx in sorted(merged)]
