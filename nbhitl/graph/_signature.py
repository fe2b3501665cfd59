"""What a function tells of itself: its annotations, its parameters, whether it is async.

A graph of a thousand nodes asks for a thousand of them, and `inspect` and `typing` take 10 µs for each answer. So plain
functions and methods are looked into here; these two are asked about everything else: decorated functions, partials,
callable objects, annotations that are more than a class.
"""

from __future__ import annotations

import functools
import inspect
import typing
from types import FunctionType, GenericAlias, MethodType, NoneType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType

_Plain = tuple[FunctionType, int]
"""A function, and how many of its parameters are bound."""

_COROUTINE = inspect.CO_COROUTINE

_INJECTED = ("config", "runtime", "writer", "store", "previous")

# A parameter with a default is only filled if its annotation, where it has one, names this.
_TYPES = {"config": ("RunnableConfig",), "writer": ("StreamWriter", "Callable"), "store": ("BaseStore",)}


def hints_of(target: Any) -> dict[str, Any] | None:
    """Return the annotations of a function or callable object, resolved; None if one cannot be resolved."""
    if type(target) is FunctionType and not target.__annotations__:
        return {}
    plain = _plain(target)
    known = _simple_hints(plain[0]) if plain is not None else None
    if known is not None:
        return known
    try:
        return typing.get_type_hints(target if inspect.isroutine(target) else type(target).__call__)
    except (NameError, TypeError, AttributeError):
        return None


def _simple_hints(func: Any) -> dict[str, Any] | None:
    """Return the annotations if each is a class, or a generic like `dict[str, int]` of classes; else None."""
    hints: dict[str, Any] = {}
    for name, given in func.__annotations__.items():
        hint = given
        if type(given) is str:
            if getattr(func, "__type_params__", ()):  # a name may be one of these, from Python 3.12 on
                return None
            try:
                hint = eval(_compiled(given), func.__globals__)
            except Exception:
                return None  # typing is asked, and says what is wrong
        if hint is None:
            hint = NoneType
        elif not isinstance(hint, type) and not _is_generic_of_classes(hint):
            return None
        hints[name] = hint
    return hints


@functools.lru_cache(maxsize=1024)
def _compiled(annotation: str) -> CodeType:
    return compile(annotation, "<annotation>", "eval")


def _is_generic_of_classes(hint: Any) -> bool:
    return type(hint) is GenericAlias and all(isinstance(argument, type) for argument in hint.__args__)


def first_parameter(target: Any, hints: dict[str, Any] | None) -> Any:
    """Return the annotated type of a function's first parameter, or None; methods count without `self`.

    `hints` are what `hints_of(target)` returned.
    """
    if not hints:
        return None
    plain = _plain(target)
    if plain is not None:
        func, bound = plain
        return hints.get(func.__code__.co_varnames[bound])
    try:
        parameters = list(inspect.signature(target).parameters)
    except (ValueError, TypeError):
        return None
    return hints.get(parameters[0]) if parameters else None


def called_as(target: Any) -> tuple[tuple[str, ...], bool]:
    """Return what `injected_parameters` and `is_async` do, with one look at the target."""
    plain = _plain(target)
    return _injected(target, plain), _is_async(target, plain)


def injected_parameters(target: Any) -> tuple[str, ...]:
    """Return the parameters after the first, by name, that the engine fills."""
    return _injected(target, _plain(target))


def _injected(target: Any, plain: _Plain | None) -> tuple[str, ...]:
    if plain is not None:
        func, bound = plain
        code = func.__code__
        count = code.co_argcount + code.co_kwonlyargcount
        if count == bound + 1:
            return ()
        names = code.co_varnames
        found = tuple(n for n in names[max(bound + 1, code.co_posonlyargcount) : count] if n in _INJECTED)
        if not found or not (func.__defaults__ or func.__kwdefaults__):
            return found
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (ValueError, TypeError):
        return ()
    return tuple(
        p.name
        for place, p in enumerate(parameters)
        if p.name in _INJECTED
        and (p.kind is p.KEYWORD_ONLY or (place > 0 and p.kind is p.POSITIONAL_OR_KEYWORD))
        and _is_meant(p)
    )


def _is_meant(parameter: inspect.Parameter) -> bool:
    """Whether a parameter of that name stands for what the engine fills in, and not for something of its own."""
    words = _TYPES.get(parameter.name)
    if words is None or parameter.annotation is parameter.empty or parameter.default is parameter.empty:
        return True
    shown = parameter.annotation if isinstance(parameter.annotation, str) else repr(parameter.annotation)
    return any(word in shown for word in words)


def is_async(target: Any) -> bool:
    """Whether calling `target` returns something to await; partials and callable objects are looked into."""
    return _is_async(target, _plain(target))


def _is_async(target: Any, plain: _Plain | None) -> bool:
    if plain is not None:
        return bool(plain[0].__code__.co_flags & _COROUTINE)
    while isinstance(target, functools.partial):
        target = target.func
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(called(target))


def called(target: Any) -> Any:
    """Return what runs when `target` is called: itself, or an object's `__call__`; None if there is none."""
    return target if inspect.isroutine(target) else getattr(target, "__call__", None)  # noqa: B004 - to look into it


def _plain(target: Any) -> _Plain | None:
    """Return the function that `target` is or calls, if nothing is attached to it and it takes positional arguments.

    With it comes how many of its parameters are bound: 1 for the `self` of a method or a callable object.
    """
    func, bound = target, 0
    if type(target) is not FunctionType:
        method = called(target)
        if type(method) is not MethodType:
            return None
        if method is not target and (method.__self__ is not target or _says_otherwise(target)):
            return None
        func, bound = method.__func__, 1
        if type(func) is not FunctionType:
            return None
    return None if func.__dict__ or func.__code__.co_argcount <= bound else (func, bound)


def _says_otherwise(target: Any) -> bool:
    """Whether a callable object tells inspect to look elsewhere than at its `__call__`."""
    return hasattr(target, "__wrapped__") or hasattr(target, "__signature__")
