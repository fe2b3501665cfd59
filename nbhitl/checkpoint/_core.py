"""What all parts of a saver of steps share: the store, the serializer, and reading one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._fold import Folded, ancestry, fold
from nbhitl.checkpoint._rows import Codec, Tip, decode_body, decode_metadata
from nbhitl.checkpoint.base import BaseCheckpointSaver
from nbhitl.checkpoint.serde import Serde, SerializerProtocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.checkpoint._rows import StepRow
    from nbhitl.checkpoint._store import RowStore
    from nbhitl.checkpoint.base import PendingWrite


class _Typed:
    """A serializer with LangGraph's interface only: the kind of encoding goes before the bytes."""

    def __init__(self, inner: SerializerProtocol) -> None:
        self._inner = inner

    def dumps(self, value: Any) -> bytes:
        kind, data = self._inner.dumps_typed(value)
        return kind.encode() + b"\x00" + data

    def loads(self, data: bytes) -> Any:
        kind, _, content = data.partition(b"\x00")
        return self._inner.loads_typed((kind.decode(), content))


class SaverCore(BaseCheckpointSaver[int]):
    """A saver's store and serializer."""

    def __init__(self, rows: RowStore, *, serde: SerializerProtocol | None = None) -> None:
        super().__init__(serde=serde)
        self._rows = rows
        self._tips: dict[tuple[str, str], Tip] = {}

    @property
    def _codec(self) -> Codec:
        serde = self.serde
        return serde if isinstance(serde, Serde) else _Typed(serde)

    def _lenient(self, data: bytes) -> Any:
        """A stored value for showing: what cannot be loaded here is shown as its fields."""
        serde = self.serde
        return serde.loads_lenient(data) if isinstance(serde, Serde) else self._codec.loads(data)

    def _folded(self, thread: str, ns: str, checkpoint_id: str | None) -> Folded | None:
        row = self._rows.step(thread, ns, checkpoint_id)
        if row is None:
            return None
        if row.is_whole:
            return fold([row], self._codec)
        between = self._rows.steps_from(thread, ns, row.base_id, row.checkpoint_id)
        return fold(ancestry(between, row), self._codec)

    def _pending(self, row: StepRow, *, newest: bool) -> list[PendingWrite]:
        """The writes at a step: what is pending, and the results with which its child was made."""
        thread, ns, checkpoint_id = row[:3]
        loads = self._codec.loads
        writes: list[PendingWrite] = [
            (write.task_id, write.channel, loads(write.value))
            for write in self._rows.writes(thread, ns, checkpoint_id)
        ]
        if not newest:
            writes += self._results(self._rows.children(thread, ns, checkpoint_id))
        return writes

    def _results(self, children: Iterable[StepRow]) -> list[PendingWrite]:
        """The results with which the first of these steps was made that was made of results."""
        for child in children:
            results = decode_body(child.body, self._codec).writes()
            if results:
                return results
        return []

    def _metadata(self, row: StepRow) -> dict[str, Any]:
        return decode_metadata(row.metadata, self._codec)

    def _forget_tips(self, thread: str) -> None:
        for key in [key for key in self._tips if key[0] == thread]:
            self._tips.pop(key, None)
