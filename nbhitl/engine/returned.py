"""What a node or a path function returned, when that is not yet its result: a generator, or a Runnable."""

from __future__ import annotations

from inspect import isasyncgenfunction, isgeneratorfunction
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

from nbhitl._runnable import has_invoke
from nbhitl.engine.program import Action
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Generator, Iterable

    from nbhitl.engine.running import RunningTask


def result_of_call(
    running: RunningTask, action: Action, state: Any, returned: Any
) -> Generator[Any, Any, Any]:
    """Yield the call, if one is needed, that makes the result of what `action` returned, and return the result.

    What a generator function yields is added up, as LangChain does it; a Runnable is invoked with what the function got.
    """
    kind = type(returned)
    if kind is GeneratorType and isgeneratorfunction(action.sync):
        return _added_up(returned)
    if kind is AsyncGeneratorType and isasyncgenfunction(action.async_ or action.sync):
        return (yield (Action(running.node.name, None, _aadded_up), (returned,), {}))
    if has_invoke(returned):
        call = Action(running.node.name, returned.invoke, returned.ainvoke)
        return (yield (call, (state, running.config), {}))
    return returned


def _added_up(parts: Iterable[Any]) -> Any:
    total: Any = MISSING
    for part in parts:
        total = _plus(total, part)
    return None if total is MISSING else total


async def _aadded_up(parts: AsyncIterable[Any]) -> Any:
    total: Any = MISSING
    async for part in parts:
        total = _plus(total, part)
    return None if total is MISSING else total


def _plus(total: Any, part: Any) -> Any:
    """The sum; the later part of two that cannot be added, such as dicts."""
    if total is MISSING:
        return part
    try:
        return total + part
    except TypeError:
        return part
