"""Where code sends a graph, read from the code itself: for nodes and path functions that declare no targets.

Nothing is called. Byte code tells cheaply whether a function routes at all; only then is its source parsed,
and the names that stand in it as literals are read. What is not a literal makes the routes open: the code
may go to places that only running it can tell.
"""

from __future__ import annotations

import functools
import typing
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

CALL_DEPTH = 3
"""So many calls deep the functions of the same module are read too."""

_ASKING_MODULES = ("nbhitl.", "langgraph.")
_ASKING_NAMES = frozenset({"interrupt", "ask"})


@dataclass(frozen=True, slots=True)
class Routes:
    """Targets in the order of the source: in this graph, and (`parent`) in the graph around it.

    `is_open`: the code goes to further places, which can't be read from it.
    """

    targets: tuple[str, ...] = ()
    parent: tuple[str, ...] = ()
    is_open: bool = False


NOWHERE = Routes()


def node_routes(action: Any) -> Routes:
    """Targets of the Commands that a node returns; empty for a node that only updates the state."""
    function = _function(action)
    if function is None or not _may_route(function, CALL_DEPTH):
        return NOWHERE
    hinted = _hinted(function, "Command")
    if hinted:
        return Routes(hinted)
    from nbhitl.draw.source import command_routes

    return command_routes(function, CALL_DEPTH)


def path_routes(path: Any) -> Routes:
    """What a path function returns: node names, or Sends to them; open when that can't be read."""
    function = _function(path)
    if function is None:
        return Routes(is_open=True)
    hinted = _hinted(function, "")
    if hinted:
        return Routes(hinted)
    from nbhitl.draw.source import return_routes

    return return_routes(function, CALL_DEPTH)


def asks(action: Any) -> bool:
    """Whether a node's code mentions `interrupt` or `ask`: it may stop and ask a person."""
    function = _function(action)
    if function is None:
        return False
    names = function.__code__.co_names
    return bool(names) and any(_is_asking(name, function) for name in _all_names(function.__code__))


def _is_asking(name: str, function: FunctionType) -> bool:
    value = function.__globals__.get(name)
    if isinstance(value, FunctionType):
        return value.__name__ in _ASKING_NAMES and value.__module__.startswith(_ASKING_MODULES)
    # `types.interrupt(...)`: the name is an attribute's, so there is no global to look at.
    return name == "interrupt" and value is None


def _all_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from code.co_freevars
    for const in code.co_consts:
        if type(const) is CodeType:
            yield from _all_names(const)


def _function(action: Any) -> FunctionType | None:
    """The Python function behind an action: through wrappers, partials, methods and callable objects."""
    for _ in range(10):
        if type(action) is FunctionType:
            wrapped = action.__dict__.get("__wrapped__") if action.__dict__ else None
            if wrapped is None:
                return action
            action = wrapped
        elif isinstance(action, functools.partial):
            action = action.func
        elif isinstance(action, MethodType):
            action = action.__func__
        else:
            action = _inner_callable(action)
            if action is None:
                return None
    return None


def _inner_callable(action: Any) -> Any:
    """What a callable object calls: the `afunc`/`func` that it wraps, or its class's own `__call__`."""
    if action is None or isinstance(action, type):
        return None
    for name in ("func", "afunc"):
        inner = getattr(action, name, None)
        if isinstance(inner, FunctionType | MethodType | functools.partial):
            return inner
    return getattr(type(action), "__call__", None)  # noqa: B004  # the function itself is wanted


def _may_route(function: FunctionType, depth: int) -> bool:
    if _mentions_goto(function.__code__):
        return True
    return depth > 0 and any(_may_route(callee, depth - 1) for callee in callees(function))


@functools.lru_cache(maxsize=4096)
def _mentions_goto(code: CodeType) -> bool:
    """Whether `goto=` is passed anywhere in it, or a Command is made at all."""
    if "Command" in code.co_names or "Command" in code.co_freevars:
        return True
    for const in code.co_consts:
        kind = type(const)
        if kind is tuple and "goto" in const:
            return True
        if kind is CodeType and _mentions_goto(const):
            return True
    return False


def callees(function: FunctionType) -> list[FunctionType]:
    """Functions of the same module that it names: the helpers to which a node may leave the routing."""
    found = []
    module, scope = function.__module__, function.__globals__
    for name in function.__code__.co_names:
        value = scope.get(name)
        if type(value) is FunctionType and value.__module__ == module and value is not function:
            found.append(value)
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # an empty cell: not yet assigned, so it can't be a helper
            continue
        if type(value) is FunctionType and value.__module__ == module and value is not function:
            found.append(value)
    return found


def _hinted(function: FunctionType, wrapper: str) -> tuple[str, ...]:
    """Targets of a return annotation: `Literal["a", "b"]`, or `Command[Literal["a", "b"]]` for a node."""
    hint = function.__annotations__.get("return")
    if hint is None:
        return ()
    if isinstance(hint, str):
        try:
            hint = typing.get_type_hints(function).get("return")
        except (NameError, TypeError, AttributeError, SyntaxError):
            return ()  # an annotation that can't be evaluated says nothing; the source is read instead
    return tuple(dict.fromkeys(_literals(hint, wrapper)))


def _literals(hint: Any, wrapper: str) -> Iterator[str]:
    origin = typing.get_origin(hint)
    if origin is Literal:
        if not wrapper:
            yield from (arg for arg in typing.get_args(hint) if isinstance(arg, str))
    elif origin is not None:
        inner = "" if getattr(origin, "__name__", "") == wrapper else wrapper
        for arg in typing.get_args(hint):
            yield from _literals(arg, inner)
