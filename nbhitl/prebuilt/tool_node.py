"""A node that carries out the tool calls of the last AI message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict, cast

from nbhitl._context import CURRENT_TASK
from nbhitl._langchain import is_message
from nbhitl._message_forms import messages_module
from nbhitl._runnable import RunnableObject
from nbhitl.config import ensure_config
from nbhitl.engine.arun_task import called
from nbhitl.engine.task_config import TASK_KEY
from nbhitl.errors import GraphBubbleUp
from nbhitl.prebuilt.injection import InjectedArgs, class_in_force, state_args
from nbhitl.prebuilt.tool_calls import arun_calls, run_calls
from nbhitl.prebuilt.tool_errors import (
    INVALID_TOOL_NAME_ERROR_TEMPLATE,
    TOOL_CALL_ERROR_TEMPLATE,
    TOOL_EXECUTION_ERROR_TEMPLATE,
    TOOL_INVOCATION_ERROR_TEMPLATE,
    HandleErrors,
    default_handle_tool_errors,
    error_content,
    handles,
    invocation_error,
    invocation_error_class,
)
from nbhitl.prebuilt.tool_outputs import InputKind, checked_output, combined
from nbhitl.prebuilt.tool_requests import (
    AsyncExecute,
    AsyncToolCallWrapper,
    Execute,
    Pauses,
    ToolCallRequest,
    ToolCallWrapper,
    config_shown,
)
from nbhitl.prebuilt.tools import Runner, as_tool

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.config import RunnableConfig
    from nbhitl.prebuilt.injection import InjectedState, InjectedStore, ToolRuntime
    from nbhitl.prebuilt.tool_errors import ToolInvocationError
    from nbhitl.runtime import Runtime

__all__ = [
    "INVALID_TOOL_NAME_ERROR_TEMPLATE",
    "TOOL_CALL_ERROR_TEMPLATE",
    "TOOL_EXECUTION_ERROR_TEMPLATE",
    "TOOL_INVOCATION_ERROR_TEMPLATE",
    "AsyncToolCallWrapper",
    "InjectedState",
    "InjectedStore",
    "ToolCallRequest",
    "ToolCallWithContext",
    "ToolCallWrapper",
    "ToolInvocationError",
    "ToolNode",
    "ToolRuntime",
    "tools_condition",
]

_RUNTIME_KEY = "__pregel_runtime"
_WITH_CONTEXT = "tool_call_with_context"


def __getattr__(name: str) -> Any:
    # Made when asked for: these derive from LangChain's classes where langchain-core is installed.
    if name in ("InjectedState", "InjectedStore", "ToolRuntime"):
        return class_in_force(name)
    if name == "ToolInvocationError":
        return invocation_error_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class ToolCallWithContext(TypedDict):
    """A tool call together with the state that its tool shall see; what a Send to a ToolNode may carry."""

    tool_call: dict[str, Any]
    __type: Literal["tool_call_with_context"]
    state: Any


class _ReadsState(Protocol):
    def read_state(self) -> dict[str, Any]: ...


class ToolNode(RunnableObject):
    """A node that carries out the tool calls of the last AI message, side by side, and answers each of them.

    The input is a state with messages, a list of messages, or a list of tool calls
    (`{"name", "args", "id", "type": "tool_call"}`). The result is `{messages_key: [ToolMessage, ...]}`, for a
    list of messages a list; if a tool returns a Command, a list of Commands and updates. The order is that of
    the calls.

    A tool may call `interrupt()`. Questions of one node are asked one at a time, in the order of the calls,
    and an answer belongs to the call that asked, by the call's id.

    Args:
        tools: functions with a docstring and annotated arguments, or LangChain's tools.
        name: the node's name.
        tags: kept for programs that read them.
        handle_tool_errors: which errors become an answer to the model: True or a text for all, exception
            types, a function whose annotation says which ones it takes and which returns the text, False for
            none. By default, arguments that do not fit are answered and errors of tools are raised. Pauses
            always pass.
        messages_key: the state's key that holds the messages.
        wrap_tool_call: called around each tool call as `wrap_tool_call(request, execute)`.
        awrap_tool_call: the same for async runs, awaited.

    Raises:
        ValueError: something in `tools` is not a tool.
    """

    def __init__(
        self,
        tools: Sequence[Any],
        *,
        name: str = "tools",
        tags: list[str] | None = None,
        handle_tool_errors: HandleErrors = default_handle_tool_errors,
        messages_key: str = "messages",
        wrap_tool_call: ToolCallWrapper | None = None,
        awrap_tool_call: AsyncToolCallWrapper | None = None,
    ) -> None:
        self.name = name
        self.tags = tags
        self._handle_tool_errors = handle_tool_errors
        self._messages_key = messages_key
        self._wrap = wrap_tool_call
        self._awrap = awrap_tool_call
        self._tools: dict[str, Any] = {tool.name: tool for tool in map(as_tool, tools)}
        self._runners = {name: Runner(tool) for name, tool in self._tools.items()}

    def __repr__(self) -> str:
        return f"ToolNode({self.name!r}, tools=[{', '.join(self._tools)}])"

    @property
    def tools_by_name(self) -> dict[str, Any]:
        """The tools, by name."""
        return self._tools

    def invoke(self, input: Any, config: RunnableConfig | None = None, *, runtime: Any = None) -> Any:
        """Carry out the tool calls in `input`; see the class for the forms of input and result.

        Outside of a graph, `config["configurable"]["__pregel_runtime"]` or `runtime` must be a Runtime.

        Raises:
            ValueError: no AI message in the input, or no runtime.
            Exception: what a tool raised and `handle_tool_errors` does not handle.
        """
        calls, kind, requests, config = self._requests(input, config, runtime)
        if not calls:
            return combined([], kind, self._messages_key)
        outputs = run_calls(
            calls, lambda index: self._run(requests[index], kind, config), config.get("max_concurrency")
        )
        return combined(outputs, kind, self._messages_key)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, *, runtime: Any = None) -> Any:
        """As `invoke`, awaiting async tools; other tools run in worker threads."""
        calls, kind, requests, config = self._requests(input, config, runtime)
        if not calls:
            return combined([], kind, self._messages_key)
        outputs = await arun_calls(
            calls, lambda index: self._arun(requests[index], kind, config), config.get("max_concurrency")
        )
        return combined(outputs, kind, self._messages_key)

    # -- reading the input -------------------------------------------------------------------------------

    def _requests(
        self, input: Any, config: RunnableConfig | None, runtime: Any
    ) -> tuple[list[dict[str, Any]], InputKind, list[ToolCallRequest], RunnableConfig]:
        task = CURRENT_TASK.get()
        is_given = config is not None
        config = ensure_config(task.config if config is None and task is not None else config)
        shown = config_shown(config, is_given=is_given)
        calls, kind = self._parse(input)
        state = _state_of(input, kind)
        runtime = runtime if runtime is not None else self._runtime(config)
        make_runtime = class_in_force("ToolRuntime")
        requests = [
            ToolCallRequest(
                call,
                self._tools.get(call["name"]),
                state,
                make_runtime(
                    state=state,
                    context=runtime.context,
                    config=shown,
                    stream_writer=runtime.stream_writer,
                    tool_call_id=call["id"],
                    store=runtime.store,
                    tools=list(self._tools.values()),
                    execution_info=runtime.execution_info,
                    server_info=runtime.server_info,
                ),
            )
            for call in calls
        ]
        return calls, kind, requests, config

    def _runtime(self, config: RunnableConfig) -> Runtime[Any]:
        configurable = config["configurable"]
        task = configurable.get(TASK_KEY)
        if task is not None:
            return cast("Runtime[Any]", task.runtime)
        given = configurable.get(_RUNTIME_KEY)
        if given is not None:
            return cast("Runtime[Any]", given)
        task = CURRENT_TASK.get()
        if task is not None:
            return task.runtime
        raise ValueError(
            f"Missing required config key {_RUNTIME_KEY!r} for {self.name!r}: a ToolNode runs as a node of a "
            f'graph. To call it by itself, pass config={{"configurable": {{"{_RUNTIME_KEY}": Runtime()}}}}.'
        )

    def _parse(self, input: Any) -> tuple[list[dict[str, Any]], InputKind]:
        if isinstance(input, list):
            if input and isinstance(input[-1], dict) and input[-1].get("type") == "tool_call":
                return input, "tool_calls"
            return self._calls_of(input), "list"
        if isinstance(input, dict) and input.get("__type") == _WITH_CONTEXT:
            return [input["tool_call"]], "tool_calls"
        found = (
            input.get(self._messages_key)
            if isinstance(input, dict)
            else getattr(input, self._messages_key, None)
        )
        return self._calls_of(found), "dict"

    def _calls_of(self, messages: Any) -> list[dict[str, Any]]:
        if not messages:
            raise ValueError(
                f"No message found in input. ToolNode {self.name!r} takes a state with a non-empty "
                f"{self._messages_key!r}, a list of messages, or a list of tool calls."
            )
        for message in reversed(messages):
            if is_message(message) and message.type in ("ai", "AIMessageChunk"):
                return [dict(call) for call in message.tool_calls]
        raise ValueError(f"No AIMessage found in input of ToolNode {self.name!r}.")

    # -- one tool call -----------------------------------------------------------------------------------

    def _run(self, request: ToolCallRequest, kind: InputKind, config: RunnableConfig) -> Any:
        execute = Execute(lambda r: self._execute(r, kind, config))
        if self._wrap is None:
            return execute(request)
        try:
            output = self._wrap(request, execute)
        except Exception as error:
            output = self._wrapper_failed(request, execute, error)
        return execute.unless_paused(output)

    async def _arun(self, request: ToolCallRequest, kind: InputKind, config: RunnableConfig) -> Any:
        if self._awrap is None and self._wrap is None:
            return await self._aexecute(request, kind, config)
        if self._awrap is None:
            return await asyncio.to_thread(called, self._run, request, kind, config)
        execute = AsyncExecute(lambda r: self._aexecute(r, kind, config))
        try:
            output = await self._awrap(request, execute)
        except Exception as error:
            output = self._wrapper_failed(request, execute, error)
        return execute.unless_paused(output)

    def _wrapper_failed(self, request: ToolCallRequest, execute: Pauses, error: Exception) -> Any:
        if (
            isinstance(error, GraphBubbleUp)
            or execute.pause is not None
            or not handles(self._handle_tool_errors, error)
        ):
            raise execute.pause or error
        return self._error_message(request.tool_call, error_content(self._handle_tool_errors, error))

    def _execute(self, request: ToolCallRequest, kind: InputKind, config: RunnableConfig) -> Any:
        call, runner = request.tool_call, self._runner(request)
        if runner is None:
            return self._unknown_tool(call)
        arguments = self._arguments(request, runner.name, runner.injected)
        try:
            output = runner.invoke(arguments, config)
            return checked_output(output, call, kind, self._messages_key)
        except Exception as error:
            return self._handled(call, error, runner.injected)

    async def _aexecute(self, request: ToolCallRequest, kind: InputKind, config: RunnableConfig) -> Any:
        call, runner = request.tool_call, self._runner(request)
        if runner is None:
            return self._unknown_tool(call)
        arguments = self._arguments(request, runner.name, runner.injected)
        try:
            output = await runner.ainvoke(arguments, config)
            return checked_output(output, call, kind, self._messages_key)
        except Exception as error:
            return self._handled(call, error, runner.injected)

    def _runner(self, request: ToolCallRequest) -> Runner | None:
        """Return what runs the request's tool, which a wrapper may have set; None for an unknown name."""
        tool = request.tool
        if tool is None or self._tools.get(tool.name) is tool:
            return self._runners.get(request.tool_call["name"] if tool is None else tool.name)
        return Runner(tool)

    def _handled(self, call: dict[str, Any], error: Exception, injected: InjectedArgs) -> Any:
        """Return the answer to the model, or raise the error."""
        if isinstance(error, GraphBubbleUp):
            raise error
        if _is_validation_error(error):
            error = invocation_error(call["name"], error, call["args"], injected.names - injected.hidden)
        if not handles(self._handle_tool_errors, error):
            raise error
        return self._error_message(call, error_content(self._handle_tool_errors, error))

    def _unknown_tool(self, call: dict[str, Any]) -> Any:
        return self._error_message(
            call,
            INVALID_TOOL_NAME_ERROR_TEMPLATE.format(
                requested_tool=call["name"], available_tools=", ".join(self._tools)
            ),
        )

    def _error_message(self, call: dict[str, Any], content: str) -> Any:
        return messages_module().ToolMessage(
            content, name=call["name"], tool_call_id=call["id"], status="error"
        )

    def _arguments(self, request: ToolCallRequest, tool: str, injected: InjectedArgs) -> dict[str, Any]:
        """Return the call with injected arguments; what the model says about those is dropped."""
        call, runtime = request.tool_call, request.runtime
        args = {name: value for name, value in call["args"].items() if name not in injected.names}
        if injected.state:
            args |= state_args(injected, request.state, self._messages_key, tool)
        if injected.store:
            if runtime.store is None:
                raise ValueError(
                    "Cannot inject store into tools with InjectedStore annotations - please compile your "
                    "graph with a store."
                )
            args[injected.store] = runtime.store
        if injected.runtime:
            args[injected.runtime] = runtime
        return {**call, "args": args, "type": "tool_call"}


def _state_of(input: Any, kind: InputKind) -> Any:
    """Return the state that tools see: the input, or for bare tool calls that of the graph."""
    if kind != "tool_calls":
        return input
    if isinstance(input, dict):
        return input["state"]
    task = CURRENT_TASK.get()
    return {} if task is None else cast("_ReadsState", task).read_state()


def _is_validation_error(error: Exception) -> bool:
    from pydantic import ValidationError

    return isinstance(error, ValidationError)


def tools_condition(state: Any, messages_key: str = "messages") -> Literal["tools", "__end__"]:
    """Return `"tools"` if the last message calls tools, else `"__end__"`; a path for conditional edges.

    Args:
        state: a list of messages, or a state whose key or attribute `messages_key` holds them.

    Raises:
        ValueError: there are no messages.
    """
    found = state if isinstance(state, list) else None
    if found is None:
        found = state.get(messages_key) if isinstance(state, dict) else getattr(state, messages_key, None)
    if not found:
        raise ValueError(f"No messages found in input state to tool_edge: {state}")
    return "tools" if getattr(found[-1], "tool_calls", None) else "__end__"
