"""Who runs a graph on a store that somebody has tampered with is told which store it is, which thread and what to do."""

from __future__ import annotations

import pytest

from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import StoreError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .building import NOON

CONFIG = {"configurable": {"thread_id": "t"}}
CALLS = {
    "get_state": lambda graph: graph.get_state(CONFIG),
    "get_state_history": lambda graph: list(graph.get_state_history(CONFIG)),
    "an answer": lambda graph: graph.invoke(Command(resume="yes"), CONFIG),
    "an input": lambda graph: graph.invoke({}, CONFIG),
    "update_state": lambda graph: graph.update_state(CONFIG, {"x": 1}),
}


@pytest.fixture
def path(tmp_path):
    """A file with a thread that asks."""
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as saver:
        graph_on(saver).invoke({}, CONFIG)
    return path


def graph_on(saver):
    def ask(state):
        return {"x": interrupt("Go on?")}

    return StateGraph(dict).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)


@pytest.mark.parametrize("call", CALLS)
def test_metadata_with_a_step_that_is_no_number(path, call):
    with SqliteSaver.from_conn_string(path) as saver:
        made = saver.serde.dumps({"source": "loop", "step": "x", "parents": {}})
        saver.conn.execute("UPDATE nbhitl_steps SET metadata = ?", (made,))
        told = r"SQLite store .*store\.db, thread 't', checkpoint .* is damaged: .*Restore the store"
        with pytest.raises(StoreError, match=told):
            CALLS[call](graph_on(saver))


@pytest.mark.parametrize("call", ["get_state", "get_state_history"])
def test_metadata_that_names_no_parents(path, call):
    with SqliteSaver.from_conn_string(path) as saver:
        made = saver.serde.dumps({"source": "loop", "step": 1, "parents": [1]})
        saver.conn.execute("UPDATE nbhitl_steps SET metadata = ?", (made,))
        with pytest.raises(StoreError, match=r"SQLite store .*store\.db, thread 't', .* names no parents"):
            CALLS[call](graph_on(saver))


def test_an_answer_that_was_noted_at_no_time(path):
    with SqliteSaver.from_conn_string(path) as saver:
        (asked,) = saver.pending()
        saver.record_answer(*asked[:4], "yes", "ann", NOON)
        saver.conn.execute("UPDATE nbhitl_questions SET at = 'noon'")
        with pytest.raises(
            StoreError, match=r"SQLite store .*store\.db, thread 't', .*no readable time \('noon'\)"
        ):
            graph_on(saver).invoke(Command(resume="yes"), CONFIG)


def test_an_answer_that_is_taken_up_until_no_time(path):
    with SqliteSaver.from_conn_string(path) as saver:
        saver.conn.execute("UPDATE nbhitl_questions SET state = 'delivered', lease_until = 'noon'")
        with pytest.raises(StoreError, match=r"SQLite store .*thread 't', .*no readable time \('noon'\)"):
            CALLS["an answer"](graph_on(saver))
