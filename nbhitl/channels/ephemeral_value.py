"""A channel whose value lives for one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from nbhitl.channels.base import GuardedChannel, Value
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EphemeralValue"]


class EphemeralValue(GuardedChannel[Value, Value], Generic[Value]):
    """Keeps the value of the step just done; `guard` refuses more than one write a step."""

    __slots__ = ()

    def update(self, values: Sequence[Value]) -> bool:
        if values:
            self.take(values)
            return True
        changed = self.value is not MISSING
        self.value = MISSING
        return changed
