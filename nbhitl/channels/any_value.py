"""A channel that keeps the last value and takes any number of equal writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self

from nbhitl.channels.base import BaseChannel, Value
from nbhitl.errors import EmptyChannelError
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AnyValue"]


class AnyValue(BaseChannel[Value, Value, Value], Generic[Value]):
    """Keeps the last value for one step; several writes are assumed to be equal."""

    __slots__ = ("value",)

    def __init__(self, typ: Any, key: str = "") -> None:
        super().__init__(typ, key)
        self.value: Any = MISSING

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnyValue)

    __hash__ = None  # type: ignore[assignment]

    @property
    def ValueType(self) -> Any:  # noqa: N802, D102
        return self.typ

    @property
    def UpdateType(self) -> Any:  # noqa: N802, D102
        return self.typ

    def from_checkpoint(self, checkpoint: Any) -> Self:  # noqa: D102
        channel = type(self)(self.typ, self.key)
        channel.value = checkpoint
        return channel

    def get(self) -> Value:  # noqa: D102
        if self.value is MISSING:
            raise EmptyChannelError
        return self.value  # type: ignore[no-any-return]

    def update(self, values: Sequence[Value]) -> bool:  # noqa: D102
        if values:
            self.value = values[-1]
            return True
        if self.value is MISSING:
            return False
        self.value = MISSING
        return True
