"""Channels that wait until each of a set of names was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self

from nbhitl.channels.base import BaseChannel, Value
from nbhitl.errors import EmptyChannelError, InvalidUpdateError
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NamedBarrierValue", "NamedBarrierValueAfterFinish"]


class NamedBarrierValue(BaseChannel[None, Value, "set[Value]"], Generic[Value]):
    """Is available once every name was written: the trigger of `add_edge([a, b], c)`."""

    __slots__ = ("names", "seen")

    def __init__(self, typ: Any, names: set[Value], key: str = "") -> None:
        super().__init__(typ, key)
        self.names = names
        self.seen: set[Value] = set()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.names == self.names

    @property
    def ValueType(self) -> Any:
        return self.typ

    @property
    def UpdateType(self) -> Any:
        return self.typ

    def checkpoint(self) -> Any:
        return set(self.seen)

    def from_checkpoint(self, checkpoint: Any) -> Self:
        channel = type(self)(self.typ, self.names, self.key)
        if checkpoint is not MISSING:
            channel.restore(checkpoint)
        return channel

    def restore(self, checkpoint: Any) -> None:
        """Take on what `checkpoint()` returned."""
        self.seen = set(checkpoint)

    def get(self) -> None:
        if self.seen != self.names:
            raise EmptyChannelError

    def update(self, values: Sequence[Value]) -> bool:
        changed = False
        for value in values:
            if value not in self.names:
                raise InvalidUpdateError(
                    f"At key '{self.key}': {value!r} is not one of {sorted(map(str, self.names))}, which "
                    "this barrier waits for."
                )
            if value not in self.seen:
                self.seen.add(value)
                changed = True
        return changed

    def consume(self) -> bool:
        if self.seen != self.names:
            return False
        self.seen = set()
        return True


class NamedBarrierValueAfterFinish(NamedBarrierValue[Value]):
    """Is available once every name was written and no other task is left: a barrier before `defer=True`."""

    __slots__ = ("finished",)

    def __init__(self, typ: Any, names: set[Value], key: str = "") -> None:
        super().__init__(typ, names, key)
        self.finished = False

    def checkpoint(self) -> Any:
        return (set(self.seen), self.finished)

    def restore(self, checkpoint: Any) -> None:
        seen, self.finished = checkpoint
        self.seen = set(seen)

    def get(self) -> None:
        if not self.finished:
            raise EmptyChannelError
        super().get()

    def consume(self) -> bool:
        if not self.finished or not super().consume():
            return False
        self.finished = False
        return True

    def finish(self) -> bool:
        if self.finished or self.seen != self.names:
            return False
        self.finished = True
        return True
