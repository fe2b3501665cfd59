"""What is read off a function: the same as what inspect and typing tell, where they tell it."""

from __future__ import annotations

import functools
import inspect
import typing
from typing import Annotated, Any, Literal, TypedDict

import pytest

from nbhitl.graph._signature import first_parameter, hints_of, injected_parameters, is_async
from nbhitl.types import Command

INJECTED = ("config", "runtime", "writer", "store", "previous")


class State(TypedDict):
    n: int


def decorated(func):
    @functools.wraps(func)
    def around(*args, **kwargs):
        return func(*args, **kwargs)

    return around


def bare(state):
    return state


def annotated(state: State) -> dict[str, int]:
    return {"n": state["n"]}


def returns_nothing(state: State, config: dict[str, Any]) -> None:
    pass


def asks_for_much(state: State, /, config, *, store, runtime=None, **rest) -> Command[Literal["a", "b"]]:
    return Command(goto="a")


def first_is_config(config, store):
    return config


def takes_anything(*args: State, config):
    return args


def keywords_only(*, state: State, writer):
    return state


def without_parameters():
    return None


def with_metadata(state: Annotated[State, "noted"]) -> list[Annotated[int, "noted"]]:
    return [state["n"]]


async def waits(state: State, writer) -> dict:
    return {}


def unresolvable(state: State) -> Nowhere:  # noqa: F821
    return state


class Callable_:
    def __call__(self, state: State, store) -> dict[str, int]:
        return {"n": 1}

    def method(self, state: State, config) -> dict[str, int]:
        return {"n": 1}

    async def waiting(self, state: State) -> None:
        pass

    @classmethod
    def of_class(cls, state: State, previous) -> None:
        pass

    @staticmethod
    def of_none(state: State, config) -> None:
        pass


class Waiting:
    async def __call__(self, state: State) -> None:
        pass


class SaysOtherwise:
    """What inspect reads is not what `__call__` takes."""

    __signature__ = inspect.signature(asks_for_much)

    def __call__(self, *args, **kwargs):
        return asks_for_much(*args, **kwargs)


class Wraps(SaysOtherwise):
    __signature__ = None

    def __init__(self, func):
        functools.update_wrapper(self, func)

    def __call__(self, state, store):
        return self.__wrapped__(state, store)


class MadeByMeta(type):
    def __call__(cls, state: State, runtime) -> None:
        pass


class Made(metaclass=MadeByMeta):
    pass


marked = functools.wraps(bare)(lambda state: state)
TARGETS = [
    bare, annotated, returns_nothing, asks_for_much, takes_anything, keywords_only, without_parameters,
    with_metadata, waits, Callable_(), Callable_().method, Callable_().waiting, Callable_.of_class, Callable_.of_none,
    Waiting(), decorated(annotated), decorated(asks_for_much), functools.partial(annotated), marked,
    functools.partial(waits, writer=1), lambda state: state, lambda s, config, store: s, first_is_config,
    SaysOtherwise(), Wraps(lambda state, config: state), Made, print,
]  # fmt: skip


def name(target: Any) -> str:
    return getattr(target, "__qualname__", repr(type(target)))


@pytest.mark.parametrize("target", TARGETS, ids=name)
def test_a_function_tells_what_inspect_and_typing_tell(target):
    parameters = list(inspect.signature(target).parameters.values())
    called = target if inspect.isroutine(target) else type(target).__call__
    try:
        expected = typing.get_type_hints(called)
    except TypeError:
        expected = None
    hints = hints_of(target)
    assert hints == expected
    assert first_parameter(target, hints) == (
        expected.get(parameters[0].name) if expected and parameters else None
    )
    filled = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    assert injected_parameters(target) == tuple(
        p.name
        for place, p in enumerate(parameters)
        if p.name in INJECTED and p.kind in filled and (place > 0 or p.kind is p.KEYWORD_ONLY)
    )
    inner = target
    while isinstance(inner, functools.partial):
        inner = inner.func
    assert is_async(target) == any(
        inspect.iscoroutinefunction(f) for f in (inner, getattr(inner, "__call__", None))
    )


def test_hints_are_resolved_where_the_function_was_written():
    hints = hints_of(annotated)
    assert hints == {"state": State, "return": dict[str, int]}
    assert first_parameter(annotated, hints) is State


def test_one_name_that_cannot_be_resolved_leaves_all_unknown():
    assert hints_of(unresolvable) is None
    assert first_parameter(unresolvable, None) is None


def test_what_inspect_cannot_look_into_has_no_parameters():
    assert injected_parameters(dict.fromkeys) == ()
    assert injected_parameters(min) == ()
