"""A channel whose value lives during a run and is never saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self

from nbhitl.channels.base import BaseChannel, Value
from nbhitl.errors import EmptyChannelError, InvalidUpdateError
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["UntrackedValue"]


class UntrackedValue(BaseChannel[Value, Value, Any], Generic[Value]):
    """Keeps the last value while the run lasts; `guard` refuses more than one write a step."""

    __slots__ = ("guard", "value")

    def __init__(self, typ: Any, guard: bool = True, key: str = "") -> None:
        super().__init__(typ, key)
        self.guard = guard
        self.value: Any = MISSING

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntrackedValue) and other.guard == self.guard

    __hash__ = None  # type: ignore[assignment]

    @property
    def ValueType(self) -> Any:  # noqa: N802, D102
        return self.typ

    @property
    def UpdateType(self) -> Any:  # noqa: N802, D102
        return self.typ

    def copy(self) -> Self:  # noqa: D102
        channel = type(self)(self.typ, self.guard, self.key)
        channel.value = self.value
        return channel

    def checkpoint(self) -> Any:  # noqa: D102
        return MISSING

    def from_checkpoint(self, checkpoint: Any) -> Self:  # noqa: ARG002, D102
        return type(self)(self.typ, self.guard, self.key)

    def get(self) -> Value:  # noqa: D102
        if self.value is MISSING:
            raise EmptyChannelError
        return self.value  # type: ignore[no-any-return]

    def update(self, values: Sequence[Value]) -> bool:  # noqa: D102
        if not values:
            return False
        if self.guard and len(values) != 1:
            raise InvalidUpdateError(
                f"At key '{self.key}': UntrackedValue(guard=True) can receive only one value per step, "
                f"{len(values)} tasks wrote it. Use guard=False to keep the last one."
            )
        self.value = values[-1]
        return True
