"""Programs that stop and ask, in LangGraph's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from benchmarks.graphs import Number, Program, Total, config, values

if TYPE_CHECKING:
    from benchmarks.engines import Engine
    from benchmarks.graphs import Run


def ask_graph(engine: Engine, saver: Any, size: int) -> Any:
    """A node asks, is answered, and writes the answer."""
    builder = engine.StateGraph(Number)
    builder.add_node("ask", lambda state: {"n": engine.interrupt("how many?")})
    builder.add_edge(engine.START, "ask")
    return builder.compile(checkpointer=saver)


def run_ask(engine: Engine, graph: Any, size: int) -> Run:
    """Ask and answer in `size` threads, one after another."""

    def once(thread: str) -> int:
        graph.invoke({"n": 0}, config(thread))
        return int(graph.invoke(engine.Command(resume=7), config(thread))["n"])

    return lambda thread: [once(f"{thread}-{i}") for i in range(size)]


def read_ask(graph: Any, size: int, thread: str) -> list[int]:
    return [values(graph, f"{thread}-{i}")["n"] for i in range(size)]


class Answers(TypedDict):
    answers: list[int]


def ask_often_graph(engine: Engine, saver: Any, size: int) -> Any:
    """One node asks many times, one question after another."""
    builder = engine.StateGraph(Answers)
    builder.add_node("ask", lambda state: {"answers": [engine.interrupt(i) for i in range(size)]})
    builder.add_edge(engine.START, "ask")
    return builder.compile(checkpointer=saver)


def run_ask_often(engine: Engine, graph: Any, size: int) -> Run:
    def run(thread: str) -> Any:
        result = graph.invoke({"answers": []}, config(thread))
        for i in range(size):
            result = graph.invoke(engine.Command(resume=i), config(thread))
        return result["answers"]

    return run


def ask_together_graph(engine: Engine, saver: Any, size: int) -> Any:
    """Many tasks ask at once."""
    builder = engine.StateGraph(Total)
    builder.add_node("ask", lambda item: {"total": engine.interrupt(item["n"])})
    builder.add_conditional_edges(
        engine.START, lambda state: [engine.Send("ask", {"n": i}) for i in range(size)], ["ask"]
    )
    return builder.compile(checkpointer=saver)


def run_ask_together(engine: Engine, graph: Any, size: int) -> Run:
    """All are answered by one map of ids."""

    def run(thread: str) -> Any:
        asked = graph.invoke({"total": 0}, config(thread))["__interrupt__"]
        answers = {question.id: question.value for question in asked}
        return graph.invoke(engine.Command(resume=answers), config(thread))["total"]

    return run


ASKING = {
    "ask": Program(ask_graph, run_ask, read_ask),
    "ask_often": Program(
        ask_often_graph, run_ask_often, lambda graph, size, thread: values(graph, thread)["answers"]
    ),
    "ask_together": Program(ask_together_graph, run_ask_together),
}
"""Programs with interrupts, by name."""
