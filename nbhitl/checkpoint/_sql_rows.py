"""A `RowStore` in a database that speaks SQL: SQLite or PostgreSQL."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._newest import Newest
from nbhitl.checkpoint._once import OnceRow
from nbhitl.checkpoint._rows import StepRow, WriteRow
from nbhitl.checkpoint.claims import DELIVERED, LIVE, OPEN, Question
from nbhitl.checkpoint.records import ThreadInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from nbhitl.checkpoint._answers import Answers
    from nbhitl.checkpoint._outline import LeanRows
    from nbhitl.checkpoint._row_store import QuestionFilter, Tally

    Statement = tuple[str, Sequence[Any]]

_FEW = 8
_ASKED_AT = Question._fields.index("asked_at")
_LEAST_BATCH, _LARGEST_BATCH = 8, 1024


class SqlDatabase(Protocol):
    """Connections to a database with the tables. In all SQL `?` stands where a value is bound.

    `is_far` says that asking takes longer than answering; `take_and_answer` is then the statement for
    `RowStore.take_alone`: `_sql.TAKE`, and if that changes a row, the write. While `held`, nothing is changed through
    this object by other threads, if `change_mark` can tell of changes.
    """

    held: AbstractContextManager[object]
    is_far: bool
    take_and_answer: str

    @property
    def name(self) -> str:
        """How errors call the store."""

    def atomic(self, threads: tuple[str, ...], rewriting: bool) -> AbstractContextManager[None]:
        """Return a transaction; see `RowStore.atomic`."""

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query."""

    def one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first row of a query, or None."""

    def change_mark(self, thread: str) -> object | None:
        """Return what is different after any change of the database but those made through this object; None if
        nobody knows. Errors name the thread.
        """

    def knows_quiet(self, thread: str) -> bool:
        """Whether this transaction has found out that no question of the thread is live."""

    def each(self, statements: Sequence[Statement]) -> list[list[Any]]:
        """Return the rows of each query, asked in one go if that is quicker."""

    def do(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Change something, within a transaction."""

    def insert_if_quiet(self, row: tuple[Any, ...]) -> bool:
        """Add a step; see `RowStore.insert_if_quiet`."""

    def insert_lazily(self, row: tuple[Any, ...]) -> bool:
        """Add a step that others will follow soon; see `RowStore.insert_if_quiet`."""

    def do_counted(self, sql: str, values: Sequence[Any] = ()) -> Tally:
        """Change something, within a transaction; return how many rows that will have changed at its end."""

    def do_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        """Change something for each of the rows, within a transaction."""


class SqlRows:
    """Steps, writes, questions and effects in a table each; see `_sql.py`.

    Args:
        database: where the tables are.
        pack: makes of the id of a checkpoint or task what is stored.
        unpack: makes the id of it again.
    """

    def __init__(
        self, database: SqlDatabase, pack: Callable[[str], Any], unpack: Callable[[Any], str]
    ) -> None:
        self._db = database
        self._pack = pack
        self._unpack = unpack
        self._newest = Newest()

    @property
    def name(self) -> str:
        return self._db.name

    @property
    def held(self) -> AbstractContextManager[object]:
        return self._db.held  # another one in a forked process

    def atomic(self, *threads: str, rewriting: bool = False) -> AbstractContextManager[None]:
        return self._db.atomic(threads, rewriting)

    def step(self, thread: str, ns: str, checkpoint_id: str | None) -> StepRow | None:
        if checkpoint_id is None:
            found = self._db.one(_sql.NEWEST_STEP, (thread, ns))
        else:
            found = self._db.one(_sql.STEP, (thread, ns, self._pack(checkpoint_id)))
        return None if found is None else self._step(found)

    def newest(self, thread: str, ns: str) -> tuple[StepRow, Sequence[WriteRow]] | None:
        with self._db.held:
            mark = self._db.change_mark(thread)
            if mark is None:
                return self._read_newest(thread, ns)
            known = self._newest.at(thread, ns, mark)
            if known is not None:
                return known[0]
            found = self._read_newest(thread, ns)
            self._newest.keep(thread, ns, mark, found)
            return found

    def standing(self, thread: str, ns: str) -> tuple[StepRow, object] | None:
        return self._newest.standing(thread, ns)

    def at_hand(self, thread: str, ns: str) -> tuple[tuple[StepRow, object] | None, object]:
        return None, None  # without a mark of changes nobody knows

    def _read_newest(self, thread: str, ns: str) -> tuple[StepRow, Sequence[WriteRow]] | None:
        if not self._db.is_far:
            newest = self.step(thread, ns, None)
            return None if newest is None else (newest, self.writes(thread, ns, newest.checkpoint_id))
        rows = self._db.all(_sql.NEWEST_WITH_WRITES, (thread, ns))
        if not rows:
            return None
        writes = [self._write((*row[:3], *row[11:])) for row in rows if row[11] is not None]
        return self._step(rows[0][:11]), writes

    def steps_from(self, thread: str, ns: str, first_id: str, last_id: str) -> Sequence[StepRow]:
        values = (thread, ns, self._pack(first_id), self._pack(last_id))
        return [*map(self._step, self._db.all(_sql.STEPS_FROM, values))]

    def steps_newest_first(self, thread: str, ns: str, before: str | None) -> Iterator[StepRow]:
        """Read by batches, so that the database is not held while the caller thinks."""
        size = _LEAST_BATCH
        last = None if before is None else self._pack(before)
        while True:
            if last is None:
                rows = self._db.all(_sql.NEWEST_FIRST, (thread, ns, size))
            else:
                rows = self._db.all(_sql.NEWEST_FIRST_BEFORE, (thread, ns, last, size))
            yield from map(self._step, rows)
            if len(rows) < size:
                return
            last = rows[-1][2]
            size = min(size * 4, _LARGEST_BATCH)

    def outline(self, thread: str, ns: str) -> LeanRows:
        rows = self._read("outline", _sql.OUTLINE, (thread, ns))
        own, parents, times, metadata, bodies = zip(*rows, strict=True) if rows else [()] * 5
        unpack = getattr(self._unpack, "__wrapped__", self._unpack)  # so many are not worth remembering
        ids = dict(zip(own, map(unpack, own), strict=True))
        above = [None if parent is None else ids.get(parent) or unpack(parent) for parent in parents]
        return [*ids.values()], above, times, metadata, bodies

    def children(self, thread: str, ns: str, checkpoint_id: str) -> Iterator[StepRow]:
        """Sought one by one: a first child is nearly always the next row, and its results are enough."""
        parent = last = self._pack(checkpoint_id)
        while (found := self._db.one(_sql.NEXT_CHILD, (thread, ns, last, parent))) is not None:
            yield self._step(found)
            last = found[2]

    def insert_step(self, row: StepRow, *, replace: bool = False) -> None:
        values, space = self._step_values(row), row[:2]
        left = self._newest.leave(space)
        self._db.do(_sql.REPLACE_STEP if replace else _sql.INSERT_STEP, values)
        if replace:
            self._newest.forget()
        elif left is not None:
            self._newest.follow(space, left, row, values[2], values[3])

    def insert_if_quiet(self, row: StepRow, *, lazily: bool = False) -> bool:
        values, space = self._step_values(row), row[:2]
        with self._db.held:
            left = self._newest.leave(space)
            added = self._db.insert_lazily(values) if lazily else self._db.insert_if_quiet(values)
            if added and left is not None:
                self._newest.follow(space, left, row, values[2], values[3])
        return added

    def read_row(self, row: tuple[Any, ...]) -> StepRow:
        """Return a step, given as `insert_lazily` is."""
        return self._step(row)

    def delete_steps(
        self, thread: str, ns: str, checkpoint_ids: Iterable[str], *, keep_decisions: bool = False
    ) -> None:
        self._newest.forget()
        keys = [(thread, ns, self._pack(checkpoint_id)) for checkpoint_id in checkpoint_ids]
        for statement in _sql.DELETE_STEP:
            self._db.do_many(statement, keys)
        self._db.do_many(_sql.DELETE_UNDECIDED if keep_decisions else _sql.DELETE_QUESTIONS, keys)

    def writes(self, thread: str, ns: str, checkpoint_id: str) -> Sequence[WriteRow]:
        return [*map(self._write, self._db.all(_sql.WRITES, (thread, ns, self._pack(checkpoint_id))))]

    def writes_of_namespace(self, thread: str, ns: str) -> Sequence[WriteRow]:
        return [*map(self._write, self._db.all(_sql.WRITES_OF_SPACE, (thread, ns)))]

    def add_writes(self, rows: Sequence[WriteRow]) -> None:
        first: list[tuple[Any, ...]] = []
        last: list[tuple[Any, ...]] = []
        for row in rows:
            (first if row.idx >= 0 else last).append(self._write_values(row))
        if first:
            self._db.do_many(_sql.INSERT_WRITE, first)
        if last:
            self._db.do_many(_sql.REPLACE_WRITE, last)
        self._newest.wrote(rows)

    def delete_writes(self, thread: str, ns: str, checkpoint_id: str, task_id: str, idx: int) -> None:
        self._newest.forget()
        self._db.do(_sql.DELETE_WRITE, (thread, ns, self._pack(checkpoint_id), self._pack(task_id), idx))

    def questions(
        self, thread: str, ns: str | None = None, checkpoint_id: str | None = None
    ) -> list[Question]:
        if ns is None or checkpoint_id is None:
            found = self._db.all(_sql.QUESTIONS, (thread,))
        else:
            found = self._db.all(_sql.QUESTIONS_AT, (thread, ns, self._pack(checkpoint_id)))
        return [*map(self._question, found)]

    def named_questions(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> Sequence[Question]:
        place = (thread, ns, self._pack(checkpoint_id))
        found = self._db.each(self._naming(place, interrupt_ids))
        return self._named(found, interrupt_ids)

    def _naming(self, place: Sequence[Any], interrupt_ids: Collection[str]) -> list[Statement]:
        """What reads these questions: one by one, or if they are many all of their step."""
        if len(interrupt_ids) > _FEW:
            return [(_sql.QUESTIONS_AT, place)]
        return [(_sql.QUESTION, (*place, interrupt_id)) for interrupt_id in interrupt_ids]

    def _named(self, found: Iterable[Sequence[Any]], interrupt_ids: Collection[str]) -> list[Question]:
        questions = (self._question(row) for rows in found for row in rows)
        return [question for question in questions if question.interrupt_id in interrupt_ids]

    def asked_at(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> tuple[Sequence[Question], Sequence[WriteRow]]:
        place = (thread, ns, self._pack(checkpoint_id))
        *questions, writes = self._db.each([*self._naming(place, interrupt_ids), (_sql.WRITES, place)])
        return self._named(questions, interrupt_ids), [*map(self._write, writes)]

    def live_questions(self, thread: str) -> Sequence[Question]:
        return [*map(self._question, self._db.all(_sql.LIVE_QUESTIONS, (thread,)))]

    def live_or_named(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> Sequence[Question]:
        place = (thread, ns, self._pack(checkpoint_id))
        naming = self._naming(place, interrupt_ids)
        live, *named = self._db.each([(_sql.LIVE_QUESTIONS, (thread,)), *naming])
        return [*map(self._question, live), *self._named(named, interrupt_ids)]

    def delivered_questions(self, thread: str, tasks: Collection[str]) -> Sequence[Question]:
        if len(tasks) > _FEW:
            return [q for q in self.live_questions(thread) if q.task_id in tasks and q.state == DELIVERED]
        found = self._db.each([(_sql.DELIVERED_TO_TASK, (thread, self._pack(task))) for task in tasks])
        return [self._question(row) for rows in found for row in rows]

    def put_questions(self, questions: Iterable[Question]) -> None:
        self._db.do_many(_sql.PUT_QUESTION, [self._question_values(question) for question in questions])

    def settle_step(self, thread: str, ns: str, parent_id: str | None, source: str | None, made: str) -> None:
        parent = None if parent_id is None else self._pack(parent_id)
        self._db.do(*_sql.settle(thread, ns, parent, source, self._pack(made)))

    def take_alone(self, taken: Question, answers: Answers, seen: object = None) -> Tally:
        written = self._write_values(answers.row())
        values = (*taken[11:], *written[:3], taken.interrupt_id, *written[:5], b"", answers.packed_before())
        with self.atomic(taken.thread_id):
            return self._db.do_counted(self._db.take_and_answer, (*values, *written))

    def ask_anew(self, question: Question, writes: Sequence[WriteRow]) -> Tally:
        self.add_writes(writes)
        thread, ns, checkpoint_id, interrupt_id, task, *_ = values = self._question_values(question)
        if not self._db.knows_quiet(thread):
            self._db.do(_sql.USE_UP, (thread, task, ns, checkpoint_id, interrupt_id))
        return self._db.do_counted(_sql.INSERT_QUESTION, values[:10])

    def find_questions(self, wanted: QuestionFilter) -> list[Question]:
        """Open questions are found node by node: so one index is enough to find them by node and by age."""
        filters, everywhere = [wanted], wanted.node is None and wanted.thread_prefix is None
        if everywhere and OPEN in wanted.states and LIVE.issuperset(wanted.states):
            filters = [wanted._replace(node=node) for (node,) in self._db.all(_sql.ASKING_NODES)]
        found = chain.from_iterable(self._db.each([_sql.find_questions(part) for part in filters]))
        rows = sorted(found, key=_when_asked) if len(filters) > 1 else found
        return [self._question(row[:-1]) for row in islice(rows, wanted.limit)]

    def once_entry(self, thread: str, key: str) -> OnceRow | None:
        found = self._read("once", _sql.ONCE_ENTRY, (thread, key))
        return OnceRow(*found[0]) if found else None

    def once_entries(self, thread: str) -> list[OnceRow]:
        return [OnceRow(*row) for row in self._read("once", _sql.ONCE_ENTRIES, (thread,))]

    def put_once(self, rows: Iterable[OnceRow]) -> None:
        self._db.do_many(_sql.PUT_ONCE, list(rows))

    def delete_once(self, thread: str, key: str) -> None:
        self._db.do(_sql.DELETE_ONCE, (thread, key))

    def namespaces(self, thread: str | None) -> list[tuple[str, str]]:
        if thread is None:
            return self._read("spaces", _sql.NAMESPACES)
        return self._read("spaces", _sql.NAMESPACES_OF, (thread,))

    def threads(self, prefix: str | None, limit: int | None) -> list[ThreadInfo]:
        first = prefix or ""
        end = first + _sql.LAST_CHARACTER
        values = (first, end, end, _sql.ALL if limit is None else limit)
        return [
            ThreadInfo(thread, self._unpack(checkpoint_id), updated_at, count)
            for thread, checkpoint_id, updated_at, count in self._read("threads", _sql.THREADS, values)
        ]

    def delete_thread(self, thread: str) -> None:
        self._newest.forget()
        for statement in _sql.DELETE_THREAD:
            self._db.do(statement, (thread,))

    def _read(self, what: str, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a query that `_step`, `_write` and `_question` do not see; `what` says which it is."""
        return self._db.all(sql, values)

    def _step(self, row: Sequence[Any]) -> StepRow:
        thread, ns, checkpoint_id, parent_id, created_at, base_id, *rest = row
        own = self._unpack(checkpoint_id)
        parent = None if parent_id is None else self._unpack(parent_id)
        return StepRow(
            thread, ns, own, parent, created_at, own if base_id is None else self._unpack(base_id), *rest
        )

    def _step_values(self, row: StepRow) -> tuple[Any, ...]:
        """A step that is its own base is stored without it."""
        pack = self._pack
        thread, ns, own_id, parent_id, created_at, base_id, depth, since, size, metadata, body = row
        own, parent = pack(own_id), None if parent_id is None else pack(parent_id)
        base = None if base_id == own_id else pack(base_id)
        return (thread, ns, own, parent, created_at, base, depth, since, size, metadata, body)

    def _write(self, row: Sequence[Any]) -> WriteRow:
        thread, ns, checkpoint_id, task_id, *rest = row
        return WriteRow(thread, ns, self._unpack(checkpoint_id), self._unpack(task_id), *rest)

    def _write_values(self, row: WriteRow) -> tuple[Any, ...]:
        thread, ns, checkpoint_id, task_id, idx, name, path, channel, value = row
        return (thread, ns, self._pack(checkpoint_id), self._pack(task_id), idx, name, path, channel, value)

    def _question(self, row: Sequence[Any]) -> Question:
        thread, ns, checkpoint_id, interrupt_id, task_id, *rest = row
        return Question(thread, ns, self._unpack(checkpoint_id), interrupt_id, self._unpack(task_id), *rest)

    def _question_values(self, row: Question) -> tuple[Any, ...]:
        thread, ns, checkpoint_id, interrupt_id, task_id, *rest = row
        live = 1 if row.state in LIVE else None
        return (thread, ns, self._pack(checkpoint_id), interrupt_id, self._pack(task_id), *rest, live)


def _when_asked(row: Sequence[Any]) -> tuple[str, int]:
    """What sorts a row of `_sql.find_questions`: whether its time is text is looked at later."""
    return str(row[_ASKED_AT]), row[-1]
