"""What a saver keeps, as mappings: programs look threads up, delete and clear them there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Never, cast

from nbhitl.checkpoint.base import WRITES_IDX_MAP

if TYPE_CHECKING:
    from nbhitl.checkpoint.base import CheckpointTuple
    from nbhitl.checkpoint.steps import StepSaver

Spaces = dict[str, dict[str, "CheckpointTuple"]]
_Place = tuple[str, str, str]
_Write = tuple[str, str, tuple[str, bytes], str]


class KeptThreads(MutableMapping[str, Any]):
    """`{thread id: {namespace: {checkpoint id: CheckpointTuple}}}` of a saver, read when it is looked at."""

    def __init__(self, saver: StepSaver) -> None:
        self._saver = saver

    def __getitem__(self, thread_id: str) -> Spaces:
        spaces: Spaces = {}
        for found in self._saver.list({"configurable": {"thread_id": thread_id}}):
            at = found.config["configurable"]
            spaces.setdefault(at["checkpoint_ns"], {})[at["checkpoint_id"]] = found
        if not spaces:
            raise KeyError(thread_id)
        return {ns: dict(reversed(kept.items())) for ns, kept in spaces.items()}

    def __delitem__(self, thread_id: str) -> None:
        if thread_id not in self:
            raise KeyError(thread_id)
        self._saver.delete_thread(thread_id)

    def __setitem__(self, thread_id: str, spaces: object) -> Never:
        raise TypeError(
            f"Thread {thread_id!r} cannot be put into a saver like this: saver.copy_thread(source, {thread_id!r}) "
            "copies one, and graph.update_state(config, values) writes its state."
        )

    def __contains__(self, thread_id: object) -> bool:
        found = self._saver.threads(prefix=thread_id, limit=1) if isinstance(thread_id, str) else ()
        return any(info.thread_id == thread_id for info in found)

    def __iter__(self) -> Iterator[str]:
        """Begin with the thread that was left alone for longest."""
        return iter(
            [info.thread_id for info in sorted(self._saver.threads(), key=lambda info: info.updated_at)]
        )

    def __len__(self) -> int:
        return len(self._saver.threads())

    def __repr__(self) -> str:
        return f"<threads {list(self)}>"


class Inspectable:
    """What programs look at in LangGraph's memory saver, made of what the saver tells when it is asked.

    `writes` and `blobs` are read-only, and made anew each time: they are for looking, not for hot code.
    """

    @property
    def storage(self) -> MutableMapping[str, Any]:
        """The threads by their id, each `{namespace: {checkpoint id: CheckpointTuple}}`; `del` deletes a thread."""
        return KeptThreads(cast("StepSaver", self))

    @property
    def writes(self) -> Mapping[_Place, Mapping[tuple[str, int], _Write]]:
        """What tasks left: `{(thread, namespace, checkpoint id): {(task id, number): (task id, channel, bytes, "")}}`.

        Bytes are `(kind, data)` as the saver's `serde` makes them. LangGraph has a task's path where "" is.
        """
        saver, found = cast("StepSaver", self), {}
        for kept in reversed([*saver.list(None)]):
            numbers: dict[str, int] = {}
            left: dict[tuple[str, int], _Write] = {}
            for task_id, channel, value in kept.pending_writes or ():
                number = WRITES_IDX_MAP.get(channel)
                if number is None:
                    number = numbers[task_id] = numbers.get(task_id, -1) + 1
                left[task_id, number] = (task_id, channel, saver.serde.dumps_typed(value), "")
            if left:
                at = kept.config["configurable"]
                found[at["thread_id"], at["checkpoint_ns"], at["checkpoint_id"]] = MappingProxyType(left)
        return MappingProxyType(found)

    @property
    def blobs(self) -> Mapping[tuple[str, str, str, Any], tuple[str, bytes]]:
        """The values of all checkpoints: `{(thread, namespace, channel, version): (kind, data)}`."""
        saver, found = cast("StepSaver", self), {}
        for kept in reversed([*saver.list(None)]):
            at, values = kept.config["configurable"], kept.checkpoint["channel_values"]
            for channel, version in kept.checkpoint["channel_versions"].items():
                place = (at["thread_id"], at["checkpoint_ns"], channel, version)
                if channel in values and place not in found:
                    found[place] = saver.serde.dumps_typed(values[channel])
        return MappingProxyType(found)
