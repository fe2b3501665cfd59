"""What a saver keeps of its threads, and for how long: deleting, pruning, copying."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nbhitl.checkpoint import _upkeep
from nbhitl.checkpoint._core import SaverCore
from nbhitl.checkpoint._filters import moment_of, name_of, names_of
from nbhitl.checkpoint._once import copied_entries
from nbhitl.checkpoint._upkeep import PruneRule
from nbhitl.checkpoint.claims import LIVE
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nbhitl.checkpoint._rows import StepRow

_STRATEGIES = ("keep_latest", "keep_answered", "delete")


class KeepingSaver(SaverCore):
    """`delete_thread`, `delete_for_runs`, `copy_thread`, `prune` and `prune_older`."""

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything about a thread: checkpoints, pending writes, questions, decisions, effects."""
        thread = name_of(thread_id, "delete_thread")
        with self._rows.atomic(thread, rewriting=True):
            self._rows.delete_thread(thread)
        self._forget(thread)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata has one of these `run_id`s; others stay readable.

        What was asked and decided at them goes too. The journal of `once()` belongs to the thread and stays.
        """
        wanted = set(run_ids)
        for thread in sorted({thread for thread, _ in self._rows.namespaces(None)}):
            with self._rows.atomic(thread, rewriting=True):
                for _, ns in self._rows.namespaces(thread):
                    rows = list(self._rows.steps_newest_first(thread, ns, None))
                    of_runs = (row for row in rows if self._metadata_of(row).get("run_id") in wanted)
                    doomed = {row.checkpoint_id for row in of_runs}
                    if doomed:
                        self._remove(thread, ns, rows, doomed)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy every checkpoint with its pending writes to a thread that does not exist yet.

        Questions that are open, or whose answer has not had its effect, are open in the copy; answers that
        were given, and the log of them, stay with the original. What `once()` has done is done in the copy too.

        Raises:
            StoreError: there is no such thread, or there is one of the new name.
        """
        source, target = (name_of(given, "copy_thread") for given in (source_thread_id, target_thread_id))
        with self._naming(), self._rows.atomic(source, target, rewriting=True):
            self._check_copy(source, target)
            questions = self._rows.questions(source)
            for _, ns in self._rows.namespaces(source):
                for row in reversed(list(self._rows.steps_newest_first(source, ns, None))):
                    self._rows.insert_step(row._replace(thread_id=target))
                writes = self._rows.writes_of_namespace(source, ns)
                self._rows.add_writes([*_upkeep.copied_writes(writes, questions, self._codec, target)])
            self._rows.put_questions(_upkeep.copied_questions(questions, target))
            self._rows.put_once(copied_entries(self._rows.once_entries(source), target))

    def _check_copy(self, source: str, target: str) -> None:
        if not self._exists(source):
            raise StoreError(
                f"copy_thread(): there is no thread {source!r}. threads() lists those there are."
            )
        if self._exists(target):
            raise StoreError(
                f"copy_thread(): thread {target!r} exists already. Copy to a new name, or delete_thread() it first."
            )

    def _exists(self, thread: str) -> bool:
        rows = self._rows
        return bool(rows.namespaces(thread) or rows.once_entries(thread) or rows.questions(thread))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete old checkpoints of threads; what stays can be read as before.

        Checkpoints where a question is open, or an answer is on its way or in doubt, always stay, and so do
        the decisions (`claims()`) and the journal of `once()`; only "delete" takes them along.

        Args:
            thread_ids: which threads.
            strategy: `keep_latest` keeps the newest checkpoint of each namespace; `keep_answered` those at
                which a question was answered too; `delete` deletes the threads.

        Raises:
            TypeError: one name by itself, and not a list.
            ValueError: another strategy.
        """
        _check_strategy("prune", strategy)
        for thread in names_of("prune", thread_ids):
            if strategy == "delete":
                self.delete_thread(thread)
            else:
                self._prune(thread, PruneRule(answered=strategy == "keep_answered"))

    def prune_older(
        self,
        than: timedelta | datetime | str,
        *,
        thread_ids: Sequence[str] | None = None,
        strategy: str = "keep_latest",
    ) -> int:
        """As `prune`, but only checkpoints that are older go.

        Args:
            than: an age, or a moment; a `datetime` without a time zone is UTC, text is ISO 8601.
            thread_ids: which threads; None is all of them.
            strategy: as for `prune`; `delete` deletes threads whose newest checkpoint is older, except those
                where something can still happen to a question.

        Returns:
            How many checkpoints were deleted.

        Raises:
            TypeError: `than` is none of these, or one name by itself and not a list.
            ValueError: another strategy, a text that is no time, or an age below 0: all would be older.
            StoreError: a checkpoint whose time cannot be read.
        """
        _check_strategy("prune_older", strategy)
        if isinstance(than, timedelta) and than < timedelta(0):
            raise ValueError(
                f"prune_older(than={than!r}): an age is not below 0. Give timedelta(days=30), for example."
            )
        rule = PruneRule(answered=strategy == "keep_answered", moment=moment_of("prune_older", "than", than))
        names = None if thread_ids is None else names_of("prune_older", thread_ids)
        found = names if names is not None else [*dict(self._rows.namespaces(None))]
        return sum(self._prune(thread, rule, whole=strategy == "delete") for thread in found)

    def _prune(self, thread: str, rule: PruneRule, *, whole: bool = False) -> int:
        """Prune one thread in one transaction; with `whole`, delete it or leave it. Return how many went."""
        with self._naming(), self._rows.atomic(thread, rewriting=True):
            spaces = {
                ns: list(self._rows.steps_newest_first(thread, ns, None))
                for _, ns in self._rows.namespaces(thread)
            }
            questions = self._rows.questions(thread)
            if whole:
                if any(question.state in LIVE for question in questions) or _upkeep.any_young(spaces, rule):
                    return 0
                self._rows.delete_thread(thread)
                doomed = {ns: {row.checkpoint_id for row in rows} for ns, rows in spaces.items()}
            else:
                kept = _upkeep.kept_places(spaces, questions, rule, self._codec)
                doomed = {
                    ns: {row.checkpoint_id for row in rows if (ns, row.checkpoint_id) not in kept}
                    for ns, rows in spaces.items()
                }
                for ns, gone in doomed.items():
                    self._remove(thread, ns, spaces[ns], gone, keep_decisions=True)
        self._forget(thread)
        return sum(map(len, doomed.values()))

    def _remove(
        self, thread: str, ns: str, rows: Sequence[StepRow], doomed: set[str], *, keep_decisions: bool = False
    ) -> None:
        """Delete steps; what those that stay need of them is saved with these first."""
        whole = _upkeep.made_whole(rows, doomed, self._codec)
        results = _upkeep.stranded_results(rows, doomed, self._codec) if keep_decisions else []
        for row in whole:
            self._rows.insert_step(row, replace=True)
        self._rows.add_writes(results)
        self._rows.delete_steps(thread, ns, doomed, keep_decisions=keep_decisions)
        self._forget(thread)


def _check_strategy(method: str, strategy: str) -> None:
    if strategy not in _STRATEGIES:
        allowed = ", ".join(map(repr, _STRATEGIES))
        raise ValueError(f"{method}(strategy={strategy!r}): use one of {allowed}.")
