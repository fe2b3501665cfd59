"""LangGraph's names and nbhitl's, side by side, for tests that run one program on both."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any


def engine(package: str) -> SimpleNamespace:
    """Everything that the programs of these tests import, from `package`."""
    module = lambda name: importlib.import_module(f"{package}.{name}")  # noqa: E731
    graph, types, tools = module("graph"), module("types"), module("prebuilt.tool_node")
    return SimpleNamespace(
        name=package,
        StateGraph=graph.StateGraph,
        START=graph.START,
        END=graph.END,
        MessagesState=graph.MessagesState,
        Command=types.Command,
        Send=types.Send,
        interrupt=types.interrupt,
        ToolNode=tools.ToolNode,
        tools_condition=tools.tools_condition,
        InjectedState=tools.InjectedState,
        InjectedStore=tools.InjectedStore,
        ToolRuntime=tools.ToolRuntime,
        ToolInvocationError=tools.ToolInvocationError,
        Runtime=module("runtime").Runtime,
        errors=module("errors"),
        InMemoryStore=module("store.memory").InMemoryStore,
        InMemorySaver=module("checkpoint.memory").InMemorySaver,
        managed=module("managed"),
    )


def engines() -> tuple[SimpleNamespace, SimpleNamespace]:
    """LangGraph's names and nbhitl's."""
    return engine("langgraph"), engine("nbhitl")


def seen(value: Any) -> Any:
    """What a program can see of a value, in a form that can be compared across the engines."""
    kind = type(value)
    if kind.__name__ == "Command":
        return ("Command", value.graph, seen(value.update), seen(value.resume), seen(value.goto))
    if kind.__name__ == "Send":
        return ("Send", value.node, seen(value.arg))
    if isinstance(value, dict):
        return {key: seen(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [seen(inner) for inner in value]
    return value


def outcome(program: Any, *args: Any) -> Any:
    """What a program returned, or the class of its error and the first sentence of the message."""
    try:
        return seen(program(*args))
    except Exception as error:
        return type(error).__name__, str(error).split("\n")[0]
