"""A channel whose value lives during a run and is never saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self

from nbhitl.channels.base import GuardedChannel, Value
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["UntrackedValue"]


class UntrackedValue(GuardedChannel[Value, Any], Generic[Value]):
    """Keeps the last value while the run lasts; `guard` refuses more than one write a step."""

    __slots__ = ()

    def copy(self) -> Self:
        channel = self.fresh()
        channel.value = self.value
        return channel

    def checkpoint(self) -> Any:
        return MISSING

    def from_checkpoint(self, checkpoint: Any) -> Self:
        return self.fresh()

    def update(self, values: Sequence[Value]) -> bool:
        if not values:
            return False
        self.take(values)
        return True
