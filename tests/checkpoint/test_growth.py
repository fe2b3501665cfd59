"""Storage grows with what changed, and a step costs the same however long the thread is."""

from __future__ import annotations

import operator
import time
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import langgraph.checkpoint.sqlite
import langgraph.graph
import pytest

import nbhitl.checkpoint.sqlite
import nbhitl.graph
from nbhitl.channels import DeltaChannel
from nbhitl.checkpoint.sqlite import SqliteSaver

from .building import Run

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

ITEM = "a line of about one hundred characters, as a log or a short message might have it, number {:06d}"


class State(TypedDict):
    n: int
    lines: Annotated[list, operator.add]


class Batched(TypedDict):
    lines: Annotated[list, DeltaChannel(lambda lines, writes: [*lines, *(write[0] for write in writes)])]


def grow(path: Path, length: int, graphs: ModuleType, savers: ModuleType) -> int:
    """Run a graph that appends a line a step; return the size of its file."""

    def line(state: State) -> dict[str, Any]:
        return {"n": state["n"] + 1, "lines": [ITEM.format(state["n"])]}

    builder = graphs.StateGraph(State)
    builder.add_node("line", line)
    builder.add_edge(graphs.START, "line")
    builder.add_conditional_edges("line", lambda state: "line" if state["n"] < length else graphs.END)
    with savers.SqliteSaver.from_conn_string(str(path)) as saver:
        config = {"configurable": {"thread_id": "1"}, "recursion_limit": length + 5}
        result = builder.compile(checkpointer=saver).invoke({"n": 0}, config)
        assert result["lines"] == [ITEM.format(n) for n in range(length)]
        saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


@pytest.mark.parametrize(("length", "factor"), [(200, 15), pytest.param(1000, 100, marks=pytest.mark.slow)])
def test_a_growing_list_takes_a_fraction_of_langgraphs_space(tmp_path, length, factor):
    ours = grow(tmp_path / "ours.db", length, nbhitl.graph, nbhitl.checkpoint.sqlite)
    theirs = grow(tmp_path / "theirs.db", length, langgraph.graph, langgraph.checkpoint.sqlite)
    assert theirs >= factor * ours


def appended(path: Path, length: int) -> tuple[int, list[float]]:
    """Append an item a step; return the size of the file, and the seconds that each of ten parts took."""
    with SqliteSaver.from_conn_string(str(path)) as saver:
        run = Run(saver)
        run.step({"items": []})
        records, spent = [], []
        for n in range(length):
            record = run.record(appended={"items": [ITEM.format(n)]})
            run.remember(record)
            records.append(record)
        for part in range(10):
            began = time.process_time()
            for record in records[part * length // 10 : (part + 1) * length // 10]:
                saver.put_step(record)
            spent.append(time.process_time() - began)
        assert len(saver.load(run.key()).values["items"]) == length
        saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size, spent


def test_the_file_grows_linearly_and_the_last_steps_cost_what_the_first_did(tmp_path):
    small, _ = appended(tmp_path / "small.db", 300)
    large, spent = appended(tmp_path / "large.db", 1200)
    assert large <= 4.6 * small
    assert min(spent[-5:]) <= 2 * min(spent[:5])


def test_one_key_of_many_costs_what_it_holds(tmp_path):
    path = tmp_path / "wide.db"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        run = Run(saver)
        run.step({f"key {n}": "x" * 50 for n in range(300)})
        for n in range(300):
            run.step({f"key {n}": n}, tasks=[])
        assert saver.load(run.key()).values == run.saved[run.head].values
        saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = 300 * 60
    assert path.stat().st_size < 10 * whole  # 300 times if each step held everything


def test_a_reducer_of_batches_that_appends_is_stored_as_what_it_appends(tmp_path):
    path = tmp_path / "delta.db"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        builder = nbhitl.graph.StateGraph(Batched)
        builder.add_node("add", lambda state: {"lines": [f"{len(state['lines'])} " + "x" * 90]})
        builder.add_conditional_edges("add", lambda state: "add" if len(state["lines"]) < 300 else "__end__")
        graph = builder.add_edge("__start__", "add").compile(checkpointer=saver)
        config = {"configurable": {"thread_id": "1"}, "recursion_limit": 1000}
        assert len(graph.invoke({"lines": ["in"]}, config)["lines"]) == 300
        saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (kept,) = [found.values["lines"] for found in graph.get_state_history(config, limit=1)]
    assert [line.split()[0] for line in kept[1:]] == [str(n) for n in range(1, 300)]
    assert path.stat().st_size < 10 * 300 * 100  # 150 times if each step held everything
