"""A tool made of a plain function, for programs without langchain-core."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import TYPE_CHECKING, Any

from nbhitl._langchain import is_message
from nbhitl._message_forms import messages_module
from nbhitl.engine.arun_task import called
from nbhitl.prebuilt.injection import injected_args, resolved_hints

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.prebuilt.injection import InjectedArgs

# Content blocks that a tool message may hold; any other list is sent as JSON.
BLOCK_TYPES = (
    "text",
    "image_url",
    "image",
    "json",
    "search_result",
    "custom_tool_call_output",
    "document",
    "file",
)


class FunctionTool:
    """A function as a tool: its name, its docstring as description, and its arguments checked by their types.

    `args` is the JSON Schema of the arguments that the model sets, by name. Parameters that are injected or
    named `config` with type `RunnableConfig` are not among them.

    Raises:
        ValueError: the function has no name or no docstring.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        name = getattr(function, "__name__", None)
        if name is None or not callable(function):
            raise ValueError(
                "The first argument must be a string or a callable with a __name__ for tool decorator. "
                f"Got {type(function)}. A tool is a function with a docstring and annotated arguments."
            )
        description = inspect.getdoc(function)
        if not description:
            raise ValueError(
                f"Function must have a docstring if description not provided: {name!r} has none, and the "
                "model would not know what it is for."
            )
        self.name: str = name
        self.description = description
        self.function = function
        self.injected: InjectedArgs = injected_args([function])
        self._config_parameter: str | None = None
        self.args_schema = self._schema(resolved_hints(function))

    def _schema(self, hints: dict[str, Any]) -> Any:
        """Make the pydantic model of the arguments that the model sets."""
        from pydantic import ConfigDict, create_model

        fields: dict[str, Any] = {}
        for name, parameter in inspect.signature(self.function).parameters.items():
            if (
                parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
                or name in self.injected.names
            ):
                continue
            annotation = hints.get(name, Any)
            if getattr(annotation, "__name__", "") == "RunnableConfig":
                self._config_parameter = name
                continue
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[name] = (annotation, default)
        config = ConfigDict(arbitrary_types_allowed=True)
        return create_model(self.name, __config__=config, **fields)

    @property
    def args(self) -> dict[str, Any]:
        """The JSON Schema of each argument that the model sets, by name."""
        properties: dict[str, Any] = self.args_schema.model_json_schema().get("properties", {})
        return properties

    @property
    def is_async(self) -> bool:
        """Whether the function has to be awaited."""
        return inspect.iscoroutinefunction(self.function)

    def invoke(self, call: dict[str, Any], config: Any = None) -> Any:
        """Run a tool call, `{"name", "args", "id", "type": "tool_call"}`, or arguments alone.

        Returns:
            A ToolMessage, or what the function returned if that is a message, a Command, a list of them, or
            if the arguments came alone.

        Raises:
            pydantic.ValidationError: the arguments do not fit.
            NotImplementedError: the function is async.
        """
        if self.is_async:
            raise NotImplementedError(
                f"Tool {self.name!r} is async and does not support sync invocation. Use ainvoke()."
            )
        return self._output(call, self.function(**self._arguments(call, config)))

    async def ainvoke(self, call: dict[str, Any], config: Any = None) -> Any:
        """As `invoke`; a function that is not async runs in a worker thread."""
        arguments = self._arguments(call, config)
        if self.is_async:
            return self._output(call, await self.function(**arguments))
        return self._output(call, await asyncio.to_thread(called, self.function, **arguments))

    def _arguments(self, call: dict[str, Any], config: Any) -> dict[str, Any]:
        given = call["args"] if call.get("type") == "tool_call" else call
        injected = {name: value for name, value in given.items() if name in self.injected.names}
        checked = self.args_schema.model_validate(
            {name: value for name, value in given.items() if name not in injected}
        )
        arguments = {
            name: getattr(checked, name)
            for name in type(checked).model_fields
            if name in given or not type(checked).model_fields[name].is_required()
        }
        if self._config_parameter is not None:
            arguments[self._config_parameter] = config
        return {**arguments, **injected}

    def _output(self, call: dict[str, Any], result: Any) -> Any:
        call_id = call.get("id")
        if call.get("type") != "tool_call" or call_id is None or is_tool_output(result):
            return result
        return messages_module().ToolMessage(message_content(result), name=self.name, tool_call_id=call_id)

    def __repr__(self) -> str:
        return f"FunctionTool(name={self.name!r}, description={self.description!r})"


def is_tool_output(result: Any) -> bool:
    """Whether a tool answered by itself: with a ToolMessage, a Command, or a list of them."""
    from nbhitl.types import Command

    items = result if isinstance(result, list) else [result]
    return bool(items) and all(
        isinstance(item, Command) or (is_message(item) and item.type == "tool") for item in items
    )


def message_content(result: Any) -> Any:
    """Return a tool's result as the content of a message: text or content blocks as they are, else JSON."""
    if isinstance(result, str):
        return result
    if isinstance(result, list) and all(
        isinstance(block, dict) and block.get("type") in BLOCK_TYPES for block in result
    ):
        return result
    try:
        return json.dumps(result, ensure_ascii=False)
    except (TypeError, ValueError):  # not JSON: the model reads what a person would
        return str(result)
