"""Savers that store steps: what a step changed, and beside it the claims on open questions."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from nbhitl.checkpoint import _upkeep
from nbhitl.checkpoint._core import StepGone
from nbhitl.checkpoint._fold import DAMAGE, Folded, damaged, fold_newest_first, joined, tip_of
from nbhitl.checkpoint._handed_on import HandedOnSaver
from nbhitl.checkpoint._keeping import KeepingSaver
from nbhitl.checkpoint._once import OnceSaver
from nbhitl.checkpoint._pauses import PauseSaver
from nbhitl.checkpoint._read_on import read_on
from nbhitl.checkpoint._rows import CLASSIC, StepRow, Tip, decode_write, encode_step
from nbhitl.checkpoint._shape import classic_parts
from nbhitl.checkpoint._twins import AsyncTwins
from nbhitl.checkpoint.base import BaseCheckpointSaver
from nbhitl.checkpoint.records import new_stored
from nbhitl.checkpoint.serde import Serde
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nbhitl.checkpoint._rows import WriteRow
    from nbhitl.checkpoint.base import PendingWrite
    from nbhitl.checkpoint.records import (
        CheckpointKey,
        StepOutline,
        StepRecord,
        StoredCheckpoint,
        TaskWrites,
    )

T = TypeVar("T")
_BY_HAND = frozenset({"update", "fork"})
_KNOWN_TIPS = 256
_FEW = 16


class StepSaver(AsyncTwins, HandedOnSaver, PauseSaver, OnceSaver, KeepingSaver):
    """What nbhitl's engine uses of a saver of its own, besides LangGraph's interface."""

    _row_of = staticmethod(encode_step)

    def load(self, key: CheckpointKey, share: bool = False) -> StoredCheckpoint | None:
        """Return a checkpoint whole, the newest of the namespace if the key names none, or None.

        Its `writes` are what is pending, and for a checkpoint with children the results that led to them.

        Args:
            key: names the checkpoint.
            share: read quickly what was read before: messages in lists may be the same objects as in an
                earlier result, as long as nobody has changed them since.
        """
        try:
            return self._load(key, share)
        except StepGone:
            return self._load(key, share)
        except StoreError as error:
            self._name_store(error)
            raise

    def _load(self, key: CheckpointKey, share: bool) -> StoredCheckpoint | None:
        if key.checkpoint_id is None:
            return self._newest(key.thread_id, key.ns, share)
        row = self._rows.step(*key)
        if row is None:
            return None
        folded = self._recalled(row, share=True) if share else self._folded_at(row)
        return self._stored(folded, self._writes_at(row, newest=False))

    def _newest(self, thread: str, ns: str, share: bool) -> StoredCheckpoint | None:
        found = self._rows.newest(thread, ns)
        if found is None:
            return None
        if share:
            return self._stored(self._recalled(found[0], share=True), self._decoded(found[1]))
        row, writes = found
        stored = None if writes else self._reread.again(thread, ns, row)
        if stored is None:
            stored = self._stored(self._looked_at(row), self._decoded(writes))
            self._reread.keep(thread, ns, row, stored)
        return stored

    def _looked_at(self, row: StepRow) -> Folded:
        """As `_folded_at`; a state that a run has read, or that is looked at again, is kept."""
        place = row[:2]
        if self._recall.kept_at(*place) is not None or self._looked == place:
            return self._recalled(row, share=False)
        self._looked = place
        return self._folded_at(row)

    def load_before(self, key: CheckpointKey) -> StoredCheckpoint | None:
        """Return the newest checkpoint of the namespace that is older than the one named, whole, or None."""
        return next(self.history(key.thread_id, key.ns, before=key.checkpoint_id, limit=1), None)

    def history(
        self,
        thread_id: str,
        ns: str,
        *,
        filter: dict[str, Any] | None = None,
        before: str | None = None,
        limit: int | None = None,
    ) -> Iterator[StoredCheckpoint]:
        """Return the checkpoints of a namespace, newest first, each with the results of its tasks, as they are read.

        What somebody prunes meanwhile is left out from there on. Items of lists that only grow are shared
        between the states of one call.

        Args:
            filter: entries that the metadata must hold.
            before: only checkpoints with a lesser id.
            limit: at most so many.
        """
        if limit is not None and limit <= 0:
            return iter(())

        def read(before: str | None, given: int) -> Iterator[StoredCheckpoint]:
            return self._history(thread_id, ns, filter, before, None if limit is None else limit - given)

        return self._told(read_on(read, attrgetter("checkpoint_id"), before))

    def _told(self, items: Iterator[T]) -> Iterator[T]:
        with self._naming():
            yield from items

    def _history(
        self, thread_id: str, ns: str, filter: dict[str, Any] | None, before: str | None, limit: int | None
    ) -> Iterator[StoredCheckpoint]:
        def wanted(row: StepRow) -> bool:
            return not filter or _upkeep.matches(self._metadata_of(row), filter, by_path=self.filters_by_path)

        pending = _PendingOf(self, thread_id, ns, one_by_one=limit is not None and limit <= _FEW)
        family, led_on = _Family(filtered=bool(filter)), set[str | None]()
        rows = family.noted(self._rows.steps_newest_first(thread_id, ns, before))
        for count, folded in enumerate(fold_newest_first(rows, self._codec, wanted), 1):
            checkpoint_id = folded.row.checkpoint_id
            results = family.results(folded, self._results)
            if before is not None and checkpoint_id not in led_on:  # children may come after `before`
                results = self._results(self._rows.children(thread_id, ns, checkpoint_id))
            stored = self._stored(folded, pending.at(checkpoint_id) + results)
            if before is not None and stored.metadata.get("source") == "loop":
                led_on.add(stored.parent_id)
            yield stored
            if count == limit:
                return

    def outline(self, thread_id: str, ns: str) -> Iterator[StepOutline]:
        """Yield what each step of a namespace wrote, oldest first, without building states.

        Values in an outline may change when the next one is asked for.
        """
        from nbhitl.checkpoint._outline import outlined  # which runs do not need

        codec = self._codec
        pending: dict[str, list[PendingWrite]] = {}
        with self._naming():
            for row in self._rows.writes_of_namespace(thread_id, ns):
                pending.setdefault(row.checkpoint_id, []).append(
                    (row.task_id, row.channel, decode_write(row, codec))
                )
        return self._told(outlined(self._rows.outline(thread_id, ns), pending, codec, thread_id))

    def put_step(self, record: StepRecord) -> None:
        """Save a new checkpoint; answers that were delivered at its parent have then been applied.

        Raises:
            UnsupportedValue: a value that cannot be stored; nothing was saved.
            StoreError: the checkpoint is there already.
        """
        thread, ns, parent_id = record.thread_id, record.ns, record.parent_id
        key, tips, serde = (thread, ns), self._tips, self.serde
        codec = serde if serde.__class__ is Serde else self._codec
        tip = tips.pop(key, None)
        if tip is None or tip.checkpoint_id != parent_id:
            tip = self._read_tip(thread, ns, parent_id)
        if parent_id is not None and record.checkpoint_id <= parent_id:
            tip = None  # made by a clock that is behind; such a step must be readable without its parent
        row, tip = self._row_of(record, tip, codec)
        lazily = record.hurries and bool(record.frame.triggers or record.frame.sends)
        if thread in self._asking or not self._rows.insert_if_quiet(row, lazily=lazily):
            self._asking.discard(thread)
            source = record.metadata.get("source")
            # A run that is broken off goes on and settles its questions; nobody has to repeat an update.
            with self._rows.atomic(thread, rewriting=source in _BY_HAND):
                if not row.is_whole and self._rows.step(thread, ns, parent_id) is None:
                    row, tip = encode_step(record, None, codec)  # the thread was deleted meanwhile
                self._rows.insert_step(row)
                self._rows.settle_step(thread, ns, parent_id, source, record.checkpoint_id)
        if len(tips) >= _KNOWN_TIPS:
            # Half of them at once: a dict seeks its first key among all that were taken out since it grew last.
            for oldest in [*tips][: _KNOWN_TIPS // 2]:
                tips.pop(oldest, None)
        tips[key] = tip

    def _read_tip(self, thread: str, ns: str, checkpoint_id: str | None) -> Tip | None:
        if checkpoint_id is None:
            return None
        with self._naming():
            folded = self._folded(thread, ns, checkpoint_id)
        return None if folded is None or folded.body.kind == CLASSIC else tip_of(folded)

    def put_pending(self, key: CheckpointKey, tasks: Sequence[TaskWrites]) -> None:
        """Save what tasks wrote at a checkpoint before the next one exists.

        Saving the same writes again changes nothing; reserved channels are replaced. Answers of tasks that
        have results have then been applied.

        Raises:
            UnsupportedValue: a value that cannot be stored; nothing was saved.
        """
        place = _place(key)
        rows = self._write_rows(place, tasks)
        with self._rows.atomic(key.thread_id):
            self._rows.add_writes(rows)
            self._settle_tasks(place, tasks)

    def _stored(self, folded: Folded, writes: list[PendingWrite]) -> StoredCheckpoint:
        row, body, values, _ = folded
        frame = body.frame
        if body.kind == CLASSIC:
            try:
                values, frame, writes = classic_parts(body, values, writes)
            except DAMAGE as error:
                raise damaged(row) from error
        return new_stored(
            row.thread_id, row.ns, row.checkpoint_id, row.parent_id, row.created_at, self._metadata_of(row),
            frame, values, writes,
        )  # fmt: skip


class _PendingOf:
    """The pending writes of a namespace's checkpoints: read one by one, or all at once at the first need."""

    def __init__(self, saver: StepSaver, thread: str, ns: str, *, one_by_one: bool) -> None:
        self._saver = saver
        self._place = (thread, ns)
        self._all: dict[str, list[WriteRow]] | None = None
        self._one_by_one = one_by_one

    def at(self, checkpoint_id: str) -> list[PendingWrite]:
        return self._saver._decoded(self._rows(checkpoint_id))

    def _rows(self, checkpoint_id: str) -> Sequence[WriteRow]:
        store = self._saver._rows
        if self._one_by_one:
            return store.writes(*self._place, checkpoint_id)
        if self._all is None:
            self._all = {}
            for row in store.writes_of_namespace(*self._place):
                self._all.setdefault(row.checkpoint_id, []).append(row)
        return self._all.pop(checkpoint_id, ())


class _Family:
    """The results of each checkpoint's tasks, which are stored with those of its children that were made of results.

    Unfiltered, every child is folded before its parent, and brings its results along. Otherwise children are
    noted as they are read, and decoded at need.
    """

    def __init__(self, *, filtered: bool) -> None:
        self._filtered = filtered
        self._children: dict[str, list[StepRow]] = {}
        self._results: dict[str, list[PendingWrite]] = {}

    def noted(self, rows: Iterator[StepRow]) -> Iterator[StepRow]:
        """Yield the rows, which come newest first."""
        if not self._filtered:
            return rows
        return self._note(rows)

    def _note(self, rows: Iterator[StepRow]) -> Iterator[StepRow]:
        for row in rows:
            if row.parent_id is not None:
                self._children.setdefault(row.parent_id, []).append(row)
            yield row

    def results(
        self, folded: Folded, decode: Callable[[Iterable[StepRow]], list[PendingWrite]]
    ) -> list[PendingWrite]:
        """Return the results of a checkpoint; all of its children have been read by now."""
        row = folded.row
        if self._filtered:
            return decode(reversed(self._children.pop(row.checkpoint_id, [])))
        if row.parent_id is not None:
            made_of, later = folded.body.writes(row), self._results.get(row.parent_id)
            self._results[row.parent_id] = joined(made_of, later) if later else made_of
        return self._results.pop(row.checkpoint_id, [])


def _place(key: CheckpointKey) -> tuple[str, str, str]:
    if key.checkpoint_id is None:
        raise StoreError(
            f"writes for thread {key.thread_id!r} name no checkpoint. Pass the id of the checkpoint "
            "they were made at."
        )
    return key.thread_id, key.ns, key.checkpoint_id


def stores_steps(saver: object) -> bool:
    """Whether the engine may hand steps to `saver`; not if a subclass overrides `put`, or has a `load` of its own."""
    if not isinstance(saver, StepSaver):
        return False
    # The class is asked each time: somebody may have patched a method in the meantime.
    kind: Any = saver.__class__
    own, methods = saver.__dict__, (kind, *_methods(kind))
    return (_CALLED.isdisjoint(own) or not _shadows(own)) and (
        methods == _found_ours[0] or _are_ours(*methods)
    )


@lru_cache(maxsize=64)
def _are_ours(kind: type, *methods: Callable[..., Any]) -> bool:
    if not all(_is_ours(method) for method in methods):
        return False
    if _is_ours(kind):
        _found_ours[0] = (kind, *methods)
        return True
    from nbhitl.checkpoint._overridden import means_something_else

    return not any(means_something_else(kind, StepSaver, name) for name in _CALLED)


_found_ours: list[tuple[Any, ...]] = [()]
"""The class of nbhitl's own that was found to be so last, with its methods: a look-up less for nearly every run."""


def _is_ours(code: Callable[..., Any]) -> bool:
    return code.__module__.startswith("nbhitl.checkpoint.")


def _shadows(own: dict[str, Any]) -> bool:
    return any(name in _OVERRIDABLE or not callable(own[name]) for name in _CALLED & own.keys())


_OVERRIDABLE = frozenset(
    {"put", "put_writes", "get_tuple", "get_next_version", "aput", "aput_writes", "aget_tuple"}
)
_methods = attrgetter(*_OVERRIDABLE)
_names = {*dir(StepSaver)}.difference(dir(BaseCheckpointSaver))
_CALLED = _OVERRIDABLE | {name for name in _names if callable(getattr(StepSaver, name))}
