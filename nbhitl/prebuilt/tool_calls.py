"""Carry out tool calls side by side, and keep what each of them asks apart."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol, cast

from nbhitl._context import CURRENT_TASK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractContextManager

_MOST_THREADS = 32


class _Scopes(Protocol):
    def scope(self, name: str) -> AbstractContextManager[None]: ...


def scope_names(calls: Sequence[dict[str, Any]]) -> list[str]:
    """Return a name for each tool call, under which its questions are counted.

    Answers find their question by this name, so it is the call's id, which stays when the list of calls
    changes; calls that share an id are told apart by their order.
    """
    seen: Counter[str] = Counter()
    names: list[str] = []
    for call in calls:
        id = str(call.get("id"))
        names.append(f"{id}#{seen[id]}" if seen[id] else id)
        seen[id] += 1
    return names


def _scope(name: str) -> AbstractContextManager[None]:
    """Let what is asked inside count for itself: an answer never reaches another tool call of the list."""
    task = CURRENT_TASK.get()
    return nullcontext() if task is None else cast("_Scopes", task).scope(name)


def _in_order(outcomes: Sequence[Any]) -> list[Any]:
    """Return the results; if calls failed or paused, raise what the first of them raised."""
    for outcome in outcomes:
        if isinstance(outcome, _Raised):
            raise outcome.error
    return list(outcomes)


class _Raised:
    """What a call raised, kept until every call has ended: which one counts must not depend on time."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def run_calls(
    calls: Sequence[dict[str, Any]], run: Callable[[int], Any], max_concurrency: int | None
) -> list[Any]:
    """Return `run(i)` for each call, in order; several calls run in threads.

    Raises:
        Exception: what the first failing or pausing call raised, after all calls have ended.
    """
    if len(calls) == 1:
        return [run(0)]
    names = scope_names(calls)

    def scoped(index: int) -> Any:
        with _scope(names[index]):
            try:
                return run(index)
            except Exception as error:  # raised again by _in_order
                return _Raised(error)

    pool = ThreadPoolExecutor(min(len(calls), max_concurrency or _MOST_THREADS), "nbhitl-tool")
    try:
        futures = [pool.submit(copy_context().run, scoped, index) for index in range(len(calls))]
        outcomes = [future.result() for future in futures]
    except BaseException:
        # Interrupted by the person at the keyboard: do not start what waits, nor wait for what runs.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return _in_order(outcomes)


async def arun_calls(
    calls: Sequence[dict[str, Any]], run: Callable[[int], Awaitable[Any]], max_concurrency: int | None
) -> list[Any]:
    """As `run_calls`, with awaitables side by side in the event loop."""
    if len(calls) == 1:
        return [await run(0)]
    names = scope_names(calls)
    slots = asyncio.Semaphore(max_concurrency) if max_concurrency else nullcontext()

    async def scoped(index: int) -> Any:
        async with slots:
            with _scope(names[index]):
                try:
                    return await run(index)
                except Exception as error:  # raised again by _in_order
                    return _Raised(error)

    return _in_order(await asyncio.gather(*map(scoped, range(len(calls)))))
