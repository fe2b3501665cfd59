"""What filters and match conditions ask for, and whether it holds. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbhitl.store.base import ListNamespacesOp, MatchCondition

Operators = Mapping[str, Callable[[Any, Any], bool]]

IN_MEMORY: Operators = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$gt": lambda value, wanted: float(value) > float(wanted),
    "$gte": lambda value, wanted: float(value) >= float(wanted),
    "$lt": lambda value, wanted: float(value) < float(wanted),
    "$lte": lambda value, wanted: float(value) <= float(wanted),
}
"""Those of a store in memory: what it compares must be numbers, or texts of numbers."""


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Compare numbers with numbers and texts with texts; anything else does not pass."""

    def holds(value: Any, wanted: Any) -> bool:
        kind = str if isinstance(wanted, str) else (int, float)
        return isinstance(value, kind) and isinstance(wanted, kind) and bool(compare(value, wanted))

    return holds


IN_DATABASE: Operators = {
    "$eq": operator.eq,
    "$ne": lambda value, wanted: value is not None and value != wanted,
    "$gt": _ordered(operator.gt),
    "$gte": _ordered(operator.ge),
    "$lt": _ordered(operator.lt),
    "$lte": _ordered(operator.le),
}
"""Those of a store in a database: as there, a value that is not there is neither equal nor unequal."""


def passes(
    value: Mapping[str, Any], filter: Mapping[str, Any] | None, operators: Operators = IN_MEMORY
) -> bool:
    """Whether an item's value is what a search's filter asks for.

    Raises:
        ValueError: the filter has an unknown operator, or one that compares numbers compares something else.
    """
    return all(_holds(value.get(key), wanted, operators) for key, wanted in (filter or {}).items())


def _holds(value: Any, wanted: Any, operators: Operators) -> bool:
    """Whether `value` is what a filter asks for: equal, or as its operators say, at any depth."""
    if isinstance(wanted, dict):
        if any(key.startswith("$") for key in wanted):
            return all(_operator(name, operators)(value, operand) for name, operand in wanted.items())
        return isinstance(value, dict) and all(
            _holds(value.get(key), inner, operators) for key, inner in wanted.items()
        )
    if isinstance(wanted, (list, tuple)):
        return (
            isinstance(value, (list, tuple))
            and len(value) == len(wanted)
            and all(_holds(item, inner, operators) for item, inner in zip(value, wanted, strict=True))
        )
    return bool(value == wanted)


def _operator(name: str, operators: Operators) -> Callable[[Any, Any], bool]:
    try:
        return operators[name]
    except KeyError:
        raise ValueError(f"Unsupported operator: {name}. Known are {', '.join(operators)}.") from None


def listed(namespaces: Iterable[tuple[str, ...]], op: ListNamespacesOp) -> list[tuple[str, ...]]:
    """Return the namespaces that an operation asks for, sorted, cut to its depth, limit and offset."""
    found = {
        namespace[: op.max_depth]
        for namespace in namespaces
        if all(_matches(namespace, condition) for condition in op.match_conditions or ())
    }
    return sorted(found)[op.offset : op.offset + op.limit]


def _matches(namespace: tuple[str, ...], condition: MatchCondition) -> bool:
    path = condition.path
    if len(path) > len(namespace):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[-len(path) :]
    return all(wanted in ("*", label) for label, wanted in zip(part, path, strict=True))
