"""LangGraph's interface on top of stored steps."""

from __future__ import annotations

from functools import partial
from heapq import merge
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint import _upkeep
from nbhitl.checkpoint._core import SaverCore
from nbhitl.checkpoint._fold import fold_newest_first
from nbhitl.checkpoint._metadata import encode_metadata
from nbhitl.checkpoint._read_on import read_on
from nbhitl.checkpoint._rows import StepRow, encode_body, encode_writes
from nbhitl.checkpoint._shape import checkpoint_tuple, classic_body
from nbhitl.checkpoint.base import (
    WRITES_IDX_MAP,
    CheckpointTuple,
    get_checkpoint_metadata,
    saver_config,
)
from nbhitl.checkpoint.records import TaskWrites
from nbhitl.config import place_name
from nbhitl.constants import CONF, ERROR
from nbhitl.errors import StoreError, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbhitl.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
    from nbhitl.config import RunnableConfig


def _names(config: RunnableConfig) -> tuple[str, str, str | None]:
    conf = config[CONF]
    ns, checkpoint_id = _place_in(conf)
    return str(conf["thread_id"]), ns or "", checkpoint_id


def _place_in(conf: dict[str, Any]) -> tuple[str | None, str | None]:
    return place_name(conf, "checkpoint_ns"), place_name(conf, "checkpoint_id")


def _id_of(found: CheckpointTuple) -> str:
    checkpoint_id: str = found.config[CONF]["checkpoint_id"]
    return checkpoint_id


class ClassicSaver(SaverCore):
    """`get_tuple`, `list`, `put` and `put_writes`, for a store of steps."""

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names, the newest if it names none, or None."""
        thread, ns, checkpoint_id = _names(config)
        with self._naming():
            folded = self._folded(thread, ns, checkpoint_id or None)
            if folded is None:
                return None
            writes = self._writes_at(folded.row, newest=not checkpoint_id)
            return checkpoint_tuple(folded, self._metadata_of(folded.row), writes)

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
        thread, (ns, only) = conf.get("thread_id"), _place_in(conf)
        earlier = place_name(before[CONF], "checkpoint_id") if before else None
        spaces = [
            pair
            for pair in self._rows.namespaces(None if thread is None else str(thread))
            if ns is None or pair[1] == ns
        ]
        parts = [
            read_on(partial(self._list_namespace, pair, filter or {}, only), _id_of, earlier)
            for pair in spaces
        ]
        newest_first = merge(*parts, key=_id_of, reverse=True)
        with self._naming():
            for count, found in enumerate(newest_first):
                if limit is not None and count >= limit:
                    return
                yield found

    def _list_namespace(
        self, pair: tuple[str, str], filter: dict[str, Any], only: str | None, before: str | None, _: int
    ) -> Iterator[CheckpointTuple]:
        def wanted(row: StepRow) -> bool:
            if only is not None and row.checkpoint_id != only:
                return False
            return not filter or _upkeep.matches(self._metadata_of(row), filter, by_path=self.filters_by_path)

        rows = self._rows.steps_newest_first(*pair, before)
        for folded in fold_newest_first(rows, self._codec, wanted):
            yield checkpoint_tuple(
                folded, self._metadata_of(folded.row), self._writes_at(folded.row, newest=False)
            )

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a whole checkpoint; return the config that names it.

        One that is there already is replaced: what is asked there stays open, and those around it stay as they are.
        """
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
        replaces = self._rows.step(thread, ns, checkpoint_id) is not None
        with self._rows.atomic(thread, rewriting=replaces):
            if replaces:
                self._spare_neighbours(thread, ns, checkpoint_id)
            self._rows.insert_step(row, replace=True)
            if not replaces:
                self._rows.settle_step(thread, ns, parent_id, own.get("source"), checkpoint_id)
        self._forget(thread)
        return saver_config(thread, ns, checkpoint_id)

    def _spare_neighbours(self, thread: str, ns: str, checkpoint_id: str) -> None:
        """Save with the steps around it what they need of a step that is about to be replaced."""
        rows = [*self._rows.steps_newest_first(thread, ns, None)]
        for row in _upkeep.made_whole(rows, {checkpoint_id}, self._codec):
            self._rows.insert_step(row, replace=True)
        self._rows.add_writes(_upkeep.stranded_results(rows, {checkpoint_id}, self._codec))

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
        """Save what a task wrote at a checkpoint; saving it again changes nothing but reserved channels.

        Raises:
            AlreadyAnswered: it delivers an answer that another saver hands on here, and another answer came first.
            AnswerInDoubt: the same, and whoever gave that one never reported back.
        """
        thread, ns, checkpoint_id = _names(config)
        if checkpoint_id is None:
            raise StoreError(
                f"put_writes() for thread {thread!r}: config['configurable'] names no checkpoint_id. "
                "Pass the config that put() returned."
            )
        # An exception is no data; LangGraph keeps it for showing it, as its repr.
        shown = [(c, repr(v) if c == ERROR and isinstance(v, BaseException) else v) for c, v in writes]
        task = TaskWrites(task_id, "", (task_path,) if task_path else (), shown)
        self._save_writes((thread, ns, checkpoint_id), task, config)

    def _save_writes(self, place: tuple[str, str, str], task: TaskWrites, config: RunnableConfig) -> None:
        """Save what a task left at a checkpoint."""
        rows = encode_writes(place, task, self._codec, WRITES_IDX_MAP)
        with self._rows.atomic(place[0]):
            self._rows.add_writes(rows)
