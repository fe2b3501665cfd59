"""Classes of plain fields, as `dataclass(slots=True)` makes them, at a fraction of what that costs at import.

The engine's own records are such classes; a dataclass for each took a third of the time to import a graph. What users
see (Command, Interrupt, Runtime, ...) are dataclasses, with all that belongs to them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Row = TypeVar("Row", bound=tuple[Any, ...])


class _Made:
    """Stands in a class body for a default that each instance gets its own of."""

    __slots__ = ("factory",)

    def __init__(self, factory: Callable[[], Any]) -> None:
        self.factory = factory


_ABSENT: Any = object()


def made(*, factory: Callable[[], T]) -> T:
    """Return a field's default that is made anew for each instance, by calling `factory`."""
    return _Made(factory)  # type: ignore[return-value]


@dataclass_transform(field_specifiers=(made,))
def slotted(cls: type[T]) -> type[T]:
    """Return `cls` with its annotated names as slots, `__init__`, `==` and a repr.

    Fields whose name begins with `_` are neither compared nor shown. `__post_init__` runs after `__init__`. Base
    classes with fields are not supported.
    """
    names = tuple(cls.__annotations__)
    body = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: body.pop(name) for name in names if name in body}
    shown = tuple(name for name in names if not name.startswith("_"))
    body |= {"__slots__": names, "__match_args__": names, "__init__": _init_of(cls, names, defaults)}
    body |= {"__eq__": _eq_of(shown), "__hash__": None, "__repr__": _repr_of(shown)}
    return cast("type[T]", type(cls.__name__, cls.__bases__, body))


@dataclass_transform()
def sparse(cls: type[T]) -> type[T]:
    """As `slotted`, for a class most of whose fields keep their defaults: an instance holds what it was given.

    Defaults are shared by all instances, so they must not be changed in place.
    """
    names = tuple(cls.__annotations__)
    required = [name for name in names if name not in cls.__dict__]
    shown = tuple(name for name in names if not name.startswith("_"))
    body = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    known = {"_take": _taker(cls.__qualname__, names[len(required) :])}
    lines = [
        *(f"    self.{name} = {name}" for name in required),
        "    if more or given: _take(self, more, given)",
    ]
    exec(f"def __init__(self, {', '.join(required)}, *more, **given):\n" + "\n".join(lines), known)
    body |= {"__match_args__": names, "__init__": _named(known["__init__"], cls)}
    body |= {"__eq__": _eq_of(shown), "__hash__": None, "__repr__": _repr_of(shown)}
    return cast("type[T]", type(cls.__name__, cls.__bases__, body))


def _taker(owner: str, optional: tuple[str, ...]) -> Any:
    known = frozenset(optional)

    def take(self: Any, more: tuple[Any, ...], given: dict[str, Any]) -> None:
        if more:
            given.update(zip(optional, more, strict=False))
        if len(more) > len(optional) or not known.issuperset(given):
            raise TypeError(
                f"{owner}() has the optional fields {', '.join(optional)}; got {', '.join(given)}"
            )
        self.__dict__.update(given)

    return take


def _named(init: Any, cls: type) -> Any:
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    return init


def quick(cls: type[T]) -> Callable[..., T]:
    """Return what makes instances of a `slotted` or `sparse` class in two thirds of the time that the class takes itself.

    It takes by position all fields of a `slotted` class, those without a default of a `sparse` one. `__post_init__`
    is not called.

    >>> class Point:
    ...     x: int
    ...     y: int
    >>> point = quick(slotted(Point))
    >>> point(1, 2).y
    2
    """
    made_of: Any = cls
    fields = made_of.__dict__.get("__slots__") or [n for n in made_of.__match_args__ if not hasattr(cls, n)]
    lines = ["    self = new(cls)", *(f"    self.{name} = {name}" for name in fields), "    return self"]
    known: dict[str, Any] = {"new": object.__new__, "cls": cls}
    exec(f"def make({', '.join(fields)}):\n" + "\n".join(lines), known)
    return cast("Callable[..., T]", known["make"])


def of_fields(cls: type[Row]) -> Callable[[tuple[Any, ...]], Row]:
    """Return what makes a named tuple of the tuple of all its fields, in half the time that the class takes itself.

    >>> from typing import NamedTuple
    >>> point = of_fields(NamedTuple("Point", [("x", int), ("y", int)]))
    >>> point((1, 2)).y
    2
    """
    return partial(tuple.__new__, cls)


def _init_of(cls: type, names: tuple[str, ...], defaults: dict[str, Any]) -> Any:
    """Compile `__init__`: assignments are what is fast, so one is written out for each field."""
    known: dict[str, Any] = {"_ABSENT": _ABSENT}
    parameters, lines = [], []
    for name in names:
        value = name
        if name in defaults:
            default = defaults[name]
            if isinstance(default, _Made):
                known[f"_make_{name}"] = default.factory
                value, default = f"_make_{name}() if {name} is _ABSENT else {name}", _ABSENT
            known[f"_default_{name}"] = default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f"    self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("    self.__post_init__()")
    exec(f"def __init__(self, {', '.join(parameters)}):\n" + "\n".join(lines), known)
    return _named(known["__init__"], cls)


def _eq_of(shown: tuple[str, ...]) -> Any:
    def __eq__(self: Any, other: object) -> bool:  # noqa: N807 - becomes a class's
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in shown)

    return __eq__


def _repr_of(shown: tuple[str, ...]) -> Any:
    def __repr__(self: Any) -> str:  # noqa: N807 - becomes a class's
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    return __repr__
