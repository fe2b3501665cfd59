"""Graphs whose nodes ask a person, and the two ways to run them."""

from __future__ import annotations

import asyncio
import operator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from typing_extensions import TypedDict

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]


def graph_of(*nodes: Callable[..., Any], saver: Any = None, parallel: bool = False, **compiled: Any) -> Any:
    """A graph of these functions, one after another or side by side, with a memory saver of its own."""
    builder = StateGraph(State)
    previous = START
    for node in nodes:
        builder.add_node(node.__name__, node)
        builder.add_edge(previous, node.__name__)
        previous = START if parallel else node.__name__
    return builder.compile(checkpointer=InMemorySaver() if saver is None else saver, **compiled)


def asking(*questions: Any, name: str = "ask") -> Callable[[State], State]:
    """A node that asks one question after another and logs the answers."""

    def node(state: State) -> State:
        return {"log": [interrupt(question) for question in questions]}

    node.__name__ = name
    return node


def questions(graph: Any, config: Any = CONFIG) -> list[Any]:
    return [question.value for question in graph.get_state(config).interrupts]


def ids(graph: Any, config: Any = CONFIG) -> list[str]:
    return [question.id for question in graph.get_state(config).interrupts]


class Sync:
    """Runs graphs with their sync methods."""

    def invoke(self, graph: Any, given: Any, config: Any = CONFIG, **how: Any) -> Any:
        return graph.invoke(given, config, **how)


class Async:
    """Runs graphs with their async methods."""

    def invoke(self, graph: Any, given: Any, config: Any = CONFIG, **how: Any) -> Any:
        return asyncio.run(graph.ainvoke(given, config, **how))


@contextmanager
def memory(_: Any) -> Iterator[Any]:
    yield InMemorySaver()


@contextmanager
def sqlite(folder: Any) -> Iterator[Any]:
    with SqliteSaver.from_conn_string(str(folder / "threads.sqlite")) as saver:
        yield saver


def waiting(saver: Any, thread: str = "t") -> list[str]:
    """The questions that a store lists as waiting for somebody."""
    return [question.payload for question in saver.pending() if question.thread_id == thread]
