"""Whether a method of somebody's subclass replaces one of ours, or only has its name."""

from __future__ import annotations

from functools import lru_cache
from inspect import Parameter, signature
from itertools import takewhile
from types import FunctionType
from typing import TYPE_CHECKING, Any
from warnings import warn

if TYPE_CHECKING:
    from collections.abc import Iterable


def means_something_else(kind: type, base: type, name: str) -> bool:
    """Whether `kind` has a `name` that cannot be called as that of `base` is, which it derives from."""
    theirs, ours = getattr(kind, name), getattr(base, name)
    if theirs is ours or theirs.__class__ is property:
        return theirs is not ours
    return not (callable(theirs) and _takes(theirs, ours))


def as_ours(saver: Any, base: type) -> Any:
    """Return a saver that derives from `base`, with our methods if it has something else by their names."""
    theirs = tuple(takewhile(lambda kind: not kind.__module__.startswith("nbhitl."), type(saver).__mro__))
    if not theirs:
        return saver
    shadowed = any(callable(getattr(base, name, None)) for name in vars(saver))
    return super(theirs[-1], saver) if shadowed or _takes_names(theirs[0], base) else saver


def warn_of_private_names(kind: type) -> None:
    """Say which methods of a class derived from one of ours take the place of a private one and cannot be called as it
    is: calls that need that one will fail.
    """
    ours = [base for base in kind.__mro__[1:] if base.__module__.startswith("nbhitl.")]
    names = [name for name in vars(kind) if _takes_the_place_of_a_private_one(kind, ours, name)]
    if names:
        warn(
            f"{kind.__name__}: {', '.join(names)} of {ours[0].__name__}'s own means something else; what needs that will "
            f"fail. Call yours otherwise: names that begin with two underscores ({'_' + names[0]}) are a class's own.",
            stacklevel=3,
        )


def _takes_the_place_of_a_private_one(kind: type, ours: Iterable[type], name: str) -> bool:
    if not name.startswith("_") or name.startswith(("__", f"_{kind.__name__}__")):
        return False
    base = next((base for base in ours if _is_method(vars(base).get(name))), None)
    return base is not None and means_something_else(kind, base, name)


def _is_method(found: Any) -> bool:
    return isinstance(found, FunctionType | property | staticmethod | classmethod)


@lru_cache(maxsize=64)
def _takes_names(kind: type, base: type) -> bool:
    names = [name for name in dir(base) if callable(getattr(base, name)) and not name.startswith("__")]
    return any(means_something_else(kind, base, name) for name in names)


def _takes(theirs: Any, ours: Any) -> bool:
    wanted = signature(ours).parameters.values()
    given = [None for part in wanted if part.kind is Parameter.POSITIONAL_OR_KEYWORD]
    named = {part.name: None for part in wanted if part.kind is Parameter.KEYWORD_ONLY}
    try:
        signature(theirs).bind(*given, **named)
    except (TypeError, ValueError):
        return False
    return True
