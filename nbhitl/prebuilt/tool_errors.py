"""What a ToolNode tells the model when a tool call fails, and which errors it handles at all."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from nbhitl._langchain import langchain_module
from nbhitl.prebuilt.injection import resolved_hints

if TYPE_CHECKING:
    from collections.abc import Collection

INVALID_TOOL_NAME_ERROR_TEMPLATE = (
    "Error: {requested_tool} is not a valid tool, try one of [{available_tools}]."
)
TOOL_CALL_ERROR_TEMPLATE = "Error: {error}\n Please fix your mistakes."
TOOL_EXECUTION_ERROR_TEMPLATE = (
    "Error executing tool '{tool_name}' with kwargs {tool_kwargs} with error:\n"
    " {error}\n"
    " Please fix the error and try again."
)
TOOL_INVOCATION_ERROR_TEMPLATE = (
    "Error invoking tool '{tool_name}' with kwargs {tool_kwargs} with error:\n"
    " {error}\n"
    " Please fix the error and try again."
)

HandleErrors = bool | str | Callable[..., str] | type[Exception] | tuple[type[Exception], ...]
"""How a ToolNode treats errors: see `ToolNode`."""


class ToolInvocationError(Exception):
    """A tool was called with arguments that do not fit.

    `tool_name` and `tool_kwargs` are what the model asked for, `source` is pydantic's error,
    `filtered_errors` are its entries without those about injected arguments, `message` is what the model is
    told.
    """

    def __init__(
        self,
        tool_name: str,
        source: Any,
        tool_kwargs: dict[str, Any],
        filtered_errors: list[Any] | None = None,
    ) -> None:
        errors = source.errors() if filtered_errors is None else filtered_errors
        described = "\n".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors)
        self.message = TOOL_INVOCATION_ERROR_TEMPLATE.format(
            tool_name=tool_name, tool_kwargs=tool_kwargs, error=described
        )
        self.tool_name = tool_name
        self.tool_kwargs = tool_kwargs
        self.source = source
        self.filtered_errors = filtered_errors
        super().__init__(self.message)


@cache
def invocation_error_class() -> type[ToolInvocationError]:
    """Return ToolInvocationError, as a ToolException of LangChain's if langchain-core is installed."""
    tools = langchain_module("tools.base")
    if tools is None:
        return ToolInvocationError
    about = {"__doc__": ToolInvocationError.__doc__, "__module__": "nbhitl.prebuilt.tool_node"}
    return type("ToolInvocationError", (ToolInvocationError, tools.ToolException), about)


def invocation_error(
    tool_name: str, source: Any, tool_kwargs: dict[str, Any], injected: Collection[str]
) -> ToolInvocationError:
    """Return the error for a failed validation, without what concerns injected arguments."""
    shown = [error for error in source.errors() if not error["loc"] or error["loc"][0] not in injected]
    return invocation_error_class()(tool_name, source, tool_kwargs, shown)


def default_handle_tool_errors(error: Exception) -> str:
    """Tell the model about arguments that do not fit; every other error passes.

    Raises:
        Exception: `error`, when the tool itself failed.
    """
    if isinstance(error, ToolInvocationError):
        return error.message
    raise error


def handles(setting: HandleErrors, error: Exception) -> bool:
    """Whether a ToolNode with this `handle_tool_errors` turns `error` into an answer to the model."""
    if isinstance(setting, (type, tuple)):
        return isinstance(error, setting)
    if callable(setting):
        return isinstance(error, handled_types(setting))
    return bool(setting)


def error_content(setting: HandleErrors, error: Exception) -> str:
    """Return what the model is told about `error`, which `setting` handles."""
    if isinstance(setting, (bool, type, tuple)):
        return TOOL_CALL_ERROR_TEMPLATE.format(error=repr(error))
    if isinstance(setting, str):
        return setting
    if callable(setting):
        return setting(error)
    raise ValueError(
        f"Got unexpected type of `handle_tool_error`. Expected bool, str or callable. Received: {setting!r}"
    )


def handled_types(handler: Callable[..., str]) -> tuple[type[Exception], ...]:
    """Return the errors that a handler takes, by the annotation of its first parameter; without one, all.

    Raises:
        ValueError: the annotation is neither an exception type nor a union of them.
    """
    function = handler if inspect.isroutine(handler) else type(handler).__call__
    parameters = [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]
    annotation = resolved_hints(function).get(parameters[0]) if parameters else None
    if annotation is None:
        return (Exception,)
    members = (
        typing.get_args(annotation)
        if typing.get_origin(annotation) in (typing.Union, types.UnionType)
        else (annotation,)
    )
    for member in members:
        if not (isinstance(member, type) and issubclass(member, Exception)):
            raise ValueError(
                "Arbitrary types are not supported in the error handler signature. Please annotate the error "
                "with either a specific Exception type or a union of Exception types. For example, "
                "`def custom_handler(e: ValueError)` or "
                f"`def custom_handler(e: Union[ValueError, TypeError])`. Got '{member}' instead."
            )
    return members
