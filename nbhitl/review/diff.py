"""What an edit changed, one row a changed argument."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ONE_LINE = 60
"""Strings up to this many characters are compared whole, longer ones line by line."""


@dataclass(frozen=True, slots=True)
class Change:
    """One argument that an edit changed.

    `old` and `new` are None where the argument was added or removed. `lines` is a unified diff without its
    header, for strings too long to show side by side; empty otherwise.
    """

    name: str
    kind: Literal["changed", "added", "removed"]
    old: Any = None
    new: Any = None
    lines: tuple[str, ...] = ()


def _line_diff(old: Any, new: Any) -> tuple[str, ...]:
    if not (isinstance(old, str) and isinstance(new, str)):
        return ()
    if max(len(old), len(new)) <= ONE_LINE and "\n" not in old + new:
        return ()
    lines = list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))
    return tuple(line for line in lines if not line.startswith(("---", "+++", "@@")))


def same(old: Any, new: Any) -> bool:
    """Whether two JSON values are the same one: `1`, `1.0` and `true` are three values.

    >>> same([1], [1]), same(1, True), same(1, 1.0)
    (True, False, False)
    """
    if type(old) is not type(new):
        return False
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(same(old[k], new[k]) for k in old)
    if isinstance(old, (list, tuple)):
        return len(old) == len(new) and all(same(a, b) for a, b in zip(old, new, strict=True))
    return bool(old == new)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return what differs between two sets of arguments, in the order of `old`, then what was added.

    >>> changes({"a": 1, "b": 2}, {"a": 1, "b": 3})
    (Change(name='b', kind='changed', old=2, new=3, lines=()),)
    """
    found: list[Change] = []
    for name, value in old.items():
        if name not in new:
            found.append(Change(name, "removed", old=value))
        elif not same(value, new[name]):
            found.append(Change(name, "changed", value, new[name], _line_diff(value, new[name])))
    found.extend(Change(name, "added", new=new[name]) for name in new if name not in old)
    return tuple(found)
