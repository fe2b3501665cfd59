"""Rows of a SQLite saver: of a question that its task asks alone, the pending writes stand beside it in its row.

They are the writes with which its task asks, and the one that delivers its answer. Each in a row of its own would touch
two trees more whenever a question is asked and whenever one is answered, and write all earlier answers again. Read, the
answers of a task are one write. A row of its own counts more than what stands beside questions: who writes again need
not look.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._answers import joined
from nbhitl.checkpoint._ids import unpacked
from nbhitl.checkpoint._row_store import Tally
from nbhitl.checkpoint._sql_rows import SqlRows
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.checkpoint.claims import LIVE
from nbhitl.checkpoint.sqlite import _columns as columns
from nbhitl.checkpoint.sqlite import queries
from nbhitl.checkpoint.sqlite._bound import bound, plain
from nbhitl.checkpoint.sqlite._changed_rows import numbers
from nbhitl.constants import INTERRUPT, RESUME, SCHEDULED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from nbhitl.checkpoint._answers import Answers
    from nbhitl.checkpoint._rows import StepRow, WriteRow
    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.sqlite._database import Database

    Row = tuple[Any, ...]

_ASKING, _STARTS, _RESUMING = (WRITES_IDX_MAP[channel] for channel in (INTERRUPT, SCHEDULED, RESUME))
_TAKING = {
    (False, False): queries.TAKE_FIRST,
    (True, False): queries.TAKE_NEXT,
    (False, True): queries.TAKE_FIRST_SEEN,
    (True, True): queries.TAKE_NEXT_SEEN,
}
"""Statements by whether the answer comes after others of its task, and whether it depends on what was seen."""

_ASKED = [_ASKING], [_ASKING, _STARTS]
"""Of the writes that stand beside a question: that its task asks it, and perhaps how often its node has started."""


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

    def _write_values(self, row: WriteRow) -> tuple[Any, ...]:
        *fields, value = super()._write_values(row)
        return (*fields, bytearray(value))

    def _question_values(self, row: Question) -> tuple[Any, ...]:
        thread, ns, checkpoint_id, interrupt_id, task_id, node, kind, payload, *asked, state, answer = row[
            :12
        ]
        named = (thread, ns, bound(checkpoint_id), interrupt_id, bound(task_id), node, kind)
        given = None if answer is None else bytearray(answer)
        return (*named, bytearray(payload), *asked, state, given, *row[12:], 1 if state in LIVE else None)

    def writes(self, thread: str, ns: str, checkpoint_id: str) -> Sequence[WriteRow]:
        place = (thread, ns, self._pack(checkpoint_id))
        beside = self._read("beside", queries.WRITES_BESIDE, place)
        return [*map(self._write, _joined(self._db.all(_sql.WRITES, place), beside))]

    def writes_of_namespace(self, thread: str, ns: str) -> Sequence[WriteRow]:
        beside = self._read("beside", queries.WRITES_BESIDE_IN_SPACE, (thread, ns))
        return [*map(self._write, _joined(self._db.all(_sql.WRITES_OF_SPACE, (thread, ns)), beside))]

    def _read(self, what: str, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        rows = super()._read(what, sql, values)
        for row in rows:
            columns.READ[what].refuse_others(self._db.name, row)
        return rows

    def _step(self, row: Sequence[Any]) -> StepRow:
        columns.STEP.refuse_others(self._db.name, row)
        return super()._step(row)

    def _write(self, row: Sequence[Any]) -> WriteRow:
        columns.WRITE.refuse_others(self._db.name, row)
        return super()._write(row)

    def _question(self, row: Sequence[Any]) -> Question:
        columns.QUESTION.refuse_others(self._db.name, row)
        return super()._question(row)

    def asked_at(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> tuple[Sequence[Question], Sequence[WriteRow]]:
        place = (thread, ns, checkpoint_id)
        return self.named_questions(*place, interrupt_ids), self.writes(*place)

    def delete_writes(self, thread: str, ns: str, checkpoint_id: str, task_id: str, idx: int) -> None:
        super().delete_writes(thread, ns, checkpoint_id, task_id, idx)
        if idx in queries.FORGET:
            place = (thread, ns, self._pack(checkpoint_id), self._pack(task_id))
            self._db.do(queries.FORGET[idx], place)

    def delete_steps(
        self, thread: str, ns: str, checkpoint_ids: Iterable[str], *, keep_decisions: bool = False
    ) -> None:
        ids = list(checkpoint_ids)
        super().delete_steps(thread, ns, ids, keep_decisions=keep_decisions)
        if keep_decisions:
            keys = [(thread, ns, self._pack(checkpoint_id)) for checkpoint_id in ids]
            self._db.do_many(queries.FORGET_BESIDE, keys)

    def ask_anew(self, question: Question, writes: Sequence[WriteRow]) -> Tally:
        """The question takes the writes with which its task asks beside it."""
        if [row.idx for row in writes] in _ASKED:
            tally = self._ask_beside(question, writes)
            if tally is not None and tally.changed:
                self._newest.asked(question[:3], writes)
                return tally
        return super().ask_anew(question, writes)

    def _ask_beside(self, question: Question, writes: Sequence[WriteRow]) -> Tally | None:
        """Add a question to a task that has no writes of its own; None if nothing is known of the checkpoint."""
        thread, ns, checkpoint_id, interrupt_id, task_id, node, kind, payload, digest, asked_at = question[
            :10
        ]
        place, task, asking = (thread, ns, bound(checkpoint_id)), bound(task_id), writes[0]
        starts = bytearray(writes[1].value) if len(writes) > 1 else None
        asked = (interrupt_id, task, node, kind, bytearray(payload), digest, asked_at)
        values = (*place, *asked, asking.path, bytearray(asking.value), starts)
        if self._db.brings(place):
            return self._db.do_counted(queries.ASK_FIRST, values)
        last = self._newest.last_answer(question[:3], task_id)
        if last is not None and last[1] != interrupt_id:
            number, answered = last
            if self._db.do_counted(queries.USE_UP_LAST, (*place, answered, number, *place, task)).changed:
                return self._db.do_counted(queries.ASK_NEXT, (*values, number + 1))
        elif not self._newest.is_at(question[:3]):
            return None
        before = (thread, task, *place[1:])
        tally = self._db.do_counted(queries.ASK_BESIDE, (*values, *place, task, *before, *place, task))
        if tally.changed:
            self._db.do(queries.USE_UP_BESIDE, (*before, interrupt_id))
        return tally

    def at_hand(self, thread: str, ns: str) -> tuple[tuple[StepRow, object] | None, object]:
        """What other connections have changed is left to `take_alone` to see, in the statement that it needs anyway."""
        with self._db.held:
            mark, own = self._newest.mark_at(thread, ns), self._db.own_mark(thread)
            if mark is None or mark[1:] != own:
                return None, None
            return self._newest.standing(thread, ns), mark[0]

    def put_questions(self, questions: Iterable[Question]) -> None:
        self._check_file(())
        super().put_questions(questions)

    def _check_file(self, threads: Sequence[str]) -> None:
        try:
            self._db.waiting.open_file.check()
        except sqlite3.OperationalError as error:
            raise self._db.failure(error, threads=threads) from None

    def take_alone(self, taken: Question, answers: Answers, seen: object = None) -> Tally:
        self._check_file(taken[:1])
        if self._db.keeps_beside and answers.can_be_apart() and self._take_beside(taken, answers, seen):
            return Tally(1)
        if seen is not None:  # whether it is still so is not known
            return Tally()
        resume = answers.row()
        written = self._write_values(resume)
        key = (*written[:3], taken.interrupt_id, written[3])
        with self.atomic(taken.thread_id):
            tally = self._db.do_counted(queries.TAKE, (*taken[11:], *key, b"", answers.packed_before()))
            if tally.changed:
                self._db.do(_sql.REPLACE_WRITE, written)
                self._newest.wrote((resume,))
        return tally

    def _take_beside(self, taken: Question, answers: Answers, seen: object) -> bool:
        resume, before = answers.last_apart()
        thread, ns, checkpoint_id, interrupt_id, task_id = taken[:5]
        answer, *claim = taken[11:]
        assert answer is not None
        number, nth, space = next(numbers), len(answers.before) + 1, (thread, ns)
        place = (thread, ns, bound(checkpoint_id), interrupt_id, bound(task_id))
        values: tuple[Any, ...] = (bytearray(answer), *claim, number, bytearray(resume.value), *place, nth)
        if nth > 1:
            values = (*values, answers.before[-1][0], bytearray(before))
        if seen is not None:
            values = (*values, seen)
        statement = _TAKING[nth > 1, seen is not None]
        with self._db.held:
            left = self._newest.leave(space)
            is_taken = self._db.do_alone(statement, values, number)
            if left is not None:
                self._newest.come_back(space, left, resume if is_taken else None, (nth, interrupt_id))
        return is_taken


def _joined(writes: Sequence[Row], beside: Iterable[Row]) -> Sequence[Row]:
    """Return the rows of writes with those that stand beside questions, by checkpoint, task and index."""
    found = {row[2:5]: row for row in _of_questions(beside)}
    if not found:
        return writes
    found.update({row[2:5]: row for row in writes})
    return [found[key] for key in sorted(found, key=_order)]


def _of_questions(beside: Iterable[Row]) -> Iterator[Row]:
    """Yield writes from questions, oldest first: of each kind the last one of a task, of answers all as one."""
    answers: dict[Row, list[tuple[int, bytes]]] = {}
    for thread, ns, checkpoint_id, task, node, path, asking, starts, resuming, nth in beside:
        place = (thread, ns, checkpoint_id, task)
        if asking is not None:
            yield (*place, _ASKING, node, path, INTERRUPT, asking)
        if starts is not None:
            yield (*place, _STARTS, node, path, SCHEDULED, starts)
        if resuming is not None:
            answers.setdefault(place, []).append((nth or 0, resuming))
    for place, parts in answers.items():
        yield (*place, _RESUMING, "", "", RESUME, joined([value for _, value in sorted(parts)]))


def _order(key: tuple[Any, Any, int]) -> tuple[Any, ...]:
    """As SQLite sorts: ids that are no UUIDs are text, and come before bytes."""
    checkpoint_id, task, idx = key
    return isinstance(checkpoint_id, bytes), checkpoint_id, isinstance(task, bytes), task, idx
