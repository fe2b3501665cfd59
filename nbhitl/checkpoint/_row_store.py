"""`RowStore`: what a saver of steps needs of a store, rows in, rows out. Memory and databases implement it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from nbhitl.checkpoint._answers import Answers
    from nbhitl.checkpoint._once import OnceRow
    from nbhitl.checkpoint._outline import LeanRows
    from nbhitl.checkpoint._rows import StepRow, WriteRow
    from nbhitl.checkpoint.claims import Question
    from nbhitl.checkpoint.records import ThreadInfo


class QuestionFilter(NamedTuple):
    """Which questions to list; None does not restrict. `asked_before` is UTC, ISO 8601."""

    states: tuple[str, ...]
    node: str | None = None
    asked_before: str | None = None
    thread_prefix: str | None = None
    limit: int | None = None


class Tally:
    """How many rows a change has changed; known once its transaction is over."""

    __slots__ = ("changed",)

    def __init__(self, changed: int = 0) -> None:
        self.changed = changed


class RowStore(Protocol):
    """Rows of steps, pending writes and questions. `thread`, `ns` and checkpoint id name a step."""

    @property
    def name(self) -> str:
        """How errors call the store; empty in memory."""

    @property
    def held(self) -> AbstractContextManager[object]:
        """While it is held, no other thread changes anything through this object."""

    def atomic(self, *threads: str, rewriting: bool = False) -> AbstractContextManager[None]:
        """Return a context in which changes are made together or, after an exception, not at all.

        Args:
            threads: what is read and changed belongs to these; nobody else changes them meanwhile, but for
                steps that `insert_if_quiet` adds.
            rewriting: steps of these threads will be deleted or replaced, or their questions closed from outside of a
                run; then nobody else adds one either, and not even Ctrl-C leaves half of it.
        """

    def step(self, thread: str, ns: str, checkpoint_id: str | None) -> StepRow | None:
        """Return one step; the newest of the namespace when no id is given."""

    def newest(self, thread: str, ns: str) -> tuple[StepRow, Sequence[WriteRow]] | None:
        """Return the newest step of a namespace, and its pending writes by task id and index."""

    def standing(self, thread: str, ns: str) -> tuple[StepRow, object] | None:
        """Return the newest step of a namespace, and what is equal as long as it has the same pending writes, if nothing
        has to be read for it; else None. Others may have changed the thread since.
        """

    def at_hand(self, thread: str, ns: str) -> tuple[tuple[StepRow, object] | None, object]:
        """Return what is `standing` if nobody else has changed it, else None; and what `take_alone` wants to see that
        it is so, None if it is certain.
        """

    def steps_from(self, thread: str, ns: str, first_id: str, last_id: str) -> Sequence[StepRow]:
        """Return the steps of the namespace from one id to another, both included."""

    def steps_newest_first(self, thread: str, ns: str, before: str | None) -> Iterator[StepRow]:
        """Yield the steps of the namespace whose ids are less than `before`."""

    def outline(self, thread: str, ns: str) -> LeanRows:
        """Return all steps of the namespace, oldest first: ids, parents' ids, times, metadata and bodies."""

    def children(self, thread: str, ns: str, checkpoint_id: str) -> Iterator[StepRow]:
        """Yield the later steps whose parent this is, oldest first."""

    def insert_step(self, row: StepRow, *, replace: bool = False) -> None:
        """Add a step.

        Raises:
            StoreError: there is one of that id, and `replace` is false.
        """

    def insert_if_quiet(self, row: StepRow, *, lazily: bool = False) -> bool:
        """Add a step, as a change of its own, if nothing else has to be thought of: no question of its thread
        can still be answered, and the parent that it is folded from is there.

        Args:
            row: the step.
            lazily: it need not be on disk before this returns: the process may die then, the server not.

        Returns:
            Whether it was added.
        """

    def delete_steps(
        self, thread: str, ns: str, checkpoint_ids: Iterable[str], *, keep_decisions: bool = False
    ) -> None:
        """Delete steps with their pending writes and questions; those in state `applied` may be kept."""

    def writes(self, thread: str, ns: str, checkpoint_id: str) -> Sequence[WriteRow]:
        """Return the pending writes of a step, by task id and index."""

    def writes_of_namespace(self, thread: str, ns: str) -> Sequence[WriteRow]:
        """Return the pending writes of all steps of a namespace, each step's by task id and index."""

    def add_writes(self, rows: Sequence[WriteRow]) -> None:
        """Add pending writes; of one task and index the first stays, or the last if idx < 0."""

    def delete_writes(self, thread: str, ns: str, checkpoint_id: str, task_id: str, idx: int) -> None:
        """Delete one pending write."""

    def questions(
        self, thread: str, ns: str | None = None, checkpoint_id: str | None = None
    ) -> list[Question]:
        """Return the questions of a thread, or of one step of it, oldest first."""

    def named_questions(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> Sequence[Question]:
        """Return those of a step's questions that have these ids, in any order."""

    def asked_at(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> tuple[Sequence[Question], Sequence[WriteRow]]:
        """Return those of a step's questions that have these ids, and all of its pending writes."""

    def live_questions(self, thread: str) -> Sequence[Question]:
        """Return the questions of a thread to which something can still happen."""

    def live_or_named(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> Sequence[Question]:
        """Return the live questions of a thread, and those of a step's that have these ids; some perhaps twice."""

    def delivered_questions(self, thread: str, tasks: Collection[str]) -> Sequence[Question]:
        """Return the questions of these tasks whose answers are on their way."""

    def put_questions(self, questions: Iterable[Question]) -> None:
        """Add questions, or replace them."""

    def settle_step(self, thread: str, ns: str, parent_id: str | None, source: str | None, made: str) -> None:
        """Move the thread's questions on after the step `made` was added: `claims.after_step` for each."""

    def take_alone(self, taken: Question, answers: Answers, seen: object = None) -> Tally:
        """Take an open question up and add the write that delivers its answer, as a change of its own; or change nothing.

        Nothing is changed where the question is not open, or its task's answers so far are not `answers.before`; nor,
        if `seen` comes from `at_hand`, where others have changed anything.
        """

    def ask_anew(self, question: Question, writes: Sequence[WriteRow]) -> Tally:
        """Add a question that is its task's next one, and the task's pending writes; none if there is one of that id:
        then the writes may be missing.

        The answers that its task has used are applied in any case.
        """

    def find_questions(self, wanted: QuestionFilter) -> list[Question]:
        """Return the questions of all threads that match, oldest first."""

    def once_entry(self, thread: str, key: str) -> OnceRow | None:
        """Return one entry of a thread's journal of effects."""

    def once_entries(self, thread: str) -> list[OnceRow]:
        """Return a thread's journal of effects, in the order in which they started."""

    def put_once(self, rows: Iterable[OnceRow]) -> None:
        """Add entries, or replace them."""

    def delete_once(self, thread: str, key: str) -> None:
        """Delete one entry."""

    def namespaces(self, thread: str | None) -> list[tuple[str, str]]:
        """Return pairs of thread and namespace: of one thread, or of all."""

    def threads(self, prefix: str | None, limit: int | None) -> list[ThreadInfo]:
        """Return the threads whose names begin so, by name."""

    def delete_thread(self, thread: str) -> None:
        """Delete everything about a thread."""
