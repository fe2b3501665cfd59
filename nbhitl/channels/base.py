"""What every channel can do: hold the value of one state key, and take the writes of a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from nbhitl.errors import EmptyChannelError, InvalidUpdateError
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BaseChannel", "EmptyChannelError", "InvalidUpdateError"]

Value = TypeVar("Value")
Update = TypeVar("Update")
Stored = TypeVar("Stored")


class BaseChannel(ABC, Generic[Value, Update, Stored]):
    """The value of one state key, and the rule by which the writes of a step change it.

    `typ` is the annotated type of the key and `key` its name; both may be unset while the graph is built.
    """

    __slots__ = ("key", "typ")

    in_batches: ClassVar[bool] = False
    """Whether the channel's `folded(value, writes)` makes a new value of the writes of a step, all at once."""

    def __init__(self, typ: Any, key: str = "") -> None:
        self.typ = typ
        self.key = key

    @property
    @abstractmethod
    def ValueType(self) -> Any:
        """The type of the value that `get` returns."""

    @property
    @abstractmethod
    def UpdateType(self) -> Any:
        """The type of one write."""

    def copy(self) -> Self:
        """Return a channel with the same value."""
        return self.from_checkpoint(self.checkpoint())

    def checkpoint(self) -> Stored | Any:
        """Return what a checkpoint stores, or MISSING when there is nothing to store."""
        try:
            return self.get()
        except EmptyChannelError:
            return MISSING

    @abstractmethod
    def from_checkpoint(self, checkpoint: Stored | Any) -> Self:
        """Return a channel with the value that `checkpoint()` returned; MISSING gives a fresh one."""

    @abstractmethod
    def get(self) -> Value:
        """Return the value.

        Raises:
            EmptyChannelError: nothing was written yet.
        """

    def is_available(self) -> bool:
        """Whether `get` would return a value."""
        try:
            self.get()
        except EmptyChannelError:
            return False
        return True

    @abstractmethod
    def update(self, values: Sequence[Update]) -> bool:
        """Take the writes of one step, in order, and return whether the value changed.

        Called with no writes at the end of each step that wrote other channels.

        Raises:
            InvalidUpdateError: the writes cannot be combined.
        """

    def consume(self) -> bool:
        """Note that a task which this channel started has run; return whether the value changed."""
        return False

    def finish(self) -> bool:
        """Note that no other task is left to run; return whether the value changed."""
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key={self.key!r}, typ={self.typ!r})"


class ValueChannel(BaseChannel[Value, Value, Stored], Generic[Value, Stored]):
    """A channel that holds one value of its key's type, in `value`: MISSING until something is written."""

    __slots__ = ("value",)

    def __init__(self, typ: Any, key: str = "") -> None:
        super().__init__(typ, key)
        self.value: Any = MISSING

    @property
    def ValueType(self) -> Any:
        return self.typ

    @property
    def UpdateType(self) -> Any:
        return self.typ

    def fresh(self) -> Self:
        """Return a channel with the same settings on which nothing was written."""
        return type(self)(self.typ, self.key)

    def from_checkpoint(self, checkpoint: Any) -> Self:
        channel = self.fresh()
        if checkpoint is not MISSING:
            channel.value = checkpoint
        return channel

    def get(self) -> Value:
        value: Value = self.value
        if value is MISSING:
            raise EmptyChannelError
        return value


class GuardedChannel(ValueChannel[Value, Stored], Generic[Value, Stored]):
    """A channel of the last value that with `guard` refuses more than one write a step."""

    __slots__ = ("guard",)

    def __init__(self, typ: Any, guard: bool = True, key: str = "") -> None:
        super().__init__(typ, key)
        self.guard = guard

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other.guard == self.guard

    def fresh(self) -> Self:
        return type(self)(self.typ, self.guard, self.key)

    def take(self, values: Sequence[Value]) -> None:
        """Take the writes of one step, at least one.

        Raises:
            InvalidUpdateError: several writes to a guarded channel.
        """
        if self.guard and len(values) != 1:
            raise InvalidUpdateError(
                f"At key '{self.key}': {type(self).__name__}(guard=True) can receive only one value per "
                f"step, {len(values)} tasks wrote it. Use guard=False to keep the last one."
            )
        self.value = values[-1]
