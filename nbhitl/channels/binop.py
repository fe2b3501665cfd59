"""A channel that folds its writes with a reducer."""

from __future__ import annotations

import collections.abc
from typing import TYPE_CHECKING, Any, Generic, Self

from nbhitl.channels.base import Value, ValueChannel
from nbhitl.constants import OVERWRITE
from nbhitl.errors import ForeignObjectError, InvalidUpdateError
from nbhitl.types import MISSING, Overwrite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["BinaryOperatorAggregate"]

# Abstract collection types cannot be instantiated; these stand in for them.
_CONCRETE: dict[Any, type] = {
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
    collections.abc.Mapping: dict,
    collections.abc.MutableMapping: dict,
}


def unwrap_overwrite(value: Any, key: str = "") -> tuple[bool, Any]:
    """Return whether `value` is an Overwrite, as object or as JSON, and the value that it holds.

    Raises:
        ForeignObjectError: it is an Overwrite of LangGraph's, which a reducer would take for data.
    """
    cls = value.__class__
    if cls is Overwrite:
        return True, value.value
    if cls.__name__ == "Overwrite" and cls.__module__ == "langgraph.types":
        raise ForeignObjectError(
            f"At key '{key}': an update is a langgraph.types.Overwrite, but this graph runs on nbhitl. Import Overwrite "
            "from nbhitl.types."
        )
    if isinstance(value, dict) and len(value) == 1 and OVERWRITE in value:
        return True, value[OVERWRITE]
    return False, None


def several_overwrites_error(key: str) -> InvalidUpdateError:
    """Return the error for a key that several writes of one step overwrite."""
    return InvalidUpdateError(
        f"At key '{key}': Can receive only one Overwrite value per super-step. Let one node of the step overwrite it."
    )


def fold(operator: Callable[[Any, Any], Any], value: Any, updates: Iterable[Any], key: str) -> Any:
    """Return `value` combined with each update in turn; an Overwrite stands alone.

    Raises:
        InvalidUpdateError: two Overwrites in one step.
        ForeignObjectError: an Overwrite of LangGraph's.
    """
    overwritten = False
    for update in updates:
        cls = update.__class__
        if cls is not list and (cls is dict or cls.__name__ == "Overwrite"):
            is_overwrite, replacement = unwrap_overwrite(update, key)
            if is_overwrite:
                if overwritten:
                    raise several_overwrites_error(key)
                value, overwritten = replacement, True
                continue
        if overwritten:
            continue
        value = update if value is MISSING else operator(value, update)
    return value


def initial_value(typ: Any) -> Any:
    """Return the empty value of `typ` (`[]`, `0`, `""`), or MISSING when it has none."""
    origin = getattr(typ, "__origin__", typ)
    origin = _CONCRETE.get(origin, origin)
    try:
        return origin()
    except Exception:  # any user type may refuse to be made without arguments
        return MISSING


class BinaryOperatorAggregate(ValueChannel[Value, Value], Generic[Value]):
    """Keeps `operator(value, write)`, for each write in turn; starts from its type's empty value."""

    __slots__ = ("operator",)

    def __init__(self, typ: Any, operator: Callable[[Any, Any], Any], key: str = "") -> None:
        super().__init__(typ, key)
        self.operator = operator
        self.value = initial_value(typ)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BinaryOperatorAggregate) and (
            self.operator is other.operator
            or "<lambda>" in (getattr(self.operator, "__name__", ""), getattr(other.operator, "__name__", ""))
            or self.operator == other.operator
        )

    def fresh(self) -> Self:
        return type(self)(self.typ, self.operator, self.key)

    def update(self, values: Sequence[Value]) -> bool:
        if not values:
            return False
        self.value = fold(self.operator, self.value, values, self.key)
        return True
