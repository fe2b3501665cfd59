"""Steps that wait a moment to be written together: which may, for how long, and which of them can be written. Pure.

A step may wait if losing it would cost next to nothing: it is the first of a new thread, so that no node has run,
or the step before it was saved less than a millisecond ago. Steps of nodes that take longer are written at once.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._background import AGE
from nbhitl.checkpoint.sqlite._bound import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

QUICK = 0.001
"""Seconds since the step before, within which a step may wait."""

MOST_ROWS, MOST_BYTES = 256, 1 << 20

_SKIPPED = 16
_KNOWN = 256

Values = tuple[Any, ...]
"""A step as the columns of its table."""

Step = tuple[str, str, Any]
"""Thread, namespace and stored id of a checkpoint."""

_own, _above = itemgetter(0, 1, 2), itemgetter(0, 1, 3)
"""The step that a row is, and its parent."""


class Pace:
    """How quickly the steps of each namespace follow each other. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], float] = {}
        self._skipped = 0

    def may_wait(self, space: tuple[str, str], parent: Any, now: float) -> bool:
        """Whether a step of this thread and namespace, below that parent, need not be written at once."""
        if now - self._last.get(space, -QUICK) < QUICK:
            return True
        if parent is not None or not (space[0].isascii() and space[1].isascii()):
            return False  # what is not ASCII may be text that cannot be stored: its own run has to hear of it
        if self._skipped:
            self._skipped -= 1
            return False
        return True

    def saved(self, space: tuple[str, str], now: float) -> None:
        """Take notice of a step that was saved, or waits."""
        if len(self._last) >= _KNOWN:
            self._last.clear()
        self._last[space] = now

    def was_slow(self) -> None:
        """Take notice of a first step that waited in vain: its nodes are slow, and the next ones' likely too."""
        self._skipped = _SKIPPED


class Group:
    """Steps that wait, in the order in which they came. `due` is when they have to be written."""

    def __init__(self) -> None:
        self.rows: list[Values] = []
        self.due = 0.0
        self._size = 0

    def add(self, row: Values, now: float) -> bool:
        """Add a step; return whether no other one should be waited for."""
        rows, size = self.rows, len(row[10])
        if rows:
            size += self._size
        else:
            self.due = now + AGE
        rows.append(row)
        self._size = size
        return now >= self.due or size >= MOST_BYTES or len(rows) >= MOST_ROWS

    def taken(self) -> list[Values]:
        """Return all steps; the group is empty then."""
        rows, self.rows = self.rows, []
        return rows

    def put_back(self, rows: list[Values], due: float) -> None:
        """Let steps that could not be written wait again, before those that came later."""
        self.rows = rows + self.rows
        self.due = due


def needed_parents(rows: Sequence[Values]) -> list[Step]:
    """Return the steps that some of the rows are folded from and that are not among them."""
    if _follow_each_other(rows):
        rows = rows[:1]
    seen: set[Step] = set()
    needed: list[Step] = []
    for thread, ns, own, parent, _, base, *_ in rows:
        above = (thread, ns, plain(parent))
        if base is not None and above not in seen:
            needed.append(above)
            seen.add(above)
        seen.add((thread, ns, plain(own)))
    return needed


def _follow_each_other(rows: Sequence[Values]) -> bool:
    """Whether each of the rows is the child of the one before it, as those of a single run are."""
    return [*map(_above, rows[1:])] == [*map(_own, rows[:-1])]


def attached(rows: Sequence[Values], missing: Collection[Step]) -> list[Values]:
    """Return the rows without those that are folded from missing steps, directly or by way of others.

    Such a step came before its thread was deleted, so it is gone with the thread.
    """
    gone = set(missing)
    kept = []
    for row in rows:
        thread, ns, own, parent, _, base, *_ = row
        if base is not None and (thread, ns, plain(parent)) in gone:
            gone.add((thread, ns, plain(own)))
        else:
            kept.append(row)
    return kept


def unstored(rows: Sequence[Values], stored: Sequence[Values]) -> tuple[list[Values], list[Values]]:
    """Return which rows are to be written, and which not because others of the same id are there."""
    known = {_key(row): row for row in stored}
    fresh, odd = [], []
    for row in rows:
        key = _key(row)
        if key not in known:
            known[key] = row
            fresh.append(row)
        elif known[key] != row:
            odd.append(row)
    return fresh, odd


def _key(row: Values) -> Step:
    return row[0], row[1], plain(row[2])


def threads_of(rows: Sequence[Values]) -> list[str]:
    """Return the threads that the rows belong to, each once."""
    return list(dict.fromkeys([row[0] for row in rows]))
