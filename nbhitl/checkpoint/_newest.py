"""The newest steps with their pending writes, as they were read or saved last: what need not be read again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._answers import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint._rows import StepRow, WriteRow

    Found = tuple[StepRow, Sequence[WriteRow]]
    Kept = tuple[
        object, Found | None, list[WriteRow]
    ]  # the mark, what was found, and the writes that came since
    Space = tuple[str, str]

_KEPT = 64
_NOTHING: Kept = None, None, []


class Newest:
    """What is newest in each namespace. It holds as long as the mark with which it was read, which tells of all changes
    but those that this is told of; whoever uses it keeps others from changing anything meanwhile.
    """

    def __init__(self) -> None:
        # By thread and namespace: mark, what was found, and the writes of the step that came since.
        self._kept: dict[tuple[str, str], Kept] = {}

    def at(self, thread: str, ns: str, mark: object) -> tuple[Found | None] | None:
        """Return in a tuple what `keep` was given with this mark, and what has become of it; None if nothing was."""
        known = self._kept.get((thread, ns))
        if known is None or known[0] != mark:
            return None
        _, found, since = known
        if found is None or not since:
            return (found,)
        writes = merged(found[1], since)
        if writes is None:
            del self._kept[thread, ns]
            return None
        found = (found[0], writes)
        self._kept[thread, ns] = mark, found, []
        return (found,)

    def unproved(self, thread: str, ns: str) -> Found | None:
        """Return what `at` would return if nobody else has changed anything since it was kept."""
        known = self._kept.get((thread, ns))
        held = None if known is None else self.at(thread, ns, known[0])
        return None if held is None else held[0]

    def keep(self, thread: str, ns: str, mark: object, found: Found | None) -> None:
        """Keep what was read: a step and its pending writes, or that there is none."""
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[thread, ns] = mark, found, []

    def forget(self) -> None:
        """Forget everything: steps or writes were deleted or replaced."""
        self._kept.clear()

    def leave(self, space: Space) -> Kept | None:
        """Forget what is newest where a step is about to be added; return what `follow` wants once it is there.

        So nothing outdated is kept if Ctrl-C comes just after the step was saved.
        """
        return self._kept.pop(space, None)

    def follow(self, space: Space, left: Kept, row: StepRow, own: Any, parent: Any) -> None:
        """Take notice of a new step. `own` and `parent` are its id and its parent's as they are stored, and sorted there:
        those that are no UUIDs otherwise.
        """
        mark, found, _ = left
        if found is None:
            is_newest = row.parent_id is None
        else:
            is_newest = row.parent_id == found[0].checkpoint_id and type(own) is type(parent) and own > parent
        if is_newest:
            self._kept[space] = mark, (row, ()), []

    def is_at(self, space: Space, checkpoint_id: str) -> bool:
        """Whether this step is newest, as far as is known: others may have changed that."""
        found = self._kept.get(space, _NOTHING)[1]
        return found is not None and found[0].checkpoint_id == checkpoint_id

    def come_back(self, space: Space, left: Kept, row: WriteRow | None) -> None:
        """Go on where `leave` has left, with a pending write that was added meanwhile: its list goes on that of the same
        task and index.
        """
        self._kept[space] = left
        if row is not None and self.is_at(space, row.checkpoint_id):
            before = self.value(space, row.task_id, row.idx)
            left[2].append(row if before is None else row._replace(value=joined([before, row.value])))

    def value(self, space: Space, task_id: str, idx: int) -> bytes | None:
        """Return what that task has written there, as far as is known; None if nothing is."""
        _, found, since = self._kept.get(space, _NOTHING)
        for write in reversed((*found[1], *since) if found is not None else ()):
            if write[3:5] == (task_id, idx):
                return write.value
        return None

    def wrote(self, rows: Sequence[WriteRow]) -> None:
        """Take notice of pending writes, which are there beside others of theirs or instead of them."""
        for row in rows:
            _, found, since = self._kept.get(row[:2], _NOTHING)
            if found is not None and found[0].checkpoint_id == row.checkpoint_id:
                since.append(row)


def merged(writes: Sequence[WriteRow], since: Sequence[WriteRow]) -> Sequence[WriteRow] | None:
    """Return one task's writes in the order of their indexes, of those below 0 the last; None if several have written."""
    task = since[0].task_id
    by_idx: dict[int, WriteRow] = {}
    for row in (*writes, *since):
        if row.task_id != task:
            return None
        if row.idx < 0 or row.idx not in by_idx:
            by_idx[row.idx] = row
    return [by_idx[idx] for idx in sorted(by_idx)]
