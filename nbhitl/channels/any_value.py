"""A channel that keeps the last value and takes any number of equal writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from nbhitl.channels.base import Value, ValueChannel
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AnyValue"]


class AnyValue(ValueChannel[Value, Value], Generic[Value]):
    """Keeps the last value for one step; several writes are assumed to be equal."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyValue)

    def update(self, values: Sequence[Value]) -> bool:
        if values:
            self.value = values[-1]
            return True
        if self.value is MISSING:
            return False
        self.value = MISSING
        return True
