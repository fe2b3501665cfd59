"""What a ToolNode takes as a tool: LangChain's tools, and plain functions."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from nbhitl._langchain import langchain_module
from nbhitl.config import RunnableConfig
from nbhitl.prebuilt.function_tool import FunctionTool
from nbhitl.prebuilt.injection import injected_args, resolved_hints

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.prebuilt.injection import InjectedArgs


def as_tool(value: Any) -> Any:
    """Return `value` as a tool: with `name`, `description`, `args`, `invoke` and `ainvoke`.

    A plain function becomes LangChain's StructuredTool if langchain-core is installed, else a FunctionTool.

    Raises:
        ValueError: `value` is neither a tool nor a function with a docstring.
    """
    tools = langchain_module("tools")
    if isinstance(value, FunctionTool) or (tools is not None and isinstance(value, tools.BaseTool)):
        return value
    if not callable(value):
        raise ValueError(
            "The first argument must be a string or a callable with a __name__ for tool decorator. "
            f"Got {type(value)}. ToolNode takes functions with a docstring, and LangChain's tools."
        )
    if tools is None:
        return FunctionTool(value)
    return tools.tool(_with_langchain_config(value))


def injected_args_of(tool: Any) -> InjectedArgs:
    """Return which parameters of a tool the graph fills."""
    if isinstance(tool, FunctionTool):
        return tool.injected
    functions = [f for f in (getattr(tool, "func", None), getattr(tool, "coroutine", None)) if f is not None]
    if not functions:
        functions = [f for f in (getattr(tool, "_run", None), getattr(tool, "_arun", None)) if f is not None]
    return injected_args([f for f in functions if inspect.isroutine(f)], tool.get_input_schema())


class Runner:
    """Runs one tool, and knows what the graph fills in for it."""

    def __init__(self, tool: Any) -> None:
        self.name: str = tool.name
        self.injected = injected_args_of(tool)
        self._tool = tool
        # Imported by LangChain's first call, which would upset the order of calls that start together.
        for module in ("tracers.context", "tracers.langchain", "tracers.stdout", "tracers.run_collector"):
            langchain_module(module)

    def invoke(self, call: dict[str, Any], config: RunnableConfig) -> Any:
        """Return what the tool returns for `call`: mostly a ToolMessage, made by the tool."""
        return self._tool.invoke(call, config)

    async def ainvoke(self, call: dict[str, Any], config: RunnableConfig) -> Any:
        """As `invoke`."""
        return await self._tool.ainvoke(call, config)


def _with_langchain_config(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` with a `config: RunnableConfig` of nbhitl's shown as LangChain's, which fills it."""
    if not inspect.isroutine(function):
        return function
    hints = resolved_hints(function)
    named = [name for name, hint in hints.items() if hint is RunnableConfig]
    config = langchain_module("runnables.config")
    if not named or config is None:
        return function
    shown = _forwarder(function)
    shown.__annotations__ = hints | dict.fromkeys(named, config.RunnableConfig)
    signature = inspect.signature(function)
    shown.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[
            p.replace(annotation=shown.__annotations__.get(name, p.annotation))
            for name, p in signature.parameters.items()
        ]
    )
    return shown


def _forwarder(function: Callable[..., Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

        return awaiting

    @functools.wraps(function)
    def calling(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return calling
