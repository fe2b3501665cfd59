"""A function and its async twin as one object, for nodes that run in both ways."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbhitl._context import CURRENT_TASK
from nbhitl._runnable import RunnableObject
from nbhitl.graph._signature import injected_parameters, is_async

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["RunnableCallable", "RunnableLike"]

RunnableLike = RunnableObject | Callable[..., Any] | Mapping[str, Any]
"""What can be a node, in annotations."""


class RunnableCallable(RunnableObject):
    """Runs `func`, or in async runs `afunc` if there is one. As a node's functions, they get what they name.

    Args:
        func: a function; an async one counts as `afunc`.
        afunc: an async function.
        name: the node's, if `add_node` is given none; by default the function's.
        options: what the functions are given besides; `tags`, `trace`, `recurse` and `explode_args` are LangGraph's.

    Raises:
        ValueError: there is no function.
    """

    def __init__(
        self,
        func: Callable[..., Any] | None,
        afunc: Callable[..., Awaitable[Any]] | None = None,
        *,
        name: str | None = None,
        **options: Any,
    ) -> None:
        if func is not None and afunc is None and is_async(func):
            func, afunc = None, func
        given = func if func is not None else afunc
        if given is None:
            raise ValueError("At least one of func or afunc must be provided.")
        self.func, self.afunc = func, afunc
        self.name = name or getattr(given, "__name__", type(given).__name__)
        for langgraphs in ("tags", "trace", "recurse", "explode_args"):
            options.pop(langgraphs, None)
        self.kwargs = options

    def invoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """Return what the function returns for `input`.

        Raises:
            TypeError: there is only an async function.
        """
        if self.func is None:
            raise TypeError(
                f"No synchronous function provided to {self.name!r}. Give it one, or run the graph with ainvoke or "
                "astream."
            )
        return self.func(input, **self._filled(self.func, config, kwargs))

    async def ainvoke(self, input: Any, config: Any = None, **kwargs: Any) -> Any:
        """As `invoke`, with the async function; a sync one runs in a worker thread."""
        if self.afunc is None:
            return await asyncio.to_thread(self.invoke, input, config, **kwargs)
        return await self.afunc(input, **self._filled(self.afunc, config, kwargs))

    def _filled(self, function: Any, config: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        task = CURRENT_TASK.get()
        found: dict[str, Any] = {**self.kwargs, **kwargs}
        for name in injected_parameters(function):
            if name == "config":
                found.setdefault(name, config)
            elif task is not None and name in ("runtime", "store"):
                found.setdefault(name, getattr(task, name))
            elif task is not None and name == "writer":
                found.setdefault(name, task.write_custom)
        return found
