"""The programs, written in LangGraph's words; `engine` says whose names they use.

Each is a pair of functions: one builds the graph, the other returns `run(thread)`, which is what the clock
sees: one run on a thread, giving the result that `Workload.expected` is compared with.
"""

from __future__ import annotations

import asyncio
import operator
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypedDict

from benchmarks.workloads import WIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines import Engine

    Run = Callable[[str], Any]


class Laps(NamedTuple):
    """The result of a run, and the seconds that each part of it took."""

    result: Any
    seconds: list[float]


@dataclass(frozen=True)
class Program:
    """`graph(engine, saver, size)` builds, `run(engine, graph, size)` returns what is measured, and
    `read(graph, size, thread)` returns the result of a run on that thread from the store.
    """

    graph: Callable[[Engine, Any, int], Any]
    run: Callable[[Engine, Any, int], Run]
    read: Callable[[Any, int, str], Any] | None = None


def config(thread: str, limit: int = 25) -> dict[str, Any]:
    """Return the config for a thread."""
    return {"configurable": {"thread_id": thread}, "recursion_limit": limit}


def values(graph: Any, thread: str) -> Any:
    """Return the newest state of a thread."""
    return graph.get_state(config(thread)).values


class Number(TypedDict):
    n: int


def chain_builder(engine: Engine, size: int, node: Any = None) -> Any:
    """Return a chain of nodes, each adding one to a number."""
    builder = engine.StateGraph(Number)
    for i in range(size):
        builder.add_node(f"n{i}", node or (lambda state: {"n": state["n"] + 1}))
        builder.add_edge(f"n{i - 1}" if i else engine.START, f"n{i}")
    return builder


def chain_graph(engine: Engine, saver: Any, size: int) -> Any:
    return chain_builder(engine, size).compile(checkpointer=saver)


def run_chain(engine: Engine, graph: Any, size: int) -> Run:
    return lambda thread: graph.invoke({"n": 0}, config(thread, size + 5))


async def add_one(state: Number) -> dict[str, int]:
    """The node of the async chain."""
    return {"n": state["n"] + 1}


def async_graph(engine: Engine, saver: Any, size: int) -> Any:
    return chain_builder(engine, size, add_one).compile(checkpointer=saver)


def run_async(engine: Engine, graph: Any, size: int) -> Run:
    return lambda thread: asyncio.run(graph.ainvoke({"n": 0}, config(thread, size + 5)))


def wide_graph(engine: Engine, saver: Any, size: int) -> Any:
    """A chain in which each node writes one key of many."""
    keys = [f"k{i}" for i in range(WIDE)]
    builder = engine.StateGraph(TypedDict("Wide", dict.fromkeys(keys, int)))  # type: ignore[operator]
    for i in range(size):
        builder.add_node(f"n{i}", lambda state, key=keys[i]: {key: state[key] + 1})
        builder.add_edge(f"n{i - 1}" if i else engine.START, f"n{i}")
    return builder.compile(checkpointer=saver)


def run_wide(engine: Engine, graph: Any, size: int) -> Run:
    start = dict.fromkeys((f"k{i}" for i in range(WIDE)), 0)
    return lambda thread: graph.invoke(start, config(thread, size + 5))


class Total(TypedDict):
    total: Annotated[int, operator.add]


def fan_out_graph(engine: Engine, saver: Any, size: int) -> Any:
    """One Send a task; a reducer joins what they give."""
    builder = engine.StateGraph(Total)
    builder.add_node("work", lambda item: {"total": item["n"]})
    builder.add_conditional_edges(
        engine.START, lambda state: [engine.Send("work", {"n": i}) for i in range(size)], ["work"]
    )
    return builder.compile(checkpointer=saver)


def run_fan_out(engine: Engine, graph: Any, size: int) -> Run:
    return lambda thread: graph.invoke({"total": 0}, config(thread))["total"]


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def line(number: int) -> str:
    """Return what is appended: about a hundred characters."""
    return (
        f"line {number:4} of a log that grows by one line a step, and no line is as short as it could be ..."
    )


def grow_graph(engine: Engine, saver: Any, size: int) -> Any:
    """A loop that appends one line a step."""
    builder = engine.StateGraph(Log)
    builder.add_node("step", lambda state: {"log": [line(len(state["log"]))]})
    builder.add_edge(engine.START, "step")
    builder.add_conditional_edges(
        "step", lambda state: engine.END if len(state["log"]) == size else "step", ["step", engine.END]
    )
    return builder.compile(checkpointer=saver)


def run_grow(engine: Engine, graph: Any, size: int) -> Run:
    return lambda thread: len(graph.invoke({"log": []}, config(thread, size + 5))["log"])


def question(number: int) -> str:
    """Return what the user says in a turn of the chat."""
    return f"Question {number}: how does this go on, {'and what follows from it, ' * 6}if anything?"


def answer(number: int) -> str:
    """Return what the model says in a turn of the chat."""
    return f"Answer {number}: it goes on as it began, {'and then some more, ' * 8}as was to be expected."


def chat_graph(engine: Engine, saver: Any, size: int) -> Any:
    """One node that answers the last message, in LangChain's message classes."""
    from langchain_core.messages import AIMessage

    def reply(state: Any) -> dict[str, Any]:
        return {"messages": [AIMessage(answer(len(state["messages"])))]}

    builder = engine.StateGraph(engine.MessagesState)
    builder.add_node("reply", reply)
    builder.add_edge(engine.START, "reply")
    return builder.compile(checkpointer=saver)


def run_chat(engine: Engine, graph: Any, size: int) -> Run:
    """A fresh `invoke` for each turn; laps are turns."""
    from langchain_core.messages import HumanMessage

    def run(thread: str) -> Laps:
        laps: list[float] = []
        result: dict[str, Any] = {"messages": []}
        for turn in range(size):
            begin = perf_counter()
            result = graph.invoke({"messages": [HumanMessage(question(turn))]}, config(thread))
            laps.append(perf_counter() - begin)
        return Laps(len(result["messages"]), laps)

    return run


CHAINS = {
    "chain": Program(chain_graph, run_chain, lambda graph, size, thread: values(graph, thread)),
    "async_chain": Program(async_graph, run_async),
    "wide": Program(wide_graph, run_wide, lambda graph, size, thread: values(graph, thread)),
    "fan_out": Program(fan_out_graph, run_fan_out),
    "grow": Program(grow_graph, run_grow, lambda graph, size, thread: len(values(graph, thread)["log"])),
    "chat": Program(chat_graph, run_chat, lambda graph, size, thread: len(values(graph, thread)["messages"])),
}
"""Programs that run through, by name."""
