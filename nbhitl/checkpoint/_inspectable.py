"""What a saver keeps, as mappings like LangGraph's: programs look into them, save them and put threads back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.checkpoint.steps import StepSaver
from nbhitl.constants import CONF

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.checkpoint._put_back import Blobs, PlainForms, Spaces, Writes
    from nbhitl.checkpoint.base import CheckpointTuple

_NO_DEFAULT = object()


class Watched(dict[Any, Any]):
    """A dict that tells when it is about to be changed; one that holds dicts makes those that are missing.

    Args:
        changing: is called before each change.
        depth: how many levels of dicts are below this one.
        items: what it holds; dicts in it are watched as well.
    """

    def __init__(self, changing: Callable[[], None], depth: int, items: Mapping[Any, Any]) -> None:
        inner = partial(Watched, changing, depth - 1)
        super().__init__({key: inner(value) for key, value in items.items()} if depth else items)
        self._changing, self._inner, self._depth = changing, inner, depth

    def __missing__(self, key: Any) -> Watched:
        if not self._depth:
            raise KeyError(key)
        made = self._inner({})
        dict.__setitem__(self, key, made)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled and copied as a plain dict."""
        return dict, (dict(self),)


def _announced(name: str) -> Callable[..., Any]:
    change = getattr(dict, name)

    def announced(self: Watched, *args: Any, **more: Any) -> Any:
        self._changing()
        return change(self, *args, **more)

    return announced


for _name in ("__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update"):
    setattr(Watched, _name, _announced(_name))


class KeptThreads(MutableMapping[str, Any]):
    """`{thread id: {namespace: {checkpoint id: (checkpoint, metadata, parent id)}}}`, read when it is looked at."""

    def __init__(self, saver: Inspectable) -> None:
        self._saver = saver

    def __getitem__(self, thread_id: str) -> Watched:
        """Return the thread's namespaces; none for a thread that is not there, which can be put there so."""
        spaces: Watched

        def changing() -> None:
            self._saver.hold_plain().storage[thread_id] = spaces

        found = _listed(self._saver, {CONF: {"thread_id": thread_id}})
        spaces = Watched(changing, 1, _spaces(self._saver, found))
        return spaces

    def __delitem__(self, thread_id: str) -> None:
        if thread_id not in self:
            raise KeyError(thread_id)
        self._saver.delete_thread(thread_id)

    def __setitem__(self, thread_id: str, spaces: Spaces) -> None:
        self._saver.hold_plain().storage[thread_id] = spaces

    def __contains__(self, thread_id: object) -> bool:
        if not isinstance(thread_id, str):
            return False
        found = StepSaver.threads(self._saver, prefix=thread_id, limit=1)
        return any(info.thread_id == thread_id for info in found)

    def __iter__(self) -> Iterator[str]:
        """Begin with the thread that was left alone for longest."""
        found = sorted(StepSaver.threads(self._saver), key=lambda info: info.updated_at)
        return iter([info.thread_id for info in found])

    def __len__(self) -> int:
        return len(StepSaver.threads(self._saver))

    def get(self, thread_id: str, default: Any = None) -> Any:
        known = thread_id in self  # one that is not there is read as having nothing
        return self[thread_id] if known else default

    def pop(self, thread_id: str, default: Any = _NO_DEFAULT) -> Any:
        if thread_id in self:
            return super().pop(thread_id)
        if default is _NO_DEFAULT:
            raise KeyError(thread_id)
        return default

    def __reduce__(self) -> tuple[Any, ...]:
        """Be pickled and copied as a plain dict."""
        return dict, (dict(self),)

    def __repr__(self) -> str:
        return f"<threads {list(self)}>"


class Inspectable(StepSaver):
    """What programs look at in LangGraph's memory saver, and change: made of what the saver tells when it is asked.

    Each mapping is made anew when it is asked for: they are for looking and for saving, not for hot code. What a
    program puts into them is taken up when the saver is used next. A thread changed so keeps its journal of `once()`, but
    not who answered its questions.
    """

    _plain: PlainForms | None = None

    @property
    def storage(self) -> MutableMapping[str, Any]:
        """The threads by their id: `{namespace: {checkpoint id: (checkpoint, metadata, parent id)}}`.

        A checkpoint and its metadata are `(kind, data)` as the saver's `serde` makes them; the values are in `blobs`.
        """
        return KeptThreads(self) if self._plain is None else self._plain.storage

    @storage.setter
    def storage(self, threads: MutableMapping[str, Any]) -> None:
        self.hold_plain().storage = threads

    @property
    def writes(self) -> Writes:
        """What tasks left: `{(thread, namespace, checkpoint id): {(task id, number): (task id, channel, value, "")}}`.

        A value is `(kind, data)` as the saver's `serde` makes it. LangGraph has a task's path where "" is.
        """
        if self._plain is not None:
            return self._plain.writes
        writes: Watched

        def changing() -> None:
            self.hold_plain().writes = writes

        writes = Watched(changing, 1, _writes(self, _listed(self)))
        return writes

    @writes.setter
    def writes(self, writes: Writes) -> None:
        self.hold_plain().writes = writes

    @property
    def blobs(self) -> Blobs:
        """The values of all checkpoints: `{(thread, namespace, channel, version): (kind, data)}`."""
        if self._plain is not None:
            return self._plain.blobs
        blobs: Watched

        def changing() -> None:
            self.hold_plain().blobs = blobs

        blobs = Watched(changing, 0, _blobs(self, _listed(self)))
        return blobs

    @blobs.setter
    def blobs(self, blobs: Blobs) -> None:
        self.hold_plain().blobs = blobs

    def hold_plain(self) -> PlainForms:
        """Return all that is kept, as dicts to be changed; the saver keeps what they are when it is used next."""
        if self._plain is None:
            from nbhitl.checkpoint._put_back import PlainForms, PutBack

            found = _listed(self)
            threads = {at: _spaces(self, kept) for at, kept in _by_thread(found).items()}
            before = PlainForms(threads, _writes(self, found), _blobs(self, found))
            self._plain = before.copied()
            self._rows = cast("Any", PutBack(self, self._rows, before))
        return self._plain


def _listed(saver: StepSaver, config: Any = None) -> list[CheckpointTuple]:
    """Return the checkpoints, oldest first, whatever a subclass makes of `list`."""
    return [*StepSaver.list(saver, config)][::-1]


def _by_thread(found: Iterable[CheckpointTuple]) -> dict[str, list[CheckpointTuple]]:
    threads: dict[str, list[CheckpointTuple]] = {}
    for kept in found:
        threads.setdefault(kept.config[CONF]["thread_id"], []).append(kept)
    return threads


def _spaces(saver: StepSaver, found: Iterable[CheckpointTuple]) -> Spaces:
    spaces: Spaces = {}
    for kept in found:
        at = kept.config[CONF]
        versions = {channel: version for channel, version, _ in _values(saver, kept)}
        rest = {key: value for key, value in kept.checkpoint.items() if key != "channel_values"}
        rest["channel_versions"] = {**kept.checkpoint["channel_versions"], **versions}
        parent = kept.parent_config[CONF]["checkpoint_id"] if kept.parent_config else None
        form = (saver.serde.dumps_typed(rest), saver.serde.dumps_typed(kept.metadata), parent)
        spaces.setdefault(at["checkpoint_ns"], {})[at["checkpoint_id"]] = form
    return spaces


def _writes(saver: StepSaver, found: Iterable[CheckpointTuple]) -> Writes:
    writes: Writes = {}
    for kept in found:
        numbers: dict[str, int] = {}
        left: dict[tuple[str, int], Any] = {}
        for task_id, channel, value in kept.pending_writes or ():
            number = WRITES_IDX_MAP.get(channel)
            if number is None:
                number = numbers[task_id] = numbers.get(task_id, -1) + 1
            left[task_id, number] = (task_id, channel, saver.serde.dumps_typed(value), "")
        if left:
            at = kept.config[CONF]
            writes[at["thread_id"], at["checkpoint_ns"], at["checkpoint_id"]] = left
    return writes


def _blobs(saver: StepSaver, found: Iterable[CheckpointTuple]) -> Blobs:
    blobs: Blobs = {}
    for kept in found:
        at = kept.config[CONF]
        for channel, version, value in _values(saver, kept):
            blobs[at["thread_id"], at["checkpoint_ns"], channel, version] = value
    return blobs


def _values(saver: StepSaver, kept: CheckpointTuple) -> Iterator[tuple[str, Any, tuple[str, bytes]]]:
    """Yield each channel's name, version and value; two branches that wrote different values have different versions."""
    from nbhitl.checkpoint._put_back import version_with

    values = kept.checkpoint["channel_values"]
    for channel, version in kept.checkpoint["channel_versions"].items():
        if channel in values:
            value = saver.serde.dumps_typed(values[channel])
            yield channel, version_with(version, value), value
