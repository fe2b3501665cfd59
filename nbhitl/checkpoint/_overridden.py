"""Whether a method of somebody's subclass replaces one of ours, or only has its name."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any


def means_something_else(kind: type, base: type, name: str) -> bool:
    """Whether `kind` has a `name` that cannot be called as that of `base` is, which it derives from."""
    theirs, ours = getattr(kind, name), getattr(base, name)
    if theirs is ours or theirs.__class__ is property:
        return theirs is not ours
    return not (callable(theirs) and _takes(theirs, ours))


def _takes(theirs: Any, ours: Any) -> bool:
    wanted = signature(ours).parameters.values()
    given = [None for part in wanted if part.kind is Parameter.POSITIONAL_OR_KEYWORD]
    named = {part.name: None for part in wanted if part.kind is Parameter.KEYWORD_ONLY}
    try:
        signature(theirs).bind(*given, **named)
    except (TypeError, ValueError):
        return False
    return True
