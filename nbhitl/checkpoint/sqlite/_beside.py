"""Rows of a SQLite saver: of the first question at a checkpoint, the pending writes stand beside it in its row.

They are the write with which its task asks, and the one that delivers its answer. Each in a row of its own would touch
two trees more whenever a question is asked and whenever one is answered. A row of its own counts more than what stands
beside a question: who writes again, or what is asked next by the same task, need not look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._ids import unpacked
from nbhitl.checkpoint._sqlrows import SqlRows
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.checkpoint.sqlite import queries
from nbhitl.checkpoint.sqlite._bound import bound, plain
from nbhitl.constants import INTERRUPT, RESUME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from nbhitl.checkpoint._rows import StepRow, WriteRow
    from nbhitl.checkpoint._store import Tally
    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.sqlite._database import Database

    Row = tuple[Any, ...]

_ASKING, _RESUMING = WRITES_IDX_MAP[INTERRUPT], WRITES_IDX_MAP[RESUME]


class SqliteRows(SqlRows):
    """As `SqlRows`; what `add_writes` adds are rows of their own."""

    _db: Database

    def __init__(self, database: Database) -> None:
        super().__init__(database, bound, unpacked)

    def read_row(self, row: tuple[Any, ...]) -> StepRow:
        return super().read_row((*map(plain, row),))

    def _step_values(self, row: StepRow) -> tuple[Any, ...]:
        thread, ns, own_id, parent_id, created_at, base_id, depth, since, size, metadata, body = row
        own, parent = bound(own_id), None if parent_id is None else bound(parent_id)
        base = None if base_id == own_id else bound(base_id)
        about, changed = bytearray(metadata), bytearray(body)
        return (thread, ns, own, parent, created_at, base, depth, since, size, about, changed)

    def writes(self, thread: str, ns: str, checkpoint_id: str) -> Sequence[WriteRow]:
        place = (thread, ns, self._pack(checkpoint_id))
        beside = self._db.all(queries.WRITES_BESIDE, place)
        return [*map(self._write, _joined(self._db.all(_sql.WRITES, place), beside))]

    def writes_of_namespace(self, thread: str, ns: str) -> Sequence[WriteRow]:
        beside = self._db.all(queries.WRITES_BESIDE_IN_SPACE, (thread, ns))
        return [*map(self._write, _joined(self._db.all(_sql.WRITES_OF_SPACE, (thread, ns)), beside))]

    def asked_at(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> tuple[Sequence[Question], Sequence[WriteRow]]:
        place = (thread, ns, checkpoint_id)
        return self.named_questions(*place, interrupt_ids), self.writes(*place)

    def delete_writes(self, thread: str, ns: str, checkpoint_id: str, task_id: str, idx: int) -> None:
        super().delete_writes(thread, ns, checkpoint_id, task_id, idx)
        if idx in (_ASKING, _RESUMING):
            forget = queries.FORGET_ASKING if idx == _ASKING else queries.FORGET_RESUMING
            self._db.do(forget, (thread, ns, self._pack(checkpoint_id), self._pack(task_id)))

    def delete_steps(
        self, thread: str, ns: str, checkpoint_ids: Iterable[str], *, keep_decisions: bool = False
    ) -> None:
        ids = list(checkpoint_ids)
        super().delete_steps(thread, ns, ids, keep_decisions=keep_decisions)
        if keep_decisions:
            keys = [(thread, ns, self._pack(checkpoint_id)) for checkpoint_id in ids]
            self._db.do_many(queries.FORGET_BESIDE, keys)

    def ask_anew(self, question: Question, writes: Sequence[WriteRow]) -> Tally:
        """The first question of a checkpoint takes the write with which its task asks beside it."""
        if len(writes) == 1 and writes[0][3:6] == (question.task_id, _ASKING, question.node):
            tally = self._ask_first(question, writes[0])
            if tally is not None and tally.changed:
                self._newest.wrote(writes)
                return tally
        return super().ask_anew(question, writes)

    def _ask_first(self, question: Question, write: WriteRow) -> Tally | None:
        """Add a question to a checkpoint that has none, and no writes; None if it does not look like that."""
        values = self._question_values(question)
        place = values[:3]
        if self._db.brings(place):
            return self._db.do_counted(queries.ASK_FIRST, (*values[:10], write.path, write.value))
        if self._newest.is_bare(question[:2], question.checkpoint_id):
            values = (*values[:10], write.path, write.value, *place, *place)
            return self._db.do_counted(queries.ASK_IF_FIRST, values)
        return None

    def take_alone(self, taken: Question, resume: WriteRow, before: bytes) -> Tally:
        written = self._write_values(resume)
        key = (*written[:3], taken.interrupt_id, written[3])
        if not before and self._db.keeps_beside:
            tally = self._db.do_counted(queries.TAKE_FIRST, (*taken[11:], resume.value, *key))
            if tally.changed:
                self._newest.wrote((resume,))
                return tally
        tally = self._db.do_counted(queries.TAKE, (*taken[11:], *key, b"", before))
        if tally.changed:
            self._db.do(_sql.REPLACE_WRITE, written)
            self._newest.wrote((resume,))
        return tally


def _joined(writes: Sequence[Row], beside: Iterable[Row]) -> Sequence[Row]:
    """Return the rows of writes with those that stand beside questions, by checkpoint, task and index."""
    found = {row[2:5]: row for row in _of_questions(beside)}
    if not found:
        return writes
    found.update({row[2:5]: row for row in writes})
    return [found[key] for key in sorted(found, key=_order)]


def _of_questions(beside: Iterable[Row]) -> Iterator[Row]:
    for thread, ns, checkpoint_id, task, node, path, asking, resuming in beside:
        place = (thread, ns, checkpoint_id, task)
        if asking is not None:
            yield (*place, _ASKING, node, path, INTERRUPT, asking)
        if resuming is not None:
            yield (*place, _RESUMING, "", "", RESUME, resuming)


def _order(key: tuple[Any, Any, int]) -> tuple[Any, ...]:
    """As SQLite sorts: ids that are no UUIDs are text, and come before bytes."""
    checkpoint_id, task, idx = key
    return isinstance(checkpoint_id, bytes), checkpoint_id, isinstance(task, bytes), task, idx
