"""LangGraph's interface on top of stored steps."""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint import _upkeep
from nbhitl.checkpoint._core import SaverCore
from nbhitl.checkpoint._fold import fold_newest_first
from nbhitl.checkpoint._once import copied_entries
from nbhitl.checkpoint._rows import StepRow, encode_body, encode_metadata, encode_writes
from nbhitl.checkpoint._shape import checkpoint_tuple, classic_body
from nbhitl.checkpoint.base import WRITES_IDX_MAP, CheckpointTuple, get_checkpoint_metadata, saver_config
from nbhitl.checkpoint.records import TaskWrites
from nbhitl.constants import CONF, ERROR
from nbhitl.errors import StoreError, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbhitl.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
    from nbhitl.config import RunnableConfig


def _names(config: RunnableConfig) -> tuple[str, str, str | None]:
    conf = config[CONF]
    return str(conf["thread_id"]), conf.get("checkpoint_ns") or "", conf.get("checkpoint_id")


class ClassicSaver(SaverCore):
    """`get_tuple`, `list`, `put`, `put_writes` and what deletes and copies, for a store of steps."""

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names, the newest if it names none, or None."""
        thread, ns, checkpoint_id = _names(config)
        folded = self._folded(thread, ns, checkpoint_id or None)
        if folded is None:
            return None
        writes = self._pending(folded.row, newest=not checkpoint_id)
        return checkpoint_tuple(folded, self._metadata(folded.row), writes)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first; see `BaseCheckpointSaver.list`."""
        conf: dict[str, Any] = config.get(CONF) or {} if config else {}
        thread, ns, only = conf.get("thread_id"), conf.get("checkpoint_ns"), conf.get("checkpoint_id")
        earlier = _names(before)[2] if before else None
        spaces = [
            pair
            for pair in self._rows.namespaces(None if thread is None else str(thread))
            if ns is None or pair[1] == ns
        ]
        parts = [self._list_namespace(pair, filter or {}, earlier, only) for pair in spaces]
        newest_first = merge(*parts, key=lambda found: found.config[CONF]["checkpoint_id"], reverse=True)
        for count, found in enumerate(newest_first):
            if limit is not None and count >= limit:
                return
            yield found

    def _list_namespace(
        self, pair: tuple[str, str], filter: dict[str, Any], before: str | None, only: str | None
    ) -> Iterator[CheckpointTuple]:
        def wanted(row: StepRow) -> bool:
            if only is not None and row.checkpoint_id != only:
                return False
            return not filter or _upkeep.matches(self._metadata(row), filter)

        rows = self._rows.steps_newest_first(*pair, before)
        for folded in fold_newest_first(rows, self._codec, wanted):
            yield checkpoint_tuple(
                folded, self._metadata(folded.row), self._pending(folded.row, newest=False)
            )

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a whole checkpoint; return the config that names it."""
        thread, ns, parent_id = _names(config)
        own = cast("dict[str, Any]", get_checkpoint_metadata(config, metadata))
        try:
            body = encode_body(classic_body(checkpoint), self._codec)
            about = encode_metadata(own, self._codec)
        except UnsupportedValue as error:
            raise self._unsupported(thread, checkpoint, error) from None
        checkpoint_id = checkpoint["id"]
        row = StepRow(
            thread,
            ns,
            checkpoint_id,
            parent_id,
            checkpoint["ts"],
            checkpoint_id,
            1,
            0,
            len(body),
            about,
            body,
        )
        with self._rows.atomic(thread):
            self._rows.insert_step(row, replace=True)
            self._settle(thread, ns, parent_id, own.get("source"))
        self._forget(thread)
        return saver_config(thread, ns, checkpoint_id)

    def _settle(self, thread: str, ns: str, parent_id: str | None, source: str | None) -> None:
        raise NotImplementedError

    def _unsupported(self, thread: str, checkpoint: Checkpoint, error: UnsupportedValue) -> UnsupportedValue:
        for key, value in checkpoint["channel_values"].items():
            try:
                self._codec.dumps(value)
            except UnsupportedValue as problem:
                return UnsupportedValue(f"state key {key!r} (thread {thread!r}) cannot be saved: {problem}.")
        return UnsupportedValue(f"a checkpoint of thread {thread!r} cannot be saved: {error}.")

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Save what a task wrote at a checkpoint; saving it again changes nothing but reserved channels."""
        thread, ns, checkpoint_id = _names(config)
        if checkpoint_id is None:
            raise StoreError(
                f"put_writes() for thread {thread!r}: config['configurable'] names no checkpoint_id. "
                "Pass the config that put() returned."
            )
        # An exception is no data; LangGraph keeps it for showing it, as its repr.
        shown = [(c, repr(v) if c == ERROR and isinstance(v, BaseException) else v) for c, v in writes]
        task = TaskWrites(task_id, "", (task_path,) if task_path else (), shown)
        rows = encode_writes((thread, ns, checkpoint_id), task, self._codec, WRITES_IDX_MAP)
        with self._rows.atomic(thread):
            self._rows.add_writes(rows)

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything about a thread: checkpoints, pending writes, questions, decisions, effects."""
        with self._rows.atomic(str(thread_id), rewriting=True):
            self._rows.delete_thread(str(thread_id))
        self._forget(str(thread_id))

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints whose metadata has one of these `run_id`s; others stay readable."""
        wanted = set(run_ids)
        for thread in sorted({thread for thread, _ in self._rows.namespaces(None)}):
            with self._rows.atomic(thread, rewriting=True):
                for _, ns in self._rows.namespaces(thread):
                    rows = list(self._rows.steps_newest_first(thread, ns, None))
                    of_runs = (row for row in rows if self._metadata(row).get("run_id") in wanted)
                    doomed = {row.checkpoint_id for row in of_runs}
                    if doomed:
                        self._remove(thread, ns, rows, doomed)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy every checkpoint with its pending writes to another thread.

        Open questions are open in the copy; answers that were given stay with the original. What `once()` has
        done is done in the copy too.

        Raises:
            StoreError: there is no such thread, or the target has a checkpoint of the same id.
        """
        source, target = str(source_thread_id), str(target_thread_id)
        with self._rows.atomic(source, target, rewriting=True):
            for _, ns in self._rows.namespaces(source):
                for row in reversed(list(self._rows.steps_newest_first(source, ns, None))):
                    self._rows.insert_step(row._replace(thread_id=target))
                writes = self._rows.writes_of_namespace(source, ns)
                self._rows.add_writes([write._replace(thread_id=target) for write in writes])
            self._rows.put_questions(_upkeep.copied_questions(self._rows.questions(source), target))
            self._rows.put_once(copied_entries(self._rows.once_entries(source), target))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Delete old checkpoints of threads.

        Args:
            thread_ids: which threads.
            strategy: `keep_latest` keeps the newest checkpoint of each namespace, `delete` none.

        Raises:
            ValueError: another strategy.
        """
        if strategy not in ("keep_latest", "delete"):
            raise ValueError(f"prune(strategy={strategy!r}): use 'keep_latest' or 'delete'.")
        for thread in map(str, thread_ids):
            if strategy == "delete":
                self.delete_thread(thread)
                continue
            with self._rows.atomic(thread, rewriting=True):
                for _, ns in self._rows.namespaces(thread):
                    rows = list(self._rows.steps_newest_first(thread, ns, None))
                    self._remove(thread, ns, rows, {row.checkpoint_id for row in rows[1:]})

    def _remove(self, thread: str, ns: str, rows: Sequence[StepRow], doomed: set[str]) -> None:
        """Delete steps; those that were folded from them become whole first."""
        for row in _upkeep.made_whole(rows, doomed, self._codec):
            self._rows.insert_step(row, replace=True)
        self._rows.delete_steps(thread, ns, doomed)
        self._forget(thread)
