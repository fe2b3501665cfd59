"""The programs, written in LangGraph's words; `engine` says whose names they use.

Each function builds its graph and returns `run(thread)`, which is what the clock sees: one run on a new
thread, giving the result that `Workload.expected` is compared with.
"""

from __future__ import annotations

import asyncio
import operator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from benchmarks.workloads import WIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines import Engine

    Run = Callable[[str], Any]


def _config(thread: str, limit: int = 25) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}, "recursion_limit": limit}


class Number(TypedDict):
    n: int


def chain(engine: Engine, saver: Any, size: int) -> Run:
    """A chain of nodes, each adding one to a number."""
    builder = engine.StateGraph(Number)
    for i in range(size):
        builder.add_node(f"n{i}", lambda state: {"n": state["n"] + 1})
        builder.add_edge(f"n{i - 1}" if i else engine.START, f"n{i}")
    graph = builder.compile(checkpointer=saver)
    return lambda thread: graph.invoke({"n": 0}, _config(thread, size + 5))


def async_chain(engine: Engine, saver: Any, size: int) -> Run:
    """The chain with async nodes, awaited."""

    async def add_one(state: Number) -> dict[str, int]:
        return {"n": state["n"] + 1}

    builder = engine.StateGraph(Number)
    for i in range(size):
        builder.add_node(f"n{i}", add_one)
        builder.add_edge(f"n{i - 1}" if i else engine.START, f"n{i}")
    graph = builder.compile(checkpointer=saver)
    return lambda thread: asyncio.run(graph.ainvoke({"n": 0}, _config(thread, size + 5)))


def build(engine: Engine, saver: Any, size: int) -> Run:
    """Building and compiling a chain, without running it."""

    def run(thread: str) -> int:
        builder = engine.StateGraph(Number)
        for i in range(size):
            builder.add_node(f"n{i}", lambda state: {"n": state["n"] + 1})
            builder.add_edge(f"n{i - 1}" if i else engine.START, f"n{i}")
        builder.compile(checkpointer=saver)
        return len(builder.nodes)

    return run


def first_event(engine: Engine, saver: Any, size: int) -> Run:
    """The first chunk of a stream; the run is given up after it."""
    builder = engine.StateGraph(Number)
    for i in range(size):
        builder.add_node(f"n{i}", lambda state: {"n": state["n"] + 1})
        builder.add_edge(f"n{i - 1}" if i else engine.START, f"n{i}")
    graph = builder.compile(checkpointer=saver)

    def run(thread: str) -> Any:
        chunks = graph.stream({"n": 0}, _config(thread, size + 5), stream_mode="updates")
        first = next(chunks)
        chunks.close()
        return first

    return run


def wide(engine: Engine, saver: Any, size: int) -> Run:
    """A chain in which each node writes one key of many."""
    keys = [f"k{i}" for i in range(WIDE)]
    builder = engine.StateGraph(TypedDict("Wide", dict.fromkeys(keys, int)))  # type: ignore[operator]
    for i in range(size):
        builder.add_node(f"n{i}", lambda state, key=keys[i]: {key: state[key] + 1})
        builder.add_edge(f"n{i - 1}" if i else engine.START, f"n{i}")
    graph = builder.compile(checkpointer=saver)
    return lambda thread: graph.invoke(dict.fromkeys(keys, 0), _config(thread, size + 5))


class Total(TypedDict):
    total: Annotated[int, operator.add]


def fan_out(engine: Engine, saver: Any, size: int) -> Run:
    """One Send a task; a reducer joins what they give."""
    builder = engine.StateGraph(Total)
    builder.add_node("work", lambda item: {"total": item["n"]})
    builder.add_conditional_edges(
        engine.START, lambda state: [engine.Send("work", {"n": i}) for i in range(size)], ["work"]
    )
    graph = builder.compile(checkpointer=saver)
    return lambda thread: graph.invoke({"total": 0}, _config(thread))["total"]


def ask(engine: Engine, saver: Any, size: int) -> Run:
    """A node asks, is answered, and writes the answer; `size` threads, one after another."""
    builder = engine.StateGraph(Number)
    builder.add_node("ask", lambda state: {"n": engine.interrupt("how many?")})
    builder.add_edge(engine.START, "ask")
    graph = builder.compile(checkpointer=saver)

    def once(config: dict[str, Any]) -> int:
        graph.invoke({"n": 0}, config)
        return int(graph.invoke(engine.Command(resume=7), config)["n"])

    return lambda thread: [once(_config(f"{thread}-{i}")) for i in range(size)]


class Answers(TypedDict):
    answers: list[int]


def ask_often(engine: Engine, saver: Any, size: int) -> Run:
    """One node asks many times, one question after another."""
    builder = engine.StateGraph(Answers)
    builder.add_node("ask", lambda state: {"answers": [engine.interrupt(i) for i in range(size)]})
    builder.add_edge(engine.START, "ask")
    graph = builder.compile(checkpointer=saver)

    def run(thread: str) -> Any:
        config = _config(thread)
        result = graph.invoke({"answers": []}, config)
        for i in range(size):
            result = graph.invoke(engine.Command(resume=i), config)
        return result["answers"]

    return run


def ask_together(engine: Engine, saver: Any, size: int) -> Run:
    """Many tasks ask at once, and all are answered by one map of ids."""
    builder = engine.StateGraph(Total)
    builder.add_node("ask", lambda item: {"total": engine.interrupt(item["n"])})
    builder.add_conditional_edges(
        engine.START, lambda state: [engine.Send("ask", {"n": i}) for i in range(size)], ["ask"]
    )
    graph = builder.compile(checkpointer=saver)

    def run(thread: str) -> Any:
        config = _config(thread)
        asked = graph.invoke({"total": 0}, config)["__interrupt__"]
        answers = {question.id: question.value for question in asked}
        return graph.invoke(engine.Command(resume=answers), config)["total"]

    return run


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


def grow_graph(engine: Engine, saver: Any, size: int) -> Any:
    """Return a loop that appends one short text a step."""
    builder = engine.StateGraph(Log)
    builder.add_node("step", lambda state: {"log": [f"line {len(state['log'])} of a log that grows"]})
    builder.add_edge(engine.START, "step")
    builder.add_conditional_edges(
        "step", lambda state: engine.END if len(state["log"]) == size else "step", ["step", engine.END]
    )
    return builder.compile(checkpointer=saver)


def grow(engine: Engine, saver: Any, size: int) -> Run:
    """A list that grows by one a step."""
    graph = grow_graph(engine, saver, size)
    return lambda thread: len(graph.invoke({"log": []}, _config(thread, size + 5))["log"])
