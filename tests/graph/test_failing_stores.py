"""A store that fails at any of its calls: nothing is lost, and no effect of an answer happens twice.

Each run fails at one call. Then the store is well again and the thread is taken up: it ends as if nothing had
happened, or says that an answer is in doubt.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver as LangGraphsMemory

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import AnswerInDoubt, StoreError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .asking import CONFIG, Async, State, Sync, asking, graph_of

PUTS = {InMemorySaver: ("put_step", "put_pending", "put_pause"), LangGraphsMemory: ("put", "put_writes")}
READS = {InMemorySaver: ("load", "claims"), LangGraphsMemory: ("get_tuple",)}


class Lost(Exception):
    """The store did not answer."""


class Failing:
    """Lets the `at`-th call of a saver fail: before it is done or, where `late`, after it."""

    def __init__(self, saver: Any, at: int, *, late: bool) -> None:
        self.saver, self.left, self.late, self.failed = saver, at, late, False
        for name in (*PUTS[type(saver)], *READS[type(saver)]):
            setattr(saver, name, self._failing(getattr(saver, name)))

    def _failing(self, call: Any) -> Any:
        def called(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            self.failed = self.failed or self.left == 0
            if self.left == 0 and not self.late:
                raise Lost
            done = call(*args, **kwargs)
            if self.left == 0:
                raise Lost
            return done

        return called


def chain(effects: list[str]) -> Any:
    def ask(state: State) -> State:
        effects.append(f"paid {interrupt('pay?')}")
        return {"log": effects[-1:]}

    builder = StateGraph(State).add_node("a", lambda state: {"log": ["a"]}).add_node(ask)
    builder.add_node("z", lambda state: {"log": ["z"]})
    return builder.add_edge(START, "a").add_edge("a", "ask").add_edge("ask", "z")


def side_by_side(effects: list[str]) -> Any:
    def twice(state: State) -> State:
        effects.append(f"sent {interrupt('send?')} {interrupt('sure?')}")
        return {"log": effects[-1:]}

    builder = chain(effects).add_node(twice).add_node("end", lambda state: {"log": ["end"]})
    return builder.add_edge(START, "twice").add_edge(["twice", "z"], "end")


def called(effects: list[str]) -> Any:
    builder = StateGraph(State).add_node("call", chain(effects).compile())
    return builder.add_edge(START, "call").add_node("end", lambda s: {"log": ["end"]}).add_edge("call", "end")


ENDS = {chain: ["a", "paid yes", "z"], called: ["a", "paid yes", "z", "end"]}
ENDS[side_by_side] = ["a", "sent yes yes", "paid yes", "z", "end"]


def go_on(run: Any, graph: Any, durability: str) -> None:
    """Run to the end, answering whatever is asked."""
    for _ in range(9):
        state = graph.get_state(CONFIG)
        if state.interrupts:
            given: Any = Command(resume={state.interrupts[0].id: "yes"})
        elif state.next:
            given = None
        elif state.values:
            return
        else:
            given = {"log": []}
        run.invoke(graph, given, durability=durability)


@pytest.mark.parametrize("building", ENDS, ids=lambda building: building.__name__)
@pytest.mark.parametrize(
    ("runner", "make", "durability", "late"),
    [
        (Sync, InMemorySaver, "sync", False),
        (Async, InMemorySaver, "exit", True),
        (Sync, LangGraphsMemory, "exit", False),
        (Async, LangGraphsMemory, "sync", True),
    ],
)
def test_a_store_that_fails_once(building, runner, make, durability, late):
    fail_at_every_call(building, runner(), make, durability, late=late)


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("make", [InMemorySaver, LangGraphsMemory], ids=["own", "langgraph"])
@pytest.mark.parametrize("building", ENDS, ids=lambda building: building.__name__)
def test_a_store_that_fails_once_in_every_way(run, building, make, durability, late):
    fail_at_every_call(building, run, make, durability, late=late)


def fail_at_every_call(building: Any, run: Any, make: Any, durability: str, *, late: bool) -> None:
    for at in range(1, 200):
        effects: list[str] = []
        store = Failing(make(), at, late=late)
        graph = building(effects).compile(checkpointer=store.saver)
        in_doubt = False
        try:
            go_on(run, graph, durability)
        except Lost:
            in_doubt = taken_up(run, graph, durability)
        if not store.failed:
            return
        assert len(effects) == len(set(effects)), at
        if not in_doubt:
            assert sorted(graph.get_state(CONFIG).values["log"]) == sorted(ENDS[building]), at
    raise AssertionError("no run makes that many calls")


def taken_up(run: Any, graph: Any, durability: str) -> bool:
    """Take the thread up again; return whether it ended in doubt."""
    try:
        go_on(run, graph, durability)
    except AnswerInDoubt:
        return True
    return False


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_locked_file_names_the_thread(tmp_path, how):
    """SQLite refuses before it is told whose row it is to write."""
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
        graph = graph_of(asking("pay?"), saver=saver)
        graph.invoke({"log": []}, CONFIG)
        saver.conn.execute("PRAGMA busy_timeout = 0")
        with closing(sqlite3.connect(tmp_path / "threads.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match=r"threads\.sqlite.*locked.*thread 't'"):
                (Sync() if how == "sync" else Async()).invoke(graph, Command(resume=1), CONFIG)
        assert graph.invoke(Command(resume=2), CONFIG)["log"] == [2]
