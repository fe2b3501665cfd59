"""The words of one engine or the other, and a small graph made with them: for what differs between the two."""

from __future__ import annotations

import operator
from importlib import import_module
from types import SimpleNamespace
from typing import Annotated, Any

from typing_extensions import TypedDict

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    log: Annotated[list, operator.add]


def engine(name: str) -> SimpleNamespace:
    """The names of one engine that these tests use."""
    graph, types = import_module(f"{name}.graph"), import_module(f"{name}.types")
    return SimpleNamespace(
        name=name,
        StateGraph=graph.StateGraph,
        START=graph.START,
        Command=types.Command,
        Send=types.Send,
        interrupt=types.interrupt,
        errors=import_module(f"{name}.errors"),
        InMemorySaver=import_module(f"{name}.checkpoint.memory").InMemorySaver,
    )


def compiled(on: SimpleNamespace, node: Any, **options: Any) -> Any:
    builder = on.StateGraph(State).add_node("node", node).add_edge(on.START, "node")
    return builder.compile(checkpointer=on.InMemorySaver(), **options)
