"""The journal of effects that happen once for a thread: noted before they start, and when they are done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint._core import SaverCore
from nbhitl.checkpoint._filters import name_of
from nbhitl.checkpoint._rows import unreadable
from nbhitl.checkpoint.records import OnceEntry
from nbhitl.errors import StoreError, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STARTED, DONE = "started", "done"


class OnceRow(NamedTuple):
    """An entry as stored; the fields are the columns of table `once`. `result` is encoded."""

    thread_id: str
    key: str
    state: str
    result: bytes | None
    owner: str
    started_at: str
    done_at: str | None = None


class OnceSaver(SaverCore):
    """What has been done once for a thread, and what was started and never reported back."""

    def begin_once(self, thread_id: str, key: str, owner: str, at: str) -> OnceEntry | None:
        """Note that `owner` starts the effect `key`; of several callers, in any process on the store, one may.

        Args:
            thread_id: the thread that the effect belongs to.
            key: names the effect within the thread.
            owner: who runs it; unlike any other owner.
            at: the time, UTC, ISO 8601.

        Returns:
            None: it is noted, and the caller is the one who runs it. Else the entry that is there already.
        """
        with self._rows.atomic(thread_id):
            found = self._rows.once_entry(thread_id, key)
            if found is None:
                self._rows.put_once([OnceRow(thread_id, key, STARTED, None, owner, at)])
        return None if found is None else self._entry(found)

    def end_once(self, thread_id: str, key: str, owner: str, result: Any, at: str) -> bool:
        """Note that the effect which `owner` started is done.

        Returns:
            Whether it was noted. False: somebody has settled or forgotten the entry meanwhile.

        Raises:
            UnsupportedValue: a result that cannot be stored; nothing was noted.
        """
        data = self._encode_result(key, result)
        with self._rows.atomic(thread_id):
            found = self._held(thread_id, key, owner)
            if found is not None:
                self._rows.put_once([found._replace(state=DONE, result=data, done_at=at)])
        return found is not None

    def cancel_once(self, thread_id: str, key: str, owner: str) -> bool:
        """Remove the entry that `owner` made: the effect has not happened. Return whether it was there."""
        with self._rows.atomic(thread_id):
            found = self._held(thread_id, key, owner)
            if found is not None:
                self._rows.delete_once(thread_id, key)
        return found is not None

    def settle_once(self, thread_id: str, key: str, result: Any, at: str | None = None) -> None:
        """Say that an effect in doubt has happened, and what `once()` shall return for it.

        Args:
            thread_id: the thread.
            key: the effect.
            result: what the effect returned, or should have.
            at: the time, UTC, ISO 8601; None is now.

        Raises:
            StoreError: the thread has no such entry, or it is done already.
            UnsupportedValue: a result that cannot be stored.
        """
        data = self._encode_result(key, result)
        with self._rows.atomic(thread_id):
            found = self._named(thread_id, key)
            if found.state == DONE:
                raise StoreError(
                    f"once({key!r}) of thread {thread_id!r} was done at {found.done_at}; its result stands. "
                    "To replace it, forget_once(thread_id, key) first."
                )
            self._rows.put_once([found._replace(state=DONE, result=data, done_at=at or _now())])

    def forget_once(self, thread_id: str, key: str) -> None:
        """Forget an effect, done or in doubt: the next `once()` with this key runs it.

        Raises:
            StoreError: the thread has no such entry.
        """
        with self._rows.atomic(thread_id):
            self._named(thread_id, key)
            self._rows.delete_once(thread_id, key)

    def once_entries(self, thread_id: str) -> list[OnceEntry]:
        """Return the effects of a thread, each an `OnceEntry`, by the time at which they started."""
        return [self._entry(row) for row in self._rows.once_entries(name_of(thread_id, "once_entries"))]

    def _held(self, thread_id: str, key: str, owner: str) -> OnceRow | None:
        found = self._rows.once_entry(thread_id, key)
        return found if found is not None and (found.state, found.owner) == (STARTED, owner) else None

    def _named(self, thread_id: str, key: str) -> OnceRow:
        found = self._rows.once_entry(thread_id, key)
        if found is None:
            known = ", ".join(repr(row.key) for row in self._rows.once_entries(thread_id))
            raise StoreError(
                f"Thread {thread_id!r} has no effect {key!r} in its journal; it has: {known or 'none'}."
            )
        return found

    def _entry(self, row: OnceRow) -> OnceEntry:
        try:
            result = None if row.result is None else self._codec.loads(row.result)
        except StoreError as error:
            raise self._name_store(unreadable(row, error)) from error
        return OnceEntry(row.thread_id, row.key, row.state, result, row.owner, row.started_at, row.done_at)

    def _encode_result(self, key: str, result: Any) -> bytes:
        try:
            return self._codec.dumps(result)
        except UnsupportedValue as error:
            raise UnsupportedValue(f"the result of once({key!r}) cannot be saved: {error}.") from None


def copied_entries(rows: Iterable[OnceRow], target: str) -> Iterator[OnceRow]:
    """Yield what a copied thread knows to be done; what is under way belongs to the original."""
    for row in rows:
        if row.state == DONE:
            yield row._replace(thread_id=target)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
