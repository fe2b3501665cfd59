"""Channels that keep the last value written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self

from nbhitl.channels.base import Value, ValueChannel
from nbhitl.errors import EmptyChannelError, InvalidUpdateError
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LastValue", "LastValueAfterFinish"]


def concurrent_update_error(key: str, count: int) -> InvalidUpdateError:
    """Return the error for a key without a reducer that several tasks of one step wrote."""
    return InvalidUpdateError(
        f"At key '{key}': Can receive only one value per step. {count} tasks wrote it in the same step. "
        f"Give the key a reducer, for example Annotated[list, operator.add], or let one node write it. "
        "(INVALID_CONCURRENT_GRAPH_UPDATE)"
    )


class LastValue(ValueChannel[Value, Value], Generic[Value]):
    """Keeps the last value; takes at most one write a step."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LastValue)

    def update(self, values: Sequence[Value]) -> bool:
        if not values:
            return False
        if len(values) != 1:
            raise concurrent_update_error(self.key, len(values))
        self.value = values[-1]
        return True


class LastValueAfterFinish(ValueChannel[Value, "tuple[Value, bool]"], Generic[Value]):
    """Keeps the last value, and offers it only when no other task is left: the trigger of `defer=True`."""

    __slots__ = ("finished",)

    def __init__(self, typ: Any, key: str = "") -> None:
        super().__init__(typ, key)
        self.finished = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LastValueAfterFinish)

    def checkpoint(self) -> Any:
        return MISSING if self.value is MISSING else (self.value, self.finished)

    def from_checkpoint(self, checkpoint: Any) -> Self:
        channel = self.fresh()
        if checkpoint is not MISSING:
            channel.value, channel.finished = checkpoint
        return channel

    def get(self) -> Value:
        if not self.finished:
            raise EmptyChannelError
        return super().get()

    def update(self, values: Sequence[Value]) -> bool:
        if not values:
            return False
        self.finished = False
        self.value = values[-1]
        return True

    def consume(self) -> bool:
        if not self.finished:
            return False
        self.value, self.finished = MISSING, False
        return True

    def finish(self) -> bool:
        if self.finished or self.value is MISSING:
            return False
        self.finished = True
        return True
