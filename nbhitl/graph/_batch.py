"""Several runs of a graph side by side."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence


_RECURSION_LIMIT = 25
"""What LangChain's `batch` gives a run whose config names no limit; it comes before the graph's own."""


def configs_of(config: Any, count: int) -> list[Any]:
    """Return the config of each of `count` runs.

    Raises:
        ValueError: a list of another length.
    """
    if not isinstance(config, (list, tuple)):
        config = [config] * count
    if len(config) != count:
        raise ValueError(
            f"config must be a list of the same length as inputs, but got {len(config)} configs for {count} inputs"
        )
    return [{"recursion_limit": _RECURSION_LIMIT, **(given or {})} for given in config]


def _limit(configs: list[Any]) -> int | None:
    return configs[0].get("max_concurrency") if configs else None


def batch(
    invoke: Callable[..., Any],
    inputs: Sequence[Any],
    config: Any,
    return_exceptions: bool,
    kwargs: dict[str, Any],
) -> list[Any]:
    """Call `invoke` for each input, on threads where there are several, and return the results in order."""
    configs = configs_of(config, len(inputs))

    def one(input: Any, config: Any) -> Any:
        try:
            return invoke(input, config, **kwargs)
        except Exception as error:
            if return_exceptions:
                return error
            raise

    if len(inputs) < 2:
        return [one(*both) for both in zip(inputs, configs, strict=True)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_limit(configs)) as pool:
        runs = [pool.submit(copy_context().run, one, *both) for both in zip(inputs, configs, strict=True)]
        return [run.result() for run in runs]


async def abatch(
    ainvoke: Callable[..., Awaitable[Any]],
    inputs: Sequence[Any],
    config: Any,
    return_exceptions: bool,
    kwargs: dict[str, Any],
) -> list[Any]:
    """Await `ainvoke` for each input side by side, and return the results in order."""
    configs = configs_of(config, len(inputs))
    gate = asyncio.Semaphore(_limit(configs) or max(1, len(inputs)))

    async def one(input: Any, config: Any) -> Any:
        async with gate:
            return await ainvoke(input, config, **kwargs)

    runs = [one(*both) for both in zip(inputs, configs, strict=True)]
    return list(await asyncio.gather(*runs, return_exceptions=return_exceptions))
