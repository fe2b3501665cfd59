"""A tool call on its way to its tool, and what stands around it for those who wrap it."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nbhitl.constants import RECURSION_LIMIT
from nbhitl.errors import GraphBubbleUp


def config_shown(config: Mapping[str, Any], *, is_given: bool) -> dict[str, Any]:
    """Return the config of a ToolNode as its tools see it: filled up, as LangChain does with that of a Runnable.

    Args:
        config: the one of the node.
        is_given: whether the node was called with it, or as a node; else the node that calls has it.
    """
    empty: dict[str, Any] = {
        "tags": [],
        "callbacks": None,
        "recursion_limit": 25 if is_given else RECURSION_LIMIT,
    }
    metadata = {**(config.get("metadata") or {})}
    place = config["configurable"].get("checkpoint_ns")
    if place is not None:
        metadata.setdefault("checkpoint_ns", place)
    return {**empty, **config, "metadata": metadata}


@dataclass
class ToolCallRequest:
    """A tool call on its way to its tool, as `wrap_tool_call` gets it.

    `tool` is None for a name that the ToolNode does not know. `runtime` is a ToolRuntime.
    """

    tool_call: dict[str, Any]
    tool: Any
    state: Any
    runtime: Any

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; to set a field again is deprecated, because whoever holds the request sees it."""
        if name in self.__dict__ and name in self.__dataclass_fields__:
            warnings.warn(
                f"To set `ToolCallRequest.{name}` is deprecated. `request.override({name}=...)` returns a copy.",
                DeprecationWarning,
                stacklevel=2,
            )
        self.__dict__[name] = value

    def override(self, **overrides: Any) -> ToolCallRequest:
        """Return a copy with some fields replaced."""
        return replace(self, **overrides)


ToolCallWrapper = Callable[[ToolCallRequest, Callable[[ToolCallRequest], Any]], Any]
"""Gets a request and the function that carries it out; returns a ToolMessage or Command."""

AsyncToolCallWrapper = Callable[
    [ToolCallRequest, Callable[[ToolCallRequest], Awaitable[Any]]], Awaitable[Any]
]


class Pauses:
    """Remembers the pause that a tool call asked for, so that a wrapper cannot make it disappear."""

    pause: GraphBubbleUp | None = None

    def unless_paused(self, output: Any) -> Any:
        """Return what a wrapper returned, or raise the pause that it caught."""
        if self.pause is not None:
            raise self.pause
        return output


class Execute(Pauses):
    """Carries out a request, for wrappers."""

    def __init__(self, run: Callable[[ToolCallRequest], Any]) -> None:
        self._run = run

    def __call__(self, request: ToolCallRequest) -> Any:
        """Run the request's tool; a tool that has asked waits for its answer."""
        self.unless_paused(None)
        try:
            return self._run(request)
        except GraphBubbleUp as pause:
            self.pause = pause
            raise


class AsyncExecute(Pauses):
    """Carries out a request, for async wrappers."""

    def __init__(self, run: Callable[[ToolCallRequest], Awaitable[Any]]) -> None:
        self._run = run

    async def __call__(self, request: ToolCallRequest) -> Any:
        """Run the request's tool; a tool that has asked waits for its answer."""
        self.unless_paused(None)
        try:
            return await self._run(request)
        except GraphBubbleUp as pause:
            self.pause = pause
            raise
