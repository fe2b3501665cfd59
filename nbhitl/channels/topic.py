"""A channel that collects its writes in a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self

from nbhitl.channels.base import BaseChannel, Value
from nbhitl.errors import EmptyChannelError
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Topic"]


class Topic(BaseChannel["Sequence[Value]", "Value | list[Value]", "list[Value]"], Generic[Value]):
    """Collects the writes of a step, or with `accumulate` of all steps; a list counts as its items."""

    __slots__ = ("accumulate", "values")

    def __init__(self, typ: Any, accumulate: bool = False, key: str = "") -> None:
        super().__init__(typ, key)
        self.accumulate = accumulate
        self.values: list[Value] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Topic) and other.accumulate == self.accumulate

    @property
    def ValueType(self) -> Any:
        return list[self.typ]  # type: ignore[name-defined]

    @property
    def UpdateType(self) -> Any:
        return self.typ | list[self.typ]  # type: ignore[name-defined]

    def checkpoint(self) -> Any:
        return list(self.values) if self.values else MISSING

    def from_checkpoint(self, checkpoint: Any) -> Self:
        channel = type(self)(self.typ, self.accumulate, self.key)
        if checkpoint is not MISSING:
            channel.values = list(checkpoint)
        return channel

    def get(self) -> Sequence[Value]:
        if not self.values:
            raise EmptyChannelError
        return list(self.values)

    def update(self, values: Sequence[Any]) -> bool:
        changed = False
        if not self.accumulate:
            changed = bool(self.values)
            self.values = []
        for value in values:
            changed = True
            if isinstance(value, list):
                self.values.extend(value)
            else:
                self.values.append(value)
        return changed
