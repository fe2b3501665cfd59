"""How the writes of a step change one state key."""

from __future__ import annotations

import operator
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from nbhitl.channels.binop import BinaryOperatorAggregate
from nbhitl.channels.last_value import LastValue
from nbhitl.channels.untracked_value import UntrackedValue
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.channels.base import BaseChannel


class KeyKind(IntEnum):
    """How a key takes writes. The first two are folded on plain values, without a channel object."""

    LAST = 0
    REDUCE = 1
    OBJECT = 2


class KeyRule:
    """The rule of one state key, made from the channel that its annotation stands for.

    `appended(old, new, update)` returns what a fold only added to a list, or None.
    """

    __slots__ = ("appended", "channel", "initial", "kind", "name", "operator", "saved")

    def __init__(self, name: str, channel: BaseChannel[Any, Any, Any]) -> None:
        self.name = name
        self.channel = channel
        self.operator: Callable[[Any, Any], Any] | None = None
        self.appended: Callable[[Any, Any, Any], list[Any] | None] | None = None
        self.initial: Any = MISSING
        self.saved = not isinstance(channel, UntrackedValue)
        if type(channel) is LastValue:
            self.kind = KeyKind.LAST
        elif type(channel) is BinaryOperatorAggregate:
            self.kind = KeyKind.REDUCE
            self.operator = channel.operator
            self.initial = channel.value
            self.appended = _appended_of(channel.operator)
        else:
            self.kind = KeyKind.OBJECT

    def first_value(self) -> Any:
        """Return the value that the key has before any write, or MISSING; never shared between threads."""
        if self.initial is MISSING:
            return MISSING
        return BinaryOperatorAggregate(self.channel.typ, self.operator or operator.add).value


def _appended_of(reducer: Any) -> Callable[[Any, Any, Any], list[Any] | None] | None:
    if reducer is operator.add or reducer is operator.iadd or reducer is operator.concat:
        return _list_tail
    return getattr(reducer, "__appended__", None)


def _list_tail(old: Any, _: Any, update: Any) -> list[Any] | None:
    return update if type(old) is list and type(update) is list else None
