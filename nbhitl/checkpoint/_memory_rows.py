"""A `RowStore` in memory: rows of threads in dicts."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._answers import RESUME_IDX
from nbhitl.checkpoint._memory_threads import NamespaceRows, ThreadRows
from nbhitl.checkpoint._row_store import Tally
from nbhitl.checkpoint.claims import APPLIED, DELIVERED, LIVE, OPEN, after_pause, after_step, claimed_as
from nbhitl.checkpoint.records import ThreadInfo
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from nbhitl.checkpoint._answers import Answers
    from nbhitl.checkpoint._once import OnceRow
    from nbhitl.checkpoint._outline import LeanRows
    from nbhitl.checkpoint._row_store import QuestionFilter
    from nbhitl.checkpoint._rows import StepRow, WriteRow
    from nbhitl.checkpoint.claims import Question


class MemoryRows:
    """A `RowStore` of dicts. What can fail is done before anything changes, so nothing is left half done.

    Ctrl-C can come amid a change all the same. Where steps are rewritten, all is undone then. Else a run can go on from
    what is there: a task's writes come all at once, and after the questions that it asks.
    """

    name = ""

    def __init__(self) -> None:
        self._threads: dict[str, ThreadRows] = {}
        # Threads to whose questions something could still happen when it was last looked; in the order of asking.
        self._asking: dict[str, None] = {}
        self._lock = RLock()
        self.held: AbstractContextManager[object] = self._lock

    def atomic(self, *threads: str, rewriting: bool = False) -> AbstractContextManager[Any]:
        return self._rewriting(threads) if rewriting else self._lock

    @contextmanager
    def _rewriting(self, names: Sequence[str]) -> Iterator[None]:
        with self._lock:
            threads = self._threads
            before = {name: threads[name].copy() for name in names if name in threads}
            try:
                yield
            except GeneratorExit:  # Ctrl-C came just before the block, or just after it
                raise
            except BaseException:
                threads.update(before)
                self._asking.update(dict.fromkeys(before))
                for name in names:
                    if name not in before:
                        self.delete_thread(name)
                raise

    def _space(self, thread: str, ns: str) -> NamespaceRows:
        found = self._threads.get(thread)
        if found is None:
            found = self._threads[thread] = ThreadRows()
        space = found.spaces.get(ns)
        if space is None:
            space = found.spaces[ns] = NamespaceRows()
        return space

    def _known(self, thread: str, ns: str) -> NamespaceRows | None:
        found = self._threads.get(thread)
        return found.spaces.get(ns) if found else None

    def step(self, thread: str, ns: str, checkpoint_id: str | None) -> StepRow | None:
        with self._lock:
            space = self._known(thread, ns)
            if space is None or not space.ids:
                return None
            wanted = space.ids[-1] if checkpoint_id is None else checkpoint_id
            return space.row(wanted) if wanted in space.steps else None

    def newest(self, thread: str, ns: str) -> tuple[StepRow, Sequence[WriteRow]] | None:
        with self._lock:
            found = self.standing(thread, ns)
            if found is None:
                return None
            return self._space(thread, ns).row(found[0].checkpoint_id), found[1]

    def standing(self, thread: str, ns: str) -> tuple[StepRow, Sequence[WriteRow]] | None:
        """Return it as it stands, which may be unpacked: it is for being compared with what stands there later."""
        with self._lock:
            space = self._known(thread, ns)
            if space is None or not space.ids:
                return None
            checkpoint_id = space.ids[-1]
            written = space.writes.get(checkpoint_id)
            return space.steps[checkpoint_id], _in_order(written) if written else ()

    def at_hand(self, thread: str, ns: str) -> tuple[tuple[StepRow, Sequence[WriteRow]] | None, None]:
        return self.standing(thread, ns), None

    def steps_from(self, thread: str, ns: str, first_id: str, last_id: str) -> Sequence[StepRow]:
        with self._lock:
            space = self._known(thread, ns)
            if space is None:
                return ()
            start, end = bisect_left(space.ids, first_id), bisect_left(space.ids, last_id)
            return [*map(space.row, space.ids[start : end + 1])]

    def steps_newest_first(self, thread: str, ns: str, before: str | None) -> Iterator[StepRow]:
        with self._lock:
            space = self._known(thread, ns)
            if space is None:
                return iter(())
            end = len(space.ids) if before is None else bisect_left(space.ids, before)
            return iter([*map(space.row, reversed(space.ids[:end]))])

    def outline(self, thread: str, ns: str) -> LeanRows:
        with self._lock:
            space = self._known(thread, ns)
            rows = [*map(space.row, space.ids)] if space else []
        _, _, ids, parents, times, *_, metadata, bodies = zip(*rows, strict=True) if rows else [()] * 11
        return ids, parents, times, metadata, bodies

    def children(self, thread: str, ns: str, checkpoint_id: str) -> Iterator[StepRow]:
        with self._lock:
            space = self._known(thread, ns)
            return iter([*map(space.row, space.children_of(checkpoint_id))] if space else ())

    def insert_step(self, row: StepRow, *, replace: bool = False) -> None:
        space = self._space(row.thread_id, row.ns)
        if row.checkpoint_id in space.steps:
            if not replace:
                raise StoreError(f"thread {row.thread_id!r} has a checkpoint {row.checkpoint_id} already.")
            space.remove(row.checkpoint_id)
        space.insert(row)

    def insert_if_quiet(self, row: StepRow, *, lazily: bool = False) -> bool:
        """Only for the usual step: the first one, or one after the newest."""
        with self._lock:
            thread_id, ns, checkpoint_id, parent_id = row[:4]
            thread = self._threads.get(thread_id)
            if thread is not None and thread.live:
                return False
            space = thread.spaces.get(ns) if thread else None
            if space is None or not space.ids:
                if parent_id is not None:
                    return False
                space = self._space(thread_id, ns)
            elif parent_id not in space.steps or checkpoint_id <= space.ids[-1]:
                return False
            space.steps[checkpoint_id] = row
            space.ids.append(checkpoint_id)
            return True

    def delete_steps(
        self, thread: str, ns: str, checkpoint_ids: Iterable[str], *, keep_decisions: bool = False
    ) -> None:
        space = self._space(thread, ns)
        found = self._threads[thread]
        gone = set(checkpoint_ids)
        for checkpoint_id in gone:
            space.remove(checkpoint_id)
            space.writes.pop(checkpoint_id, None)
        for key, question in [*found.questions.items()]:
            if key[0] == ns and key[1] in gone and not (keep_decisions and question.state == APPLIED):
                del found.questions[key]
                found.live.pop(key, None)

    def writes(self, thread: str, ns: str, checkpoint_id: str) -> Sequence[WriteRow]:
        with self._lock:
            space = self._known(thread, ns)
            return _in_order(space.writes.get(checkpoint_id, {})) if space else ()

    def writes_of_namespace(self, thread: str, ns: str) -> Sequence[WriteRow]:
        with self._lock:
            space = self._known(thread, ns)
            return [row for rows in space.writes.values() for row in _in_order(rows)] if space else ()

    def add_writes(self, rows: Sequence[WriteRow]) -> None:
        written: dict[tuple[str, int], WriteRow] = {}
        place, new = None, written
        for row in rows:
            if row[:3] != place:
                written.update(new)
                place, new = row[:3], {}
                written = self._space(row.thread_id, row.ns).writes.setdefault(row.checkpoint_id, {})
            key = (row.task_id, row.idx)
            if row.idx < 0 or (key not in written and key not in new):
                new[key] = row
        written.update(new)  # at once: half of a task's writes would be taken for all of them

    def delete_writes(self, thread: str, ns: str, checkpoint_id: str, task_id: str, idx: int) -> None:
        self._space(thread, ns).writes.get(checkpoint_id, {}).pop((task_id, idx), None)

    def questions(
        self, thread: str, ns: str | None = None, checkpoint_id: str | None = None
    ) -> list[Question]:
        with self._lock:
            found = self._threads.get(thread)
            return [
                question
                for question in (found.questions.values() if found else ())
                if (ns is None or question.ns == ns)
                and (checkpoint_id is None or question.checkpoint_id == checkpoint_id)
            ]

    def named_questions(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> Sequence[Question]:
        with self._lock:
            found = self._threads.get(thread)
            if found is None or not found.questions:
                return []
            known, keys = found.questions, [(ns, checkpoint_id, id) for id in interrupt_ids]
            return [known[key] for key in keys if key in known]

    def asked_at(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> tuple[Sequence[Question], Sequence[WriteRow]]:
        with self._lock:
            place = (thread, ns, checkpoint_id)
            return self.named_questions(*place, interrupt_ids), self.writes(*place)

    def live_questions(self, thread: str) -> Sequence[Question]:
        found = self._threads.get(thread)
        return tuple(found.live.values()) if found and found.live else ()

    def live_or_named(
        self, thread: str, ns: str, checkpoint_id: str, interrupt_ids: Collection[str]
    ) -> Sequence[Question]:
        named = self.named_questions(thread, ns, checkpoint_id, interrupt_ids)
        return [*self.live_questions(thread), *named]

    def delivered_questions(self, thread: str, tasks: Collection[str]) -> Sequence[Question]:
        return [q for q in self.live_questions(thread) if q.task_id in tasks and q.state == DELIVERED]

    def put_questions(self, questions: Iterable[Question]) -> None:
        for question in questions:
            thread = question.thread_id
            self._space(thread, question.ns)
            self._move(self._threads[thread], question[1:4], question)

    def settle_step(self, thread: str, ns: str, parent_id: str | None, source: str | None, made: str) -> None:
        found = self._threads[thread]
        for key, question in [*found.live.items()]:
            moved = after_step(question, ns, parent_id, source, made)
            if moved is not question:
                self._move(found, key, moved)

    def _move(self, thread: ThreadRows, key: tuple[str, str, str], question: Question) -> None:
        comes_back = key in thread.questions and key not in thread.live
        thread.questions[key] = question
        if question.state in LIVE:
            thread.live[key] = question
            self._asking[question.thread_id] = None
            if (
                comes_back
            ):  # to its place among those that were asked in the same moment, as in a copied thread
                thread.live = {
                    asked: found for asked, found in thread.questions.items() if asked in thread.live
                }
                self._asking = {name: None for name in self._threads if name in self._asking}
        else:
            thread.live.pop(key, None)

    def take_alone(self, taken: Question, answers: Answers, seen: object = None) -> Tally:
        with self._lock:
            thread, key = self._threads.get(taken.thread_id), taken[1:4]
            asked = thread.live.get(key) if thread else None
            if thread is None or asked is None or asked.state != OPEN:
                return Tally()
            written = thread.spaces[taken.ns].writes.setdefault(taken.checkpoint_id, {})
            place = (taken.task_id, RESUME_IDX)
            resume = answers.row_after(written.get(place))
            if resume is None:
                return Tally()
            written[place] = resume
            thread.questions[key] = thread.live[key] = claimed_as(asked, taken)
            return Tally(1)

    def ask_anew(self, question: Question, writes: Sequence[WriteRow]) -> Tally:
        self._space(question.thread_id, question.ns)
        thread, key = self._threads[question.thread_id], question[1:4]
        if thread.live:
            asks, ids = (question.task_id,), (question.interrupt_id,)
            for place, asked in [*thread.live.items()]:
                if asked.state == DELIVERED and place[:2] == key[:2]:
                    self._move(thread, place, after_pause(asked, asks, ids))
        if key in thread.questions:
            return Tally()
        thread.questions[key] = thread.live[key] = question
        self._asking[question.thread_id] = None
        self.add_writes(writes)
        return Tally(1)

    def find_questions(self, wanted: QuestionFilter) -> list[Question]:
        with self._lock:
            threads, only_live = self._threads, LIVE.issuperset(wanted.states)
            found = [
                question
                for name in (self._still_asking() if only_live else threads)
                if wanted.thread_prefix is None or name.startswith(wanted.thread_prefix)
                for question in (threads[name].live if only_live else threads[name].questions).values()
                if question.state in wanted.states
                and wanted.node in (None, question.node)
                and (wanted.asked_before is None or question.asked_at < wanted.asked_before)
            ]
        found.sort(key=lambda question: question.asked_at)
        return found[: wanted.limit]

    def _still_asking(self) -> Iterable[str]:
        """The threads with live questions; whoever looks clears the others away, so that asking need not."""
        threads = self._threads
        self._asking = {name: None for name in self._asking if name in threads and threads[name].live}
        return self._asking

    def once_entry(self, thread: str, key: str) -> OnceRow | None:
        with self._lock:
            found = self._threads.get(thread)
            return found.once.get(key) if found else None

    def once_entries(self, thread: str) -> list[OnceRow]:
        with self._lock:
            found = self._threads.get(thread)
            return sorted(found.once.values(), key=lambda row: row.started_at) if found else []

    def put_once(self, rows: Iterable[OnceRow]) -> None:
        for row in rows:
            self._threads.setdefault(row.thread_id, ThreadRows()).once[row.key] = row

    def delete_once(self, thread: str, key: str) -> None:
        del self._threads[thread].once[key]

    def namespaces(self, thread: str | None) -> list[tuple[str, str]]:
        with self._lock:
            names = list(self._threads) if thread is None else [thread] if thread in self._threads else []
            return [
                (name, ns) for name in names for ns, space in self._threads[name].spaces.items() if space.ids
            ]

    def threads(self, prefix: str | None, limit: int | None) -> list[ThreadInfo]:
        with self._lock:
            names = sorted(name for name in self._threads if prefix is None or name.startswith(prefix))
            infos = (info for name in names if (info := self._info(name)) is not None)
            return list(islice(infos, limit))

    def _info(self, name: str) -> ThreadInfo | None:
        newest = self.step(name, "", None)
        if newest is None:
            return None
        is_open = sum(question.state == "open" for question in self._threads[name].live.values())
        return ThreadInfo(name, newest.checkpoint_id, newest.created_at, is_open)

    def delete_thread(self, thread: str) -> None:
        self._threads.pop(thread, None)
        self._asking.pop(thread, None)


def _in_order(rows: dict[tuple[str, int], WriteRow]) -> Sequence[WriteRow]:
    return [rows[key] for key in sorted(rows)] if len(rows) > 1 else tuple(rows.values())
