"""What every channel can do: hold the value of one state key, and take the writes of a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

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

    def __init__(self, typ: Any, key: str = "") -> None:
        self.typ = typ
        self.key = key

    @property
    @abstractmethod
    def ValueType(self) -> Any:  # noqa: N802 - LangGraph's name
        """The type of the value that `get` returns."""

    @property
    @abstractmethod
    def UpdateType(self) -> Any:  # noqa: N802 - LangGraph's name
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


def same_kind(a: object, b: object) -> bool:
    """Whether two channels fold writes alike, so that two schemas may both declare the key.

    Channel types with parameters override `__eq__`; for the others the class decides.
    """
    return type(a) is type(b) and (a == b if type(a).__eq__ is not object.__eq__ else True)
