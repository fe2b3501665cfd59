"""The newest steps with their pending writes, as they were read or saved last: what need not be read again. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._answers import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbhitl.checkpoint._rows import StepRow, WriteRow

    Found = tuple[StepRow, Sequence[WriteRow]]
    Place = tuple[str, str, str]
    Space = tuple[str, str]

_KEPT = 64
_UNSORTED = 100
"""Writes that wait to be put in order until somebody wants to know them."""


class Known:
    """What is newest in a namespace: the `mark` with which it was read, its step (None: there is none), and its writes.

    `since` are the writes that came since `writes` were read, the list of one that is in `parts` goes on the list that
    is there; `changes` counts them all. `answers` is how many answers tasks have been given and which question the
    last one is for, as far as it is known.
    """

    __slots__ = ("answers", "changes", "mark", "parts", "row", "since", "writes")

    def __init__(self, mark: object, row: StepRow | None, writes: Sequence[WriteRow] = ()) -> None:
        self.mark = mark
        self.row = row
        self.writes = writes
        self.since: list[WriteRow] = []
        self.parts: set[int] = set()
        self.changes = 0
        self.answers: dict[str, tuple[int, str]] = {}

    def add(self, rows: Sequence[WriteRow], *, as_part: bool = False) -> None:
        """Take notice of more writes."""
        if as_part:
            self.parts.add(len(self.since))
        self.since.extend(rows)
        self.changes += 1

    def is_sorted(self) -> bool:
        """Put `since` in order among the writes; False if that cannot be done, since several tasks have written."""
        if self.since:
            writes = merged(self.writes, self.since, self.parts)
            if writes is None:
                return False
            self.writes, self.since, self.parts = writes, [], set()
        return True


class Newest:
    """What is newest in each namespace. It holds as long as the mark with which it was read, which tells of all changes
    but those that this is told of; whoever uses it keeps others from changing anything meanwhile.
    """

    def __init__(self) -> None:
        self._kept: dict[Space, Known] = {}

    def at(self, thread: str, ns: str, mark: object) -> tuple[Found | None] | None:
        """Return in a tuple what `keep` was given with this mark, and what has become of it; None if nothing was."""
        known = self._kept.get((thread, ns))
        if known is None or known.mark != mark:
            return None
        if known.row is None:
            return (None,)
        if not known.is_sorted():
            del self._kept[thread, ns]
            return None
        return ((known.row, known.writes),)

    def standing(self, thread: str, ns: str) -> tuple[StepRow, object] | None:
        """Return the newest step and what is equal as long as its writes are the same, if others have changed nothing."""
        known = self._kept.get((thread, ns))
        return None if known is None or known.row is None else (known.row, (known, known.changes))

    def mark_at(self, thread: str, ns: str) -> Any:
        """Return the mark with which what is newest was read; None if nothing was."""
        known = self._kept.get((thread, ns))
        return None if known is None else known.mark

    def keep(self, thread: str, ns: str, mark: object, found: Found | None) -> None:
        """Keep what was read: a step and its pending writes, or that there is none."""
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[thread, ns] = Known(mark, *(found or (None,)))

    def forget(self) -> None:
        """Forget everything: steps or writes were deleted or replaced."""
        self._kept.clear()

    def leave(self, space: Space) -> Known | None:
        """Forget what is newest where a step is about to be added; return what `follow` wants once it is there.

        So nothing outdated is kept if Ctrl-C comes just after the step was saved.
        """
        return self._kept.pop(space, None)

    def follow(self, space: Space, left: Known, row: StepRow, own: Any, parent: Any) -> None:
        """Take notice of a new step. `own` and `parent` are its id and its parent's as the store sorts them: UUIDs as
        bytes, other ids as text, so only two of a kind can be compared.
        """
        if left.row is None:
            is_newest = row.parent_id is None
        else:
            is_newest = row.parent_id == left.row.checkpoint_id and type(own) is type(parent) and own > parent
        if is_newest:
            if left.changes or left.writes:
                left = Known(left.mark, row)
            else:
                left.row = row
            self._kept[space] = left

    def come_back(self, space: Space, left: Known, row: WriteRow | None, answered: tuple[int, str]) -> None:
        """Go on where `leave` has left, with the write of an answer that was added meanwhile, if one was: it goes on the
        list of those before it. `answered` is its number among its task's, and the question.
        """
        self._kept[space] = left
        if row is not None and left.row is not None and left.row.checkpoint_id == row.checkpoint_id:
            left.add((row,), as_part=True)
            left.answers[row.task_id] = answered

    def is_at(self, place: Place) -> bool:
        """Whether this step is newest, as far as is known: others may have changed that."""
        known = self._kept.get(place[:2])
        return known is not None and known.row is not None and known.row.checkpoint_id == place[2]

    def last_answer(self, place: Place, task_id: str) -> tuple[int, str] | None:
        """Return the number of the answer that the task was given last there, and its question; None if not known."""
        return self._kept[place[:2]].answers.get(task_id) if self.is_at(place) else None

    def asked(self, place: Place, rows: Sequence[WriteRow]) -> None:
        """Take notice of writes at one step that deliver no answers; see `wrote`."""
        known = self._kept.get(place[:2])
        if known is not None and known.row is not None and known.row.checkpoint_id == place[2]:
            known.add(rows)
            if len(known.since) > _UNSORTED and not known.is_sorted():
                del self._kept[place[:2]]

    def wrote(self, rows: Sequence[WriteRow]) -> None:
        """Take notice of pending writes, which are there beside others of theirs or instead of them."""
        for row in rows:
            known = self._kept.get(row[:2])
            if known is not None and known.row is not None and known.row.checkpoint_id == row.checkpoint_id:
                known.add((row,))
                known.answers.clear()


def merged(
    writes: Sequence[WriteRow], since: Sequence[WriteRow], parts: Iterable[int] = ()
) -> Sequence[WriteRow] | None:
    """Return one task's writes in the order of their indexes, of those below 0 the last; None if several have written.

    Those of `since` whose places are `parts` go on the list that is there.
    """
    task = since[0].task_id
    by_idx: dict[int, WriteRow] = {}
    values: dict[int, list[bytes]] = {}
    for place, row in enumerate((*writes, *since), -len(writes)):
        idx = row.idx
        if row.task_id != task:
            return None
        if idx >= 0:
            by_idx.setdefault(idx, row)
            continue
        values[idx] = [*values.get(idx, ()), row.value] if place in parts else [row.value]
        by_idx[idx] = row
    for idx, lists in values.items():
        if len(lists) > 1:
            by_idx[idx] = by_idx[idx]._replace(value=joined(lists))
    return [by_idx[idx] for idx in sorted(by_idx)]
