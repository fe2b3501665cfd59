"""A graph with an effect before its question, on either engine, and the savers that it is tried on."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    got: Any


class Engine:
    """The words of one engine."""

    def __init__(self, name: str) -> None:
        self.name = name
        graph, types = import_module(f"{name}.graph"), import_module(f"{name}.types")
        self.builder, self.start, self.end = graph.StateGraph, graph.START, graph.END
        self.interrupt, self.command = types.interrupt, types.Command
        self.memory: Callable[[], Any] = import_module(f"{name}.checkpoint.memory").InMemorySaver

    def graph(self, *nodes: Callable[..., Any], saver: Any = None, parallel: bool = False) -> Any:
        builder = self.builder(State)
        previous = self.start
        for node in nodes:
            builder.add_node(node.__name__, node)
            builder.add_edge(previous, node.__name__)
            previous = self.start if parallel else node.__name__
        return builder.compile(checkpointer=saver)


@contextmanager
def memory(_: Path) -> Iterator[Any]:
    yield InMemorySaver()


@contextmanager
def sqlite(folder: Path) -> Iterator[Any]:
    with SqliteSaver.from_conn_string(str(folder / "threads.sqlite")) as saver:
        yield saver


@contextmanager
def sqlite_of_asyncio(folder: Path) -> Iterator[Any]:
    from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver

    with closing(
        sqlite3.connect(folder / "threads.sqlite", check_same_thread=False, isolation_level=None)
    ) as conn:
        saver = AsyncSqliteSaver(conn)
        yield saver
        assert saver._worker is not None
        saver._worker.shutdown(wait=True)


@contextmanager
def langgraphs_memory(_: Path) -> Iterator[Any]:
    from langgraph.checkpoint.memory import InMemorySaver as Theirs

    yield Theirs()


@contextmanager
def langgraphs_sqlite(folder: Path) -> Iterator[Any]:
    from langgraph.checkpoint.sqlite import SqliteSaver as Theirs

    with Theirs.from_conn_string(str(folder / "theirs.sqlite")) as saver:
        yield saver


SAVERS = {
    "memory": memory,
    "sqlite": sqlite,
    "sqlite-aio": sqlite_of_asyncio,
    "langgraph-memory": langgraphs_memory,
    "langgraph-sqlite": langgraphs_sqlite,
}
OWN = ("memory", "sqlite", "sqlite-aio")
THEIRS = ("langgraph-memory", "langgraph-sqlite")
PAIRS = [("nbhitl", saver) for saver in SAVERS] + [("langgraph", saver) for saver in THEIRS]
"""Engines with the savers that they take; LangGraph takes its own only."""
