"""How the writes of a step change one state key."""

from __future__ import annotations

import operator
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from nbhitl.channels.binop import BinaryOperatorAggregate, initial_value
from nbhitl.channels.last_value import LastValue
from nbhitl.channels.untracked_value import UntrackedValue
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nbhitl.channels.base import BaseChannel

    Grown = tuple[list[Any], list[Any] | None]


class KeyKind(IntEnum):
    """How a key takes writes. The first two are folded on plain values, without a channel object."""

    LAST = 0
    REDUCE = 1
    OBJECT = 2


class KeyRule:
    """The rule of one state key, made from the channel that its annotation stands for.

    `appended(old, new, update)` returns what a fold only added to a list, or None. `grown(old, update)` folds an
    update into a list that nobody else has, by changing it if it can; it returns the new list, with what was only added
    to it or None; or None where `operator` has to do it. With `batched` the channel's own `folded` takes the writes of
    a step at once.
    """

    __slots__ = (
        "appended", "batched", "channel", "edits", "folded", "grown", "initial", "kind", "name", "operator", "saved",
    )  # fmt: skip

    def __init__(self, name: str, channel: BaseChannel[Any, Any, Any]) -> None:
        self.name = name
        self.channel = channel
        self.operator: Callable[[Any, Any], Any] | None = None
        self.appended: Callable[[Any, Any, Any], list[Any] | None] | None = None
        self.grown: Callable[[list[Any], Any], Grown | None] | None = None
        self.edits = False
        self.initial: Any = MISSING
        self.batched = False
        self.saved = not isinstance(channel, UntrackedValue)
        if type(channel) is LastValue:
            self.kind = KeyKind.LAST
        elif type(channel) is BinaryOperatorAggregate:
            self.kind = KeyKind.REDUCE
            self.operator = channel.operator
            self.initial = channel.value
            self.appended = _appended_of(channel.operator)
            self.grown = _grown_of(channel.operator)
            self.edits = self.grown is not None and self.grown is not _extended
        elif channel.in_batches:
            self._take_in_batches(channel)
        else:
            self.kind = KeyKind.OBJECT

    def _take_in_batches(self, channel: Any) -> None:
        self.kind = KeyKind.REDUCE
        self.batched = True
        self.folded: Callable[[Any, Sequence[Any]], Any] = channel.folded
        self.operator = channel.reducer
        self.initial = channel.empty()
        self.appended = getattr(channel.reducer, "__appended__", None) or _new_tail

    def first_value(self) -> Any:
        """Return the value that the key has before any write, or MISSING; never shared between threads."""
        if self.initial is MISSING:
            return MISSING
        return initial_value(self.channel.typ)


_CONCATENATE = (operator.add, operator.iadd, operator.concat)


def _appended_of(reducer: Any) -> Callable[[Any, Any, Any], list[Any] | None] | None:
    return _list_tail if reducer in _CONCATENATE else getattr(reducer, "__appended__", None)


def _grown_of(reducer: Any) -> Callable[[list[Any], Any], Grown | None] | None:
    if reducer in _CONCATENATE:
        return _extended
    # A function that wraps another one has its attributes too, and must not be passed over.
    owner, grown = getattr(reducer, "__grown__", (None, None))
    return grown if owner is reducer else None


def _extended(old: list[Any], update: Any) -> Grown | None:
    if type(update) is not list:
        return None
    old.extend(update)
    return old, update


def _list_tail(old: Any, _: Any, update: Any) -> list[Any] | None:
    return update if type(old) is list and type(update) is list else None


def _new_tail(old: Any, new: Any, _: Any) -> list[Any] | None:
    """What a reducer that is not known has appended: it returned another list, which begins with the same items."""
    if type(old) is not list or type(new) is not list or new is old or len(new) < len(old):
        return None
    return new[len(old) :] if all(map(operator.is_, old, new)) else None
