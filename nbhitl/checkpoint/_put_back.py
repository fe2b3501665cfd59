"""Takes up what a program has put into a saver's mappings: threads that it saved to a file of its own, for one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, MutableMapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint.base import saver_config
from nbhitl.checkpoint.plain_forms import to_plain
from nbhitl.checkpoint.steps import StepSaver
from nbhitl.constants import INTERRUPT, RESUME
from nbhitl.errors import StoreError
from nbhitl.types import Interrupt

if TYPE_CHECKING:
    from nbhitl.checkpoint._inspectable import Inspectable

Spaces = dict[str, dict[str, Any]]
Writes = MutableMapping[tuple[str, str, str], Any]
Blobs = MutableMapping[tuple[str, str, str, Any], tuple[str, bytes]]
_DIGITS, _DIGEST = 32, 8
_EMPTY = "empty"
"""The kind that stands for a channel without a value."""


def version_with(version: Any, value: tuple[str, bytes]) -> Any:
    """Return a version that no other value of the channel has: whole numbers are the same on each branch of a thread."""
    if type(version) is not int:
        return version
    kind, data = value
    return f"{version:0{_DIGITS}}.{blake2b(kind.encode() + data, digest_size=_DIGEST).hexdigest()}"


def _own_version(version: Any) -> Any:
    number, _, digest = version.partition(".") if type(version) is str else ("", "", "")
    made_here = len(number) == _DIGITS and len(digest) == 2 * _DIGEST and digest.isalnum()
    return int(number) if made_here else version


class PlainForms:
    """Checkpoints, writes and values in the shapes of LangGraph's memory saver; `Inspectable` tells them."""

    __slots__ = ("blobs", "storage", "writes")

    def __init__(self, storage: MutableMapping[str, Any], writes: Writes, blobs: Blobs) -> None:
        self.storage, self.writes, self.blobs = storage, writes, blobs

    def copied(self) -> PlainForms:
        """Return the same in dicts that make what is missing, as LangGraph's do."""
        storage: defaultdict[str, Any] = defaultdict(lambda: defaultdict(dict))
        for thread_id, spaces in self.storage.items():
            for ns, kept in spaces.items():
                storage[thread_id][ns].update(kept)
        writes: defaultdict[Any, Any] = defaultdict(dict)
        for place, left in self.writes.items():
            writes[place].update(left)
        return PlainForms(storage, writes, dict(self.blobs))

    def threads(self) -> dict[str, _Thread]:
        """Return what belongs to each thread."""
        threads: defaultdict[str, _Thread] = defaultdict(lambda: _Thread({}, {}, {}))
        for thread_id, spaces in self.storage.items():
            threads[thread_id].spaces.update({ns: dict(kept) for ns, kept in spaces.items() if kept})
        for place, left in self.writes.items():
            if left:
                threads[place[0]].writes[place[1:]] = dict(left)
        for key, value in self.blobs.items():
            threads[key[0]].blobs[key[1:]] = value
        return {thread_id: thread for thread_id, thread in threads.items() if thread.spaces}


class _Thread(NamedTuple):
    """What plain forms have of one thread, by namespace and what names the rest."""

    spaces: Spaces
    writes: dict[tuple[str, str], Any]
    blobs: dict[tuple[str, str, Any], tuple[str, bytes]]


class _Saved(NamedTuple):
    """A checkpoint as it is put, and what tasks left there: task id, channel, value and path."""

    config: Any
    checkpoint: Any
    metadata: Any
    left: list[tuple[str, str, Any, str]]


class PutBack:
    """Stands in for a saver's rows until they are used: then what has been changed by hand becomes rows.

    Args:
        saver: whose rows they are.
        rows: the store of rows.
        before: what they were when the program began to change them.
    """

    def __init__(self, saver: Inspectable, rows: Any, before: PlainForms) -> None:
        self._saver, self._rows, self._before = saver, rows, before

    def __getattr__(self, name: str) -> Any:
        with self._rows.held:
            if self._saver._rows is self:  # else another thread has done it meanwhile
                self._take_up()
        return getattr(self._rows, name)

    def _take_up(self) -> None:
        saver, plain = self._saver, self._saver._plain
        saver._rows, saver._plain = self._rows, None
        before, now = self._before.threads(), plain.threads() if plain else {}
        changed = [at for at in {**before, **now} if before.get(at) != now.get(at)]
        decoded = {at: _decoded(saver, at, now[at]) for at in changed if at in now}
        for thread_id in changed:
            effects = self._rows.once_entries(thread_id)
            StepSaver.delete_thread(saver, thread_id)
            if thread_id in decoded:
                with self._rows.atomic(thread_id):
                    self._rows.put_once(effects)  # what was done is not done once more
                for saved in decoded[thread_id]:
                    _put(saver, saved)


def _decoded(saver: StepSaver, thread_id: str, thread: _Thread) -> list[_Saved]:
    """Return a thread's checkpoints, oldest first.

    Raises:
        StoreError: something does not have its shape, or cannot be read.
    """
    try:
        return [
            _saved(saver, (thread_id, ns, checkpoint_id), form, thread)
            for ns, kept in thread.spaces.items()
            for checkpoint_id, form in sorted(kept.items())
        ]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise StoreError(
            f"thread {thread_id!r} cannot be put back into {type(saver).__name__}: {error!r}. Give storage, writes and "
            "blobs back as they were saved, or keep threads in a file with SqliteSaver.from_conn_string(path)."
        ) from error


def _saved(saver: StepSaver, place: tuple[str, str, str], form: Any, thread: _Thread) -> _Saved:
    (thread_id, ns, checkpoint_id), read = place, saver.serde.loads_typed
    checkpoint, metadata, parent_id = form
    rest: Mapping[str, Any] = read(checkpoint)
    values = {
        channel: read(thread.blobs[ns, channel, version])
        for channel, version in rest["channel_versions"].items()
        if thread.blobs.get((ns, channel, version), (_EMPTY,))[0] != _EMPTY
    }
    versions = {channel: _own_version(version) for channel, version in rest["channel_versions"].items()}
    left = thread.writes.get((ns, checkpoint_id), {})
    written = [
        (task_id, channel, read(value), path)
        for _, (task_id, channel, value, path) in sorted(left.items(), key=_in_turn)
    ]
    config = saver_config(thread_id, ns, parent_id) if parent_id else _root(thread_id, ns)
    checkpoint = {**rest, "channel_values": values, "channel_versions": versions}
    return _Saved(config, checkpoint, read(metadata), written)


def _in_turn(item: tuple[tuple[str, int], Any]) -> tuple[bool, int]:
    """A question before its answer, and both before what the task returned; those have numbers below 0."""
    number = item[0][1]
    return number >= 0, abs(number)


def _root(thread_id: str, ns: str) -> Any:
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ns}}


def _put(saver: StepSaver, saved: _Saved) -> None:
    """Save a checkpoint and what tasks left there, whatever a subclass makes of `put` and `put_writes`."""
    versions = saved.checkpoint["channel_versions"]
    config = StepSaver.put(saver, saved.config, saved.checkpoint, saved.metadata, versions)
    together: defaultdict[tuple[str, str, str], list[tuple[str, Any]]] = defaultdict(list)
    for task_id, channel, value, path in saved.left:
        apart = channel if channel in (INTERRUPT, RESUME) else ""  # a saver claims what comes by itself
        asks = channel == INTERRUPT and all(isinstance(part, Interrupt) for part in value)
        together[task_id, apart, path].append((channel, to_plain(channel, value) if asks else value))
    for (task_id, _, path), writes in together.items():
        StepSaver.put_writes(saver, config, writes, task_id, path)
