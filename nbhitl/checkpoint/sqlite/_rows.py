"""A `RowStore` in SQLite. Ids of checkpoints and tasks are kept packed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint._ids import packed, unpacked
from nbhitl.checkpoint._once import OnceRow
from nbhitl.checkpoint._rows import StepRow, WriteRow
from nbhitl.checkpoint.claims import DELIVERED, Question
from nbhitl.checkpoint.records import ThreadInfo
from nbhitl.checkpoint.sqlite import queries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from nbhitl.checkpoint._store import QuestionFilter
    from nbhitl.checkpoint.sqlite._database import Database

_FEW_TASKS = 8
_LEAST_BATCH, _LARGEST_BATCH = 8, 1024


class SqliteRows:
    """Steps, writes, questions and effects in a table each; see `queries.py`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def atomic(self) -> AbstractContextManager[None]:
        return self._db.transaction

    def step(self, thread: str, ns: str, checkpoint_id: str | None) -> StepRow | None:
        if checkpoint_id is None:
            found = self._db.one(queries.NEWEST_STEP, (thread, ns))
        else:
            found = self._db.one(queries.STEP, (thread, ns, packed(checkpoint_id)))
        return None if found is None else _step(found)

    def steps_from(self, thread: str, ns: str, first_id: str, last_id: str) -> Sequence[StepRow]:
        values = (thread, ns, packed(first_id), packed(last_id))
        return [*map(_step, self._db.all(queries.STEPS_FROM, values))]

    def steps_newest_first(self, thread: str, ns: str, before: str | None) -> Iterator[StepRow]:
        """Read by batches, so that the database is not held while the caller thinks."""
        size = _LEAST_BATCH
        last = None if before is None else packed(before)
        while True:
            if last is None:
                rows = self._db.all(queries.NEWEST_FIRST, (thread, ns, size))
            else:
                rows = self._db.all(queries.NEWEST_FIRST_BEFORE, (thread, ns, last, size))
            yield from map(_step, rows)
            if len(rows) < size:
                return
            last = rows[-1][2]
            size = min(size * 4, _LARGEST_BATCH)

    def children(self, thread: str, ns: str, checkpoint_id: str) -> Iterator[StepRow]:
        """Sought one by one: a first child is nearly always the next row, and its results are enough."""
        parent = last = packed(checkpoint_id)
        while (found := self._db.one(queries.NEXT_CHILD, (thread, ns, last, parent))) is not None:
            yield _step(found)
            last = found[2]

    def insert_step(self, row: StepRow, *, replace: bool = False) -> None:
        self._db.do(queries.REPLACE_STEP if replace else queries.INSERT_STEP, _step_values(row))

    def insert_if_quiet(self, row: StepRow) -> bool:
        return self._db.do_alone(queries.INSERT_IF_QUIET, _step_values(row)) == 1

    def delete_steps(self, thread: str, ns: str, checkpoint_ids: Iterable[str]) -> None:
        keys = [(thread, ns, packed(checkpoint_id)) for checkpoint_id in checkpoint_ids]
        for statement in queries.DELETE_STEP:
            self._db.do_many(statement, keys)

    def writes(self, thread: str, ns: str, checkpoint_id: str) -> Sequence[WriteRow]:
        return [*map(_write, self._db.all(queries.WRITES, (thread, ns, packed(checkpoint_id))))]

    def writes_of_namespace(self, thread: str, ns: str) -> Sequence[WriteRow]:
        return [*map(_write, self._db.all(queries.WRITES_OF_SPACE, (thread, ns)))]

    def add_writes(self, rows: Sequence[WriteRow]) -> None:
        first: list[tuple[Any, ...]] = []
        last: list[tuple[Any, ...]] = []
        for row in rows:
            (first if row.idx >= 0 else last).append(_write_values(row))
        if first:
            self._db.do_many(queries.INSERT_WRITE, first)
        if last:
            self._db.do_many(queries.REPLACE_WRITE, last)

    def delete_writes(self, thread: str, ns: str, checkpoint_id: str, task_id: str, idx: int) -> None:
        self._db.do(queries.DELETE_WRITE, (thread, ns, packed(checkpoint_id), packed(task_id), idx))

    def questions(
        self, thread: str, ns: str | None = None, checkpoint_id: str | None = None
    ) -> list[Question]:
        if ns is None or checkpoint_id is None:
            found = self._db.all(queries.QUESTIONS, (thread,))
        else:
            found = self._db.all(queries.QUESTIONS_AT, (thread, ns, packed(checkpoint_id)))
        return [*map(_question, found)]

    def live_questions(self, thread: str) -> Sequence[Question]:
        return [*map(_question, self._db.all(queries.LIVE_QUESTIONS, (thread,)))]

    def delivered_questions(self, thread: str, tasks: Collection[str]) -> Sequence[Question]:
        if len(tasks) > _FEW_TASKS:
            return [q for q in self.live_questions(thread) if q.task_id in tasks and q.state == DELIVERED]
        return [
            _question(row)
            for task_id in tasks
            for row in self._db.all(queries.DELIVERED_TO_TASK, (thread, packed(task_id)))
        ]

    def put_questions(self, questions: Iterable[Question]) -> None:
        self._db.do_many(queries.PUT_QUESTION, [_question_values(question) for question in questions])

    def find_questions(self, wanted: QuestionFilter) -> list[Question]:
        return [*map(_question, self._db.all(*queries.find_questions(wanted)))]

    def once_entry(self, thread: str, key: str) -> OnceRow | None:
        found = self._db.one(queries.ONCE_ENTRY, (thread, key))
        return None if found is None else OnceRow(*found)

    def once_entries(self, thread: str) -> list[OnceRow]:
        return [OnceRow(*row) for row in self._db.all(queries.ONCE_ENTRIES, (thread,))]

    def put_once(self, rows: Iterable[OnceRow]) -> None:
        self._db.do_many(queries.PUT_ONCE, list(rows))

    def delete_once(self, thread: str, key: str) -> None:
        self._db.do(queries.DELETE_ONCE, (thread, key))

    def namespaces(self, thread: str | None) -> list[tuple[str, str]]:
        if thread is None:
            return cast("list[tuple[str, str]]", self._db.all(queries.NAMESPACES))
        return cast("list[tuple[str, str]]", self._db.all(queries.NAMESPACES_OF, {"thread": thread}))

    def threads(self, prefix: str | None, limit: int | None) -> list[ThreadInfo]:
        first = prefix or ""
        values = {
            "first": first,
            "end": first + queries.LAST_CHARACTER,
            "limit": -1 if limit is None else limit,
        }
        return [
            ThreadInfo(thread, unpacked(checkpoint_id), updated_at, count)
            for thread, checkpoint_id, updated_at, count in self._db.all(queries.THREADS, values)
        ]

    def delete_thread(self, thread: str) -> None:
        for statement in queries.DELETE_THREAD:
            self._db.do(statement, (thread,))


def _step(row: Sequence[Any]) -> StepRow:
    thread, ns, checkpoint_id, parent_id, created_at, base_id, *rest = row
    own = unpacked(checkpoint_id)
    parent = None if parent_id is None else unpacked(parent_id)
    return StepRow(thread, ns, own, parent, created_at, own if base_id is None else unpacked(base_id), *rest)


def _step_values(row: StepRow) -> tuple[Any, ...]:
    """A step that is its own base is stored without it."""
    thread, ns, checkpoint_id, parent_id, created_at, base_id, *rest = row
    parent = None if parent_id is None else packed(parent_id)
    base = None if base_id == checkpoint_id else packed(base_id)
    return (thread, ns, packed(checkpoint_id), parent, created_at, base, *rest)


def _write(row: Sequence[Any]) -> WriteRow:
    thread, ns, checkpoint_id, task_id, *rest = row
    return WriteRow(thread, ns, unpacked(checkpoint_id), unpacked(task_id), *rest)


def _write_values(row: WriteRow) -> tuple[Any, ...]:
    return (row.thread_id, row.ns, packed(row.checkpoint_id), packed(row.task_id), *row[4:])


def _question(row: Sequence[Any]) -> Question:
    thread, ns, checkpoint_id, interrupt_id, task_id, *rest = row
    return Question(thread, ns, unpacked(checkpoint_id), interrupt_id, unpacked(task_id), *rest)


def _question_values(row: Question) -> tuple[Any, ...]:
    return (*row[:2], packed(row.checkpoint_id), row.interrupt_id, packed(row.task_id), *row[5:])
