"""The rows of a thread as memory holds them."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from nbhitl._slotted import made, slotted
from nbhitl.checkpoint._rows import StepRow
from nbhitl.checkpoint._unpacked import packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint._once import OnceRow
    from nbhitl.checkpoint._rows import WriteRow
    from nbhitl.checkpoint.claims import Question


@slotted
class NamespaceRows:
    """`ids` are the keys of `steps` in order; `writes` is `{checkpoint id: {(task id, idx): row}}`.

    `children` are the ids of the steps below each step, as far as somebody asked: of the first `related` of `ids`.
    """

    steps: dict[str, StepRow] = made(factory=dict)
    ids: list[str] = made(factory=list)
    writes: dict[str, dict[tuple[str, int], WriteRow]] = made(factory=dict)
    children: dict[str, list[str]] = made(factory=dict)
    related: int = 0

    def children_of(self, checkpoint_id: str) -> Sequence[str]:
        """Return the ids of the steps whose parent this is, oldest first."""
        for child in self.ids[self.related :]:
            parent_id = self.steps[child].parent_id
            if parent_id is not None:
                self.children.setdefault(parent_id, []).append(child)
        self.related = len(self.ids)
        return self.children.get(checkpoint_id, ())

    def row(self, checkpoint_id: str) -> StepRow:
        """Return a step, packed."""
        row = self.steps[checkpoint_id]
        if row.__class__ is not StepRow:
            row = self.steps[checkpoint_id] = packed(row)
        return row

    def insert(self, row: StepRow) -> None:
        """Add a step of a new id."""
        self.steps[row.checkpoint_id] = row
        if not self.ids or row.checkpoint_id > self.ids[-1]:
            self.ids.append(row.checkpoint_id)
        else:
            insort(self.ids, row.checkpoint_id)
            self.relate_anew()

    def remove(self, checkpoint_id: str) -> None:
        """Remove a step, but not what belongs to it."""
        del self.steps[checkpoint_id]
        self.ids.remove(checkpoint_id)
        self.relate_anew()

    def copy(self) -> NamespaceRows:
        """Return one with the same rows, which changes without this one."""
        writes = {checkpoint_id: rows.copy() for checkpoint_id, rows in self.writes.items()}
        return NamespaceRows(self.steps.copy(), self.ids.copy(), writes)

    def relate_anew(self) -> None:
        """Forget which step is whose child: `ids` did not just grow."""
        self.children, self.related = {}, 0


@slotted
class ThreadRows:
    """`live` are the questions to which something can still happen; `questions` are all."""

    spaces: dict[str, NamespaceRows] = made(factory=dict)
    questions: dict[tuple[str, str, str], Question] = made(factory=dict)
    live: dict[tuple[str, str, str], Question] = made(factory=dict)
    once: dict[str, OnceRow] = made(factory=dict)

    def copy(self) -> ThreadRows:
        """Return one with the same rows, which changes without this one."""
        spaces = {ns: space.copy() for ns, space in self.spaces.items()}
        return ThreadRows(spaces, self.questions.copy(), self.live.copy(), self.once.copy())
