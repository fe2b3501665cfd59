"""The threads that a saver keeps, as a mapping: programs look up, delete and clear them there."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Never

if TYPE_CHECKING:
    from nbhitl.checkpoint.base import CheckpointTuple
    from nbhitl.checkpoint.steps import StepSaver

Spaces = dict[str, dict[str, "CheckpointTuple"]]


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
