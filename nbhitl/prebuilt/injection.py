"""Arguments that a tool gets from the graph and not from the model: state, store, and the tool's runtime.

With langchain-core installed, `InjectedState`, `InjectedStore` and `ToolRuntime` derive from LangChain's
markers, so that LangChain's tools hide these arguments from the model too. The classes are therefore made
when they are first asked for; what is written here is all that they do.
"""

from __future__ import annotations

import inspect
import types
import typing
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from nbhitl._langchain import langchain_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nbhitl.config import RunnableConfig
    from nbhitl.runtime import ExecutionInfo, ServerInfo
    from nbhitl.types import StreamWriter
else:
    # LangChain makes pydantic schemas of tools, and these of ToolRuntime; its fields are not to be checked.
    RunnableConfig = ExecutionInfo = ServerInfo = StreamWriter = Any

ContextT = TypeVar("ContextT")
StateT = TypeVar("StateT")


class InjectedState:
    """Annotates a tool's argument that is the graph's state, or its key `field`.

    `state: Annotated[dict, InjectedState]` or `user: Annotated[str, InjectedState("user")]`. The model
    neither sees nor sets the argument.
    """

    def __init__(self, field: str | None = None) -> None:
        self.field = field


class InjectedStore:
    """Annotates a tool's argument that is the store given to `compile()`, and not the model's."""


@dataclass
class ToolRuntime(Generic[ContextT, StateT]):
    """What a tool can ask for besides its arguments; a tool gets it by a parameter `runtime: ToolRuntime`.

    `tools` are all tools of the ToolNode; the other fields are those of the run and of this tool call.
    """

    if TYPE_CHECKING:
        state: StateT
        context: ContextT
    else:
        state: Any
        context: Any
    config: RunnableConfig
    stream_writer: StreamWriter
    tool_call_id: str | None
    store: Any
    tools: list[Any] = field(default_factory=list)
    execution_info: ExecutionInfo | None = None
    server_info: ServerInfo | None = None

    def __class_getitem__(cls, params: Any) -> Any:
        """Accept the context's type alone: `ToolRuntime[Context]`."""
        given = params if isinstance(params, tuple) else (params,)
        return super().__class_getitem__(given if len(given) > 1 else (*given, Any))  # type: ignore[misc]


_PLAIN: dict[str, type] = {cls.__name__: cls for cls in (InjectedState, InjectedStore, ToolRuntime)}


@cache
def class_in_force(name: str) -> type:
    """Return `InjectedState`, `InjectedStore` or `ToolRuntime`, as LangChain's tools need it if installed."""
    plain: type = _PLAIN[name]
    tools = langchain_module("tools.base")
    if tools is None:
        return plain
    hidden = tools.InjectedToolArg
    # LangChain's marker for classes that are injected without Annotated[...] is not among its public names.
    marker = getattr(tools, "_DirectlyInjectedToolArg", hidden) if plain is ToolRuntime else hidden
    base: Any = plain[ContextT, StateT] if plain is ToolRuntime else plain
    about = {"__doc__": plain.__doc__, "__module__": "nbhitl.prebuilt.tool_node"}
    return types.new_class(name, (base, marker), exec_body=lambda namespace: namespace.update(about))


class InjectedArgs(NamedTuple):
    """Which parameters of a tool are injected. `state` is `{parameter: key of the state, or None for all}`.

    `optional` are state parameters with a default, which may be missing in the state. `hidden` are those that the
    tool's own code fills, or a wrapper: LangChain's InjectedToolArg.
    """

    state: dict[str, str | None]
    store: str | None
    runtime: str | None
    optional: frozenset[str]
    hidden: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All injected parameters."""
        return self.hidden.union(self.state, (name for name in (self.store, self.runtime) if name))


def injected_args(functions: list[Callable[..., Any]], schema: Any = None) -> InjectedArgs:
    """Return what a tool made of these functions, or with this pydantic schema, wants injected.

    Raises:
        TypeError: a marker is LangGraph's and not nbhitl's.
    """
    state: dict[str, str | None] = {}
    store = runtime = None
    optional: set[str] = set()
    hidden: set[str] = set()
    tools = langchain_module("tools.base")
    for name, annotation, has_default in _parameters(functions, schema):
        marks = [_own(mark, name) for mark in _marks(annotation)]
        for mark in marks:
            if _is(mark, InjectedState):
                state[name] = mark.field if isinstance(mark, InjectedState) else None
                if has_default:
                    optional.add(name)
            elif _is(mark, InjectedStore):
                store = name
            elif _is(mark, ToolRuntime):
                runtime = name
            elif tools is not None and _is(mark, tools.InjectedToolArg):
                hidden.add(name)
        if name == "runtime" and not state.get(name) and name != store:
            runtime = name
    return InjectedArgs(state, store, runtime, frozenset(optional), frozenset(hidden))


def _parameters(functions: list[Callable[..., Any]], schema: Any) -> Iterator[tuple[str, Any, bool]]:
    for function in functions:
        hints = resolved_hints(function)
        for name, parameter in inspect.signature(function).parameters.items():
            yield name, hints.get(name, Any), parameter.default is not inspect.Parameter.empty
    fields = getattr(schema, "model_fields", None)
    if isinstance(schema, type) and fields is not None:
        hints = resolved_hints(schema)
        for name, model_field in fields.items():
            yield name, hints.get(name, Any), not model_field.is_required()


def resolved_hints(target: Any) -> dict[str, Any]:
    """Return the annotations of a function or class, evaluated where it was defined.

    Raises:
        TypeError: an annotation names something that cannot be found there.
    """
    local: dict[str, Any] = {}
    function = inspect.unwrap(getattr(target, "__func__", target))
    if inspect.isfunction(function):
        local = dict(inspect.getclosurevars(function).nonlocals)
    try:
        return typing.get_type_hints(target, localns=local, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"The annotations of {getattr(target, '__qualname__', target)!r} cannot be read: {error}. Define "
            "or import what they name at the top level of the module or notebook, not inside a function."
        ) from error


def _marks(annotation: Any) -> Iterator[Any]:
    """What in an annotation may mark its parameter: the type, a union's types, Annotated's extras."""
    origin = typing.get_origin(annotation)
    yield annotation if origin is None else origin
    extras = getattr(annotation, "__metadata__", None)
    if extras is not None:
        yield from extras
        yield from _marks(annotation.__origin__)
    elif origin in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _marks(member)


def _is(mark: Any, kind: type) -> bool:
    return isinstance(mark, kind) or (isinstance(mark, type) and issubclass(mark, kind))


def _own(mark: Any, parameter: str) -> Any:
    cls = mark if isinstance(mark, type) else type(mark)
    if cls.__name__ in _PLAIN and cls.__module__.startswith("langgraph."):
        raise TypeError(
            f"Parameter {parameter!r} of a tool is annotated with langgraph's {cls.__name__}. Import it from "
            f"nbhitl.prebuilt: from nbhitl.prebuilt import {cls.__name__}."
        )
    return mark


def state_args(injected: InjectedArgs, state: Any, messages_key: str, tool: str) -> dict[str, Any]:
    """Return the values of a tool's state parameters.

    Args:
        state: a dict or an object with the state's keys, or a list of messages.

    Raises:
        ValueError: the tool asks for more than messages, and the state is a list of messages.
        KeyError, AttributeError: the state lacks a key, and its parameter has no default.
    """
    if isinstance(state, list):
        keys = list(injected.state.values())
        if keys not in ([None], [messages_key]):
            needed = ", ".join(key for key in keys if key)
            raise ValueError(
                f"Invalid input to ToolNode. Tool {tool} requires graph state dict as input."
                + (f" State should contain fields {needed}." if needed else "")
            )
        state = {messages_key: state}
    args: dict[str, Any] = {}
    for name, key in injected.state.items():
        if key is None:
            args[name] = state
        elif isinstance(state, dict):
            if key in state or name not in injected.optional:
                args[name] = state[key]
        elif hasattr(state, key) or name not in injected.optional:
            args[name] = getattr(state, key)
    return args
