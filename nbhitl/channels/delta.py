"""A channel whose reducer takes all writes of a step at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self

from nbhitl.channels.base import Value, ValueChannel
from nbhitl.channels.binop import initial_value, several_overwrites_error, unwrap_overwrite
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DeltaChannel"]


class DeltaChannel(ValueChannel[Value, Any], Generic[Value]):
    """Keeps `reducer(value, [write, ...])`; starts from its type's empty value.

    Args:
        reducer: takes the value and the writes of a step, and returns the new value. Two batches one after the
            other must give what they give as one.
        typ: the type of the value; by default the annotated one.
        snapshot_frequency: LangGraph's. nbhitl's savers store what a list gains, and everything now and then, by
            themselves.

    Raises:
        ValueError: `snapshot_frequency` is not positive.
    """

    __slots__ = ("reducer", "snapshot_frequency")

    in_batches = True

    def __init__(
        self,
        reducer: Callable[[Any, Sequence[Any]], Any],
        typ: Any = None,
        *,
        snapshot_frequency: int = 100,
        key: str = "",
    ) -> None:
        if snapshot_frequency <= 0:
            raise ValueError(f"snapshot_frequency must be a positive int, got {snapshot_frequency}")
        super().__init__(typ, key)
        self.reducer = reducer
        self.snapshot_frequency = snapshot_frequency

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DeltaChannel)
            and self.snapshot_frequency == other.snapshot_frequency
            and (
                self.reducer == other.reducer
                or "<lambda>"
                in (getattr(self.reducer, "__name__", ""), getattr(other.reducer, "__name__", ""))
            )
        )

    def fresh(self) -> Self:
        return type(self)(self.reducer, self.typ, snapshot_frequency=self.snapshot_frequency, key=self.key)

    def from_checkpoint(self, checkpoint: Any) -> Self:
        channel = self.fresh()
        channel.value = self.empty() if checkpoint is MISSING else checkpoint
        return channel

    def empty(self) -> Any:
        """Return the value before any write; MISSING for a type that has none."""
        return MISSING if self.typ is None else initial_value(self.typ)

    def folded(self, value: Any, writes: Sequence[Any]) -> Any:
        """Return `value` with the writes of a step, in which messages get ids; an Overwrite among them stands alone.

        Raises:
            InvalidUpdateError: two Overwrites.
        """
        overwrites = [
            replacement
            for is_one, replacement in (unwrap_overwrite(write, self.key) for write in writes)
            if is_one
        ]
        if len(overwrites) > 1:
            raise several_overwrites_error(self.key)
        from nbhitl.channels._message_writes import name_messages, with_ids

        if overwrites:
            name_messages(overwrites[0])
            return self.empty() if overwrites[0] is None else overwrites[0]
        if value is MISSING:
            value = self.empty()
        return self.reducer([] if value is MISSING else value, [with_ids(write) for write in writes])

    def update(self, values: Sequence[Any]) -> bool:
        if not values:
            return False
        self.value = self.folded(self.value, values)
        return True
