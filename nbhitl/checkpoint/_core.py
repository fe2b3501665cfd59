"""What all parts of a saver of steps share: the store, the serializer, and reading one step."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._answers import answers_in
from nbhitl.checkpoint._fold import Folded, ancestry, fold, joined
from nbhitl.checkpoint._metadata import decode_metadata
from nbhitl.checkpoint._recall import Recall
from nbhitl.checkpoint._reread import Reread
from nbhitl.checkpoint._rows import CLASSIC, DELTA, Body, Codec, Tip, decode_body, decode_write, unreadable
from nbhitl.checkpoint._typed import codec_of
from nbhitl.checkpoint.base import BaseCheckpointSaver
from nbhitl.checkpoint.serde import Serde, SerializerProtocol
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nbhitl.checkpoint._row_store import RowStore
    from nbhitl.checkpoint._rows import StepRow, WriteRow
    from nbhitl.checkpoint.base import PendingWrite
    from nbhitl.checkpoint.records import Kept


_QUICKLY_READ = 1024
"""Bytes of a whole state that is read as quickly as it is recalled."""


class StepGone(StoreError):
    """Somebody deleted a step while it was read."""


class SaverCore(BaseCheckpointSaver[int]):
    """A saver's store and serializer."""

    filters_by_path = False
    """Whether a dot in a filter's key leads into the metadata: in SQLite, as with LangGraph's saver there."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.__module__.startswith("nbhitl."):
            from nbhitl.checkpoint._overridden import warn_of_private_names

            warn_of_private_names(cls)

    def __init__(self, rows: RowStore, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._rows = rows
        self._tips: dict[tuple[str, str], Tip] = {}
        self._recall = Recall()
        self._reread = Reread()
        self._looked: tuple[str, str] | None = None
        # Threads that are known to have open questions: a step of theirs has to look at them.
        self._asking: set[str] = set()
        # The newest step where runs paused and what stands for its writes, the serializer of then, and what they kept:
        # see `answer_pause`.
        self._paused: dict[tuple[str, str], tuple[tuple[StepRow, object], SerializerProtocol, Kept]] = {}

    @property
    def _codec(self) -> Codec:
        serde = self.serde
        return serde if serde.__class__ is Serde else codec_of(serde)

    def _name_store(self, error: StoreError) -> StoreError:
        """Put the store's name before an error about what is stored; return the error."""
        name = self._rows.name
        if name and not str(error).startswith(name):
            error.args = (f"{name}, {error}",)
        return error

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Return a context in which errors about what is stored name the store."""
        try:
            yield
        except StoreError as error:
            self._name_store(error)
            raise

    def _folded(self, thread: str, ns: str, checkpoint_id: str | None) -> Folded | None:
        row = self._rows.step(thread, ns, checkpoint_id)
        try:
            return None if row is None else self._folded_at(row)
        except StepGone:
            row = self._rows.step(thread, ns, checkpoint_id)
            return None if row is None else self._folded_at(row)

    def _folded_at(self, row: StepRow) -> Folded:
        """Fold a step; if what it is folded from went while it was read, as by pruning, what the step is now.

        Raises:
            StepGone: it was deleted meanwhile.
            StoreError: it is damaged.
        """
        try:
            return self._folded_once(row)
        except StoreError:
            now = self._rows.step(*row[:3])
            if now == row:
                raise
        if now is None:
            raise StepGone(
                f"thread {row.thread_id!r}, checkpoint {row.checkpoint_id}: somebody deleted it while it was read. "
                "Read the thread again."
            )
        return self._folded_once(now)

    def _folded_once(self, row: StepRow) -> Folded:
        if row.is_whole:
            return fold([row], self._codec)
        between = self._rows.steps_from(row.thread_id, row.ns, row.base_id, row.checkpoint_id)
        return fold(ancestry(between, row), self._codec)

    def _recalled(self, row: StepRow, *, share: bool) -> Folded:
        """As `_folded_at`, from the state that is kept of the thread if that is quicker; of the step only the frame, and
        without versions. With `share`, messages may be the same objects as in an earlier result.
        """
        if row.is_whole and len(row.body) < _QUICKLY_READ:
            return fold([row], self._codec)
        followed = self._followed(row, share)
        if followed is not None:
            return followed
        folded = self._folded_at(row)
        if folded.body.kind == CLASSIC:
            return folded
        try:
            return folded._replace(values=self._recall.keep(folded, self._codec, share))
        except Exception:
            # A serializer may read what it does not write, and raise anything then: it is not kept.
            return folded

    def _followed(self, row: StepRow, share: bool) -> Folded | None:
        """The kept state of the thread, moved on to this step; None if it has to be read."""
        since = self._recall.kept_at(row.thread_id, row.ns)
        steps = None if since is None else self._steps_since(row, since)
        if since is None or steps is None:
            return None
        try:
            kept = self._recall.follow(since, steps, self._codec, share)
        except Exception:  # as in `_recalled`
            return None
        if kept is None:
            return None
        values, frame = kept
        if steps:
            return Folded(row, steps[-1][1], values, {})
        body = decode_body(row, self._codec) if frame is None else Body(DELTA, frame, {})
        return Folded(row, body, values, {})

    def _steps_since(self, row: StepRow, since: StepRow) -> list[tuple[StepRow, Body]] | None:
        """The steps that follow the row `since`, to `row`; None if that is not the way to read it, or `since` is not what
        the store holds any more: somebody has put a checkpoint of that id.
        """
        if row.checkpoint_id == since.checkpoint_id:
            return [] if row == since else None
        if row.is_whole or since.checkpoint_id < row.base_id:
            return None
        try:
            rows = self._rows.steps_from(row.thread_id, row.ns, since.checkpoint_id, row.checkpoint_id)
            chain = ancestry(rows, row, since.checkpoint_id)
        except StoreError:
            return None  # a branch that left before `since`
        if chain[0].is_whole or rows[0] != since:
            return None
        return [(step, decode_body(step, self._codec)) for step in chain]

    def _decoded(self, rows: Sequence[WriteRow]) -> list[PendingWrite]:
        codec = self._codec
        return [(write.task_id, write.channel, decode_write(write, codec)) for write in rows]

    def _writes_at(self, row: StepRow, *, newest: bool) -> list[PendingWrite]:
        """The writes at a step: what is pending, and the results with which its children were made."""
        thread, ns, checkpoint_id = row[:3]
        writes = self._decoded(self._rows.writes(thread, ns, checkpoint_id))
        if not newest:
            writes += self._results(self._rows.children(thread, ns, checkpoint_id))
        return writes

    def _results(self, children: Iterable[StepRow]) -> list[PendingWrite]:
        """The results with which the first of these steps was made that a run made; later ones begin branches.

        An update, and a new input, may have come before: an answer at their parent leads on from there all the same.
        """
        results: list[PendingWrite] = []
        for child in children:
            results = joined(results, decode_body(child, self._codec).writes(child))
            if self._metadata_of(child).get("source") == "loop":
                break
        return results

    def _metadata_of(self, row: StepRow) -> dict[str, Any]:
        try:
            return decode_metadata(row.metadata, self._codec)
        except StoreError as error:
            raise self._name_store(unreadable(row, error)) from error

    def _answers_in(self, rows: Iterable[WriteRow]) -> dict[str, list[Any]]:
        """Return the answers that the tasks of a step have been given; see `answers_in`."""
        try:
            return answers_in(rows, self._codec)
        except StoreError as error:
            self._name_store(error)
            raise

    def _forget(self, thread: str) -> None:
        """Forget what is known of a thread whose steps were rewritten or deleted."""
        self._asking.discard(thread)
        for known in (self._tips, self._paused):
            for key in list(known):  # at once: other threads of the process add theirs meanwhile
                if key[0] == thread:
                    known.pop(key, None)
        self._recall.forget(thread)
