"""The two engines under test, by the same names: programs below take one as `lib`."""

from __future__ import annotations

import importlib
from types import SimpleNamespace


def library(name: str) -> SimpleNamespace:
    def load(path: str):
        return importlib.import_module(f"{name}.{path}")

    graph, types = load("graph"), load("types")
    return SimpleNamespace(
        name=name,
        StateGraph=graph.StateGraph,
        START=graph.START,
        END=graph.END,
        MessagesState=graph.MessagesState,
        interrupt=types.interrupt,
        Command=types.Command,
        Send=types.Send,
        InMemorySaver=load("checkpoint.memory").InMemorySaver,
        ToolNode=load("prebuilt").ToolNode,
        tools_condition=load("prebuilt").tools_condition,
    )


def available() -> list[str]:
    names = ["langgraph"]
    try:
        library("nbhitl")
    except (ImportError, AttributeError):
        return names
    return [*names, "nbhitl"]
