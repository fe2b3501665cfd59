"""What differs between two states: pure functions on plain values.

A list that only grew is told apart from one that was replaced, whatever reducer made it grow: a message added
to a hundred others is one short line, and not a hundred old ones beside a hundred and one new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

__all__ = ["ROOT", "Change", "as_mapping", "compare_values", "same_value"]

ROOT = "__root__"
"""The key under which a state that is no mapping is shown."""

_PLAIN = frozenset({int, str, float, bool, bytes})

Kind = Literal["added", "appended", "inserted", "removed", "replaced"]


class Change(NamedTuple):
    """One difference. `key` is the state key, with a path into it where only a part differs: `user.name`,
    `log[2]`; numbers are those of the new list, for `removed` of the old one.

    `added` and `removed` say that a key or a list item was not there before or is not there any more,
    `appended` and `inserted` that an item is new at the end of a list or within it. What is missing is None.
    """

    key: str
    change: Kind
    before: Any
    after: Any


def as_mapping(values: Any) -> Mapping[str, Any]:
    """Return a state as a mapping of key to value; a root-typed one under the key `__root__`."""
    return values if isinstance(values, Mapping) else {ROOT: values}


def same_value(a: Any, b: Any) -> bool:
    """Whether two values are equal and of one type; tables and arrays are compared as a whole.

    >>> same_value(True, 1), same_value([1, 2], [1, 2])
    (False, True)
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if type(a) in _PLAIN:
        return bool(a == b)
    equals = getattr(a, "equals", None)
    if callable(equals):
        return bool(equals(b))
    equal = a == b
    if isinstance(equal, bool):
        return equal
    # An array answers with an array: it is the same if it has the same shape and every element agrees.
    return getattr(a, "shape", None) == getattr(b, "shape", None) and bool(getattr(equal, "all", bool)())


def compare_values(before: Any, after: Any) -> list[Change]:
    """Return what has to change to get from one state to the other, in the order of the keys.

    >>> compare_values({"n": 1, "log": ["a"]}, {"n": 2, "log": ["a", "b"]})
    [Change(key='n', change='replaced', before=1, after=2), \
Change(key='log[1]', change='appended', before=None, after='b')]
    """
    old, new = as_mapping(before), as_mapping(after)
    changes: list[Change] = []
    for key in [*old, *(key for key in new if key not in old)]:
        name = str(key)
        if key not in new:
            changes.append(Change(name, "removed", old[key], None))
        elif key not in old:
            changes.append(Change(name, "added", None, new[key]))
        else:
            changes.extend(_compare(name, old[key], new[key]))
    return changes


def _compare(key: str, before: Any, after: Any) -> list[Change]:
    if same_value(before, after):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [change._replace(key=f"{key}.{change.key}") for change in compare_values(before, after)]
    if isinstance(before, (list, tuple)) and type(before) is type(after):
        return _compare_items(key, before, after)
    return [Change(key, "replaced", before, after)]


def _compare_items(key: str, before: Sequence[Any], after: Sequence[Any]) -> list[Change]:
    shared = 0
    while shared < min(len(before), len(after)) and same_value(before[shared], after[shared]):
        shared += 1
    if shared == len(before):  # by far the most common: it only grew
        return [Change(f"{key}[{i}]", "appended", None, after[i]) for i in range(shared, len(after))]
    changes: list[Change] = []
    matcher = SequenceMatcher(None, _marks(before[shared:]), _marks(after[shared:]), autojunk=False)
    for tag, b1, b2, a1, a2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        old, new = range(shared + b1, shared + b2), range(shared + a1, shared + a2)
        for b, a in zip(old, new, strict=False):
            place = f"{key}[{a}]"
            changes.extend(
                _compare(place, before[b], after[a]) or [Change(place, "replaced", before[b], after[a])]
            )
        changes.extend(Change(f"{key}[{b}]", "removed", before[b], None) for b in old[len(new) :])
        how: Kind = "appended" if b2 + shared == len(before) else "inserted"
        changes.extend(Change(f"{key}[{a}]", how, None, after[a]) for a in new[len(old) :])
    return changes


def _marks(items: Sequence[Any]) -> list[str]:
    # Items need not be hashable; the type tells True from 1, whose reprs differ anyway, and 1 from "1".
    return [f"{type(item).__name__}:{item!r}" for item in items]
