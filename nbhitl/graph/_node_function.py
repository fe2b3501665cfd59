"""A node's function as builders show it, `builder.nodes[name].runnable`: programs call it in their tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.graph._nodes import outside_of_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.engine.program import Action


class NodeFunction:
    """A node's function with `invoke` and `ainvoke`; `func` or `afunc` is the function. It can be a node once more."""

    __slots__ = ("_action", "given", "name")

    def __init__(self, name: str, given: Callable[..., Any], action: Action) -> None:
        self.name, self.given, self._action = name, given, action

    @property
    def func(self) -> Any:
        """The function, None if it is async."""
        return self._action.sync

    @property
    def afunc(self) -> Any:
        """The function if it is async, else None."""
        return self._action.async_

    def invoke(self, input: Any, config: Any = None) -> Any:
        """Return what the function returns for `input`, outside of any graph.

        Raises:
            TypeError: the function is async.
        """
        if self._action.sync is None:
            raise TypeError(
                f'No synchronous function provided to "{self.name}": it is async, await its ainvoke(...).'
            )
        return self._action.sync(input, **outside_of_runs(self._action.injects, config))

    async def ainvoke(self, input: Any, config: Any = None) -> Any:
        """As `invoke`, of an async function too."""
        if self._action.async_ is None:
            return self.invoke(input, config)
        return await self._action.async_(input, **outside_of_runs(self._action.injects, config))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.given(*args, **kwargs)

    def __repr__(self) -> str:
        return f"{self.name}({self.given!r})"
