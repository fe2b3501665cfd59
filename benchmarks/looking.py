"""Programs that look at graphs and threads, in LangGraph's words: states, histories, questions, drawings.

Where there is a past to look at, it is made, by running the graph, before the clock starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.asking import ASKING
from benchmarks.graphs import CHAINS, Number, Program, chain_builder, chain_graph, config
from benchmarks.workloads import WAITING_EVERY

if TYPE_CHECKING:
    from benchmarks.engines import Engine
    from benchmarks.graphs import Run


def run_build(engine: Engine, graph: Any, size: int) -> Run:
    """Building and compiling a chain, without running it."""

    def run(thread: str) -> int:
        builder = chain_builder(engine, size)
        builder.compile()
        return len(builder.nodes)

    return run


def run_first_event(engine: Engine, graph: Any, size: int) -> Run:
    """The first chunk of a stream; the run is given up after it."""

    def run(thread: str) -> Any:
        chunks = graph.stream({"n": 0}, config(thread, size + 5), stream_mode="updates")
        first = next(chunks)
        chunks.close()
        return first

    return run


def run_diagram(engine: Engine, graph: Any, size: int) -> Run:
    """The Mermaid text of a chain; counts its arrows."""
    return lambda thread: sum("-->" in line for line in graph.get_graph().draw_mermaid().splitlines())


def loop_graph(engine: Engine, saver: Any, size: int) -> Any:
    """A loop that counts to `size`, and so leaves `size + 2` checkpoints; has run once."""
    builder = engine.StateGraph(Number)
    builder.add_node("count", lambda state: {"n": state["n"] + 1})
    builder.add_edge(engine.START, "count")
    builder.add_conditional_edges(
        "count", lambda state: engine.END if state["n"] == size else "count", ["count", engine.END]
    )
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"n": 0}, config("long", size + 5))
    return graph


def run_get_state(engine: Engine, graph: Any, size: int) -> Run:
    return lambda thread: graph.get_state(config("long")).values


def run_history(engine: Engine, graph: Any, size: int) -> Run:
    """nbhitl's own table, with all of its columns; for LangGraph a loop that fills a table of fewer."""
    import pandas as pd

    def table() -> Any:
        if engine.name == "nbhitl":
            from nbhitl.history import history_frame

            return history_frame(graph, config("long"))
        snapshots = list(graph.get_state_history(config("long")))[::-1]
        columns = {
            "step": [snapshot.metadata["step"] for snapshot in snapshots],
            "source": [snapshot.metadata["source"] for snapshot in snapshots],
            "next": [", ".join(snapshot.next) for snapshot in snapshots],
            "ran": ["", *(", ".join(task.name for task in snapshot.tasks) for snapshot in snapshots[:-1])],
        }
        return pd.DataFrame(columns)

    def run(thread: str) -> list[int]:
        frame = table()
        return [len(frame), int(frame["step"].iloc[-1])]

    return run


def threads_graph(engine: Engine, saver: Any, size: int) -> Any:
    """Threads that are done, and every hundredth with an open question."""
    builder = engine.StateGraph(Number)
    builder.add_node("ask", lambda state: {"n": state["n"] or engine.interrupt("how many?")})
    builder.add_edge(engine.START, "ask")
    graph = builder.compile(checkpointer=saver)
    for i in range(size):
        graph.invoke({"n": i % WAITING_EVERY}, config(f"thread-{i}"))
    return graph


def run_pending(engine: Engine, graph: Any, size: int) -> Run:
    """LangGraph has no list of questions: its threads are listed by SQL, and each one's newest state read."""
    saver = graph.checkpointer
    if engine.name == "nbhitl":
        return lambda thread: len(saver.pending())

    def is_waiting(thread: str) -> bool:
        found = saver.get_tuple(config(thread))
        return any(channel == "__interrupt__" for _, channel, _ in found.pending_writes)

    def run(thread: str) -> int:
        rows = saver.conn.execute("SELECT DISTINCT thread_id FROM checkpoints").fetchall()
        names = (row["thread_id"] if isinstance(row, dict) else row[0] for row in rows)
        return sum(map(is_waiting, names))

    return run


PROGRAMS = {
    **CHAINS,
    **ASKING,
    "build": Program(lambda engine, saver, size: None, run_build),
    "first_event": Program(chain_graph, run_first_event),
    "diagram": Program(chain_graph, run_diagram),
    "get_state": Program(loop_graph, run_get_state),
    "history": Program(loop_graph, run_history),
    "pending": Program(threads_graph, run_pending),
}
"""All programs, by name."""
