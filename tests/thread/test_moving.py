"""Threads that change house: from LangGraph's engine to nbhitl's, from saver to saver, in the middle of a run."""

from __future__ import annotations

import importlib
import json
import operator
import sqlite3
from contextlib import closing
from types import SimpleNamespace
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver as ForeignSqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver as ForeignAsyncSqlite

from nbhitl import once
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import BundleError, StoreError, UnsupportedValue
from nbhitl.thread import GraphThread

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


class Thing:
    """A value that is no data."""


class State(TypedDict):
    n: int
    items: Annotated[list[Any], operator.add]


def library(name: str) -> SimpleNamespace:
    def load(path: str) -> Any:
        return importlib.import_module(f"{name}.{path}")

    graph, types = load("graph"), load("types")
    return SimpleNamespace(
        StateGraph=graph.StateGraph, START=graph.START, END=graph.END, interrupt=types.interrupt,
        Command=types.Command, Send=types.Send, InMemorySaver=load("checkpoint.memory").InMemorySaver,
    )  # fmt: skip


LANGGRAPH, OURS = library("langgraph"), library("nbhitl")


def two_questions(e: Any, **how: Any) -> Any:
    def ask(state: State) -> dict[str, Any]:
        return {"items": [e.interrupt({"q": 1}), e.interrupt("q2")]}

    graph = e.StateGraph(State)
    graph.add_node("first", lambda state: {"n": state["n"] + 1, "items": ["first"]})
    graph.add_node("ask", ask)
    graph.add_node("last", lambda state: {"items": ["last"]})
    for pair in ((e.START, "first"), ("first", "ask"), ("ask", "last")):
        graph.add_edge(*pair)
    return graph.compile(**how)


def nested(e: Any, **how: Any) -> Any:
    child = e.StateGraph(State)
    child.add_node("prepare", lambda state: {"items": ["prepared"]})
    child.add_node("inner", lambda state: {"items": [e.interrupt("in1"), e.interrupt("in2")]})
    child.add_edge(e.START, "prepare")
    child.add_edge("prepare", "inner")
    graph = e.StateGraph(State)
    graph.add_node("begin", lambda state: {"n": state["n"] + 1})
    graph.add_node("child", child.compile())
    graph.add_node("worker", lambda state: {"items": [f"worker {state['n']}"]})
    graph.add_node("asking", lambda state: {"items": [e.interrupt(f"asking {state['n']}")]})
    graph.add_node("end", lambda state: {"items": ["end"]})
    sends = [e.Send("worker", {"n": 7, "items": []}), e.Send("asking", {"n": 8, "items": []})]
    graph.add_edge(e.START, "begin")
    graph.add_edge("begin", "child")
    graph.add_conditional_edges("begin", lambda state: sends, ["worker", "asking"])
    graph.add_edge(["child", "begin"], "end")
    return graph.compile(**how)


def in_a_loop(e: Any, **how: Any) -> Any:
    def step(state: State) -> Any:
        answer = e.interrupt(f"round {state['n']}")
        return e.Command(
            update={"n": state["n"] + 1, "items": [answer]}, goto="step" if state["n"] < 2 else e.END
        )

    graph = e.StateGraph(State)
    graph.add_node("step", step, destinations=("step", e.END))
    graph.add_edge(e.START, "step")
    return graph.compile(**how)


def deferred(e: Any, **how: Any) -> Any:
    graph = e.StateGraph(State)
    graph.add_node("a", lambda state: {"items": ["a"]})
    graph.add_node("b", lambda state: {"items": [e.interrupt("b?")]})
    graph.add_node("c", lambda state: {"items": ["c"]})
    graph.add_node("z", lambda state: {"items": ["z"]}, defer=True)
    for pair in ((e.START, "a"), (e.START, "b"), ("b", "c"), ("a", "z"), ("c", "z")):
        graph.add_edge(*pair)
    return graph.compile(**how)


def side_by_side(e: Any, **how: Any) -> Any:
    graph = e.StateGraph(State)
    for name in ("left", "right"):
        graph.add_node(name, lambda state, name=name: {"items": [e.interrupt(f"{name} {n}") for n in (1, 2)]})
        graph.add_edge(e.START, name)
    return graph.compile(**how)


PROGRAMS = {
    program.__name__: program for program in (two_questions, nested, in_a_loop, deferred, side_by_side)
}


def shown(graph: Any) -> Any:
    """What can be seen of the thread, without ids and times."""
    state = graph.get_state(CONFIG)
    history = [
        (
            s.values,
            s.next,
            s.metadata["source"],
            s.metadata["step"],
            [(t.name, t.result, t.path) for t in s.tasks],
        )
        for s in graph.get_state_history(CONFIG)
    ]
    asked = sorted(str(question.value) for question in state.interrupts)
    return json.loads(json.dumps([state.values, state.next, asked, history]))


def answer_one(e: Any, graph: Any, number: int) -> bool:
    """Answer the question that comes first by its text; False if none is open."""
    asked = sorted(graph.get_state(CONFIG).interrupts, key=lambda i: str(i.value))
    if not asked:
        return False
    graph.invoke(e.Command(resume={asked[0].id: f"answer {number}"}), CONFIG)
    return True


def moved(theirs: Any, ours: Any, tmp_path: Any) -> None:
    path = tmp_path / "thread.json"
    GraphThread(theirs, "t").export(path)
    GraphThread.from_bundle(ours, path, replace=True)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("moved_after", range(4))
def test_nbhitl_goes_on_where_langgraph_stopped(name, moved_after, tmp_path):
    theirs = PROGRAMS[name](LANGGRAPH, checkpointer=LANGGRAPH.InMemorySaver())
    theirs.invoke({"n": 0, "items": []}, CONFIG)
    for number in range(moved_after):
        answer_one(LANGGRAPH, theirs, number)
    with SqliteSaver.from_conn_string(":memory:") as saver:
        ours = PROGRAMS[name](OURS, checkpointer=saver)
        moved(theirs, ours, tmp_path)
        assert shown(ours) == shown(theirs)
        assert len(saver.pending()) == len(theirs.get_state(CONFIG).interrupts)
        number = moved_after
        while answer_one(OURS, ours, number) | answer_one(LANGGRAPH, theirs, number):
            number += 1
            assert shown(ours)[:3] == shown(theirs)[:3]
        assert ours.get_state(CONFIG).next == ()
        for e, graph in ((LANGGRAPH, theirs), (OURS, ours)):
            graph.invoke({"n": 0, "items": ["again"]}, CONFIG)
            graph.update_state(CONFIG, {"items": ["updated"]}, as_node=[*graph.nodes][-1])
            assert e
        assert shown(ours)[:3] == shown(theirs)[:3]


@pytest.fixture
def database():
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn:
        yield conn


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("moved_after", range(4))
def test_langgraph_goes_on_where_nbhitl_stopped(name, moved_after, tmp_path, database):
    ours = PROGRAMS[name](OURS, checkpointer=InMemorySaver())
    ours.invoke({"n": 0, "items": []}, CONFIG)
    for number in range(moved_after):
        answer_one(OURS, ours, number)
    for saver in (
        LANGGRAPH.InMemorySaver(),
        ForeignSqlite(database),
    ):
        theirs = PROGRAMS[name](LANGGRAPH, checkpointer=saver)
        moved(ours, theirs, tmp_path)
        assert shown(theirs) == shown(ours)
    number = moved_after
    while answer_one(OURS, ours, number) | answer_one(LANGGRAPH, theirs, number):
        number += 1
        assert shown(theirs)[:3] == shown(ours)[:3]
    assert theirs.get_state(CONFIG).next == ()
    for graph in (theirs, ours):
        graph.invoke({"n": 0, "items": ["again"]}, CONFIG)
    assert shown(theirs)[:3] == shown(ours)[:3]


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
def test_from_each_of_langgraphs_savers_and_back_to_a_card(kind, tmp_path):
    path = tmp_path / "theirs.db"
    with ForeignSqlite.from_conn_string(str(path)) as sqlite:
        saver = sqlite if kind == "sqlite" else LANGGRAPH.InMemorySaver()
        theirs = two_questions(LANGGRAPH, checkpointer=saver)
        theirs.invoke({"n": 0, "items": []}, CONFIG)
        bundle = GraphThread(theirs, "t").export()
    ours = two_questions(OURS, checkpointer=InMemorySaver())
    thread = GraphThread.from_bundle(ours, bundle, thread_id="mine", by="ann")
    assert thread.question.payload == {"q": 1}
    thread.question.answer("yes")
    thread.question.answer("no")
    assert thread.result == {"n": 1, "items": ["first", "yes", "no", "last"]}


async def test_from_langgraphs_async_saver(tmp_path):
    async with ForeignAsyncSqlite.from_conn_string(str(tmp_path / "theirs.db")) as saver:
        theirs = nested(LANGGRAPH, checkpointer=saver)
        await theirs.ainvoke({"n": 0, "items": []}, CONFIG)
        bundle = await GraphThread(theirs, "t").aexport(tmp_path / "t.json")
    ours = nested(OURS, checkpointer=InMemorySaver())
    thread = GraphThread.from_bundle(ours, bundle)
    assert sorted(card.payload for card in thread.questions) == ["asking 8", "in1"]


async def test_into_langgraphs_async_saver(tmp_path):
    ours = two_questions(OURS, checkpointer=InMemorySaver())
    ours.invoke({"n": 0, "items": []}, CONFIG)
    bundle = GraphThread(ours, "t").export()
    async with ForeignAsyncSqlite.from_conn_string(str(tmp_path / "theirs.db")) as saver:
        theirs = two_questions(LANGGRAPH, checkpointer=saver)
        with pytest.raises(StoreError, match=r"Use `await GraphThread.afrom_bundle\(graph, bundle\)`"):
            GraphThread.from_bundle(theirs, bundle)
        assert await theirs.checkpointer.aget_tuple(CONFIG) is None
        thread = await GraphThread.afrom_bundle(theirs, bundle)
        assert (await theirs.aget_state(CONFIG)).interrupts[0].value == {"q": 1}
        assert thread.thread_id == "t"
        with pytest.raises(BundleError, match="there is a thread 't' here already"):
            await GraphThread.afrom_bundle(theirs, bundle)
        await GraphThread.afrom_bundle(theirs, bundle, replace=True)
        assert len([kept async for kept in theirs.aget_state_history(CONFIG)]) == len(
            list(ours.get_state_history(CONFIG))
        )
        paused = await theirs.ainvoke(LANGGRAPH.Command(resume="yes"), CONFIG)
        assert paused["__interrupt__"][0].value == "q2"


async def test_into_an_async_saver_of_nbhitls(tmp_path):
    before = two_questions(OURS, checkpointer=InMemorySaver())
    before.invoke({"n": 0, "items": []}, CONFIG)
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "ours.db")) as saver:
        after = two_questions(OURS, checkpointer=saver)
        await GraphThread.afrom_bundle(after, GraphThread(before, "t").export())
        assert (await after.aget_state(CONFIG)).interrupts == before.get_state(CONFIG).interrupts


@pytest.mark.parametrize("name", PROGRAMS)
def test_from_a_saver_of_langgraphs_under_nbhitls_engine(name, tmp_path):
    before = PROGRAMS[name](OURS, checkpointer=LANGGRAPH.InMemorySaver())
    before.invoke({"n": 0, "items": []}, CONFIG)
    answer_one(OURS, before, 0)
    after = PROGRAMS[name](OURS, checkpointer=InMemorySaver())
    moved(before, after, tmp_path)
    assert shown(after) == shown(before)
    number = 1
    while answer_one(OURS, after, number) | answer_one(OURS, before, number):
        number += 1
        assert shown(after)[:3] == shown(before)[:3]


def test_a_thread_at_a_breakpoint_and_one_that_failed(tmp_path):
    theirs = two_questions(LANGGRAPH, checkpointer=LANGGRAPH.InMemorySaver(), interrupt_before=["last"])
    ours = two_questions(OURS, checkpointer=InMemorySaver(), interrupt_before=["last"])
    theirs.invoke({"n": 0, "items": []}, CONFIG)
    answer_one(LANGGRAPH, theirs, 0)
    answer_one(LANGGRAPH, theirs, 1)
    moved(theirs, ours, tmp_path)
    assert shown(ours) == shown(theirs)
    assert ours.invoke(None, CONFIG) == theirs.invoke(None, CONFIG)
    with pytest.raises(TypeError):
        theirs.invoke({"n": "text", "items": []}, CONFIG)
    moved(theirs, ours, tmp_path)
    assert shown(ours)[:2] == shown(theirs)[:2]
    assert ours.get_state(CONFIG).tasks[0].error == theirs.get_state(CONFIG).tasks[0].error


def test_forks_come_along(tmp_path):
    theirs = two_questions(LANGGRAPH, checkpointer=LANGGRAPH.InMemorySaver())
    ours = two_questions(OURS, checkpointer=InMemorySaver())
    theirs.invoke({"n": 0, "items": []}, CONFIG)
    answer_one(LANGGRAPH, theirs, 0)
    first = list(theirs.get_state_history(CONFIG))[1].config
    theirs.invoke(None, theirs.update_state(first, {"n": 50}))
    moved(theirs, ours, tmp_path)
    assert shown(ours) == shown(theirs)
    asked = ours.get_state(CONFIG).interrupts
    assert len(asked) == 1


@pytest.mark.parametrize("e", [LANGGRAPH, OURS], ids=["langgraph", "nbhitl"])
def test_decisions_and_effects_that_were_kept_beside_come_along(e, tmp_path):
    effects: list[str] = []

    def ask(state: State) -> dict[str, Any]:
        once("mail", lambda: effects.append("mail"))
        return {"items": [e.interrupt("first"), e.interrupt("second")]}

    def compiled(on: Any, saver: Any) -> Any:
        builder = on.StateGraph(State)
        builder.add_node("ask", ask)
        builder.add_edge(on.START, "ask")
        return builder.compile(checkpointer=saver)

    with ForeignSqlite.from_conn_string(str(tmp_path / "theirs.db")) as saver:
        before = GraphThread(compiled(e, saver), "t", by="ada")
        before.run({"n": 0, "items": []})
        before.question.answer("yes")
        bundle = before.export()
    target = InMemorySaver()
    e = OURS  # the node asks with the other engine's interrupt() from here on
    thread = GraphThread.from_bundle(compiled(OURS, target), bundle, by="ben")
    assert [entry.key for entry in target.once_entries("t")] == ["mail"]
    assert [(claim.state, claim.answer, claim.by) for claim in target.claims("t")] == [
        ("applied", "yes", "ada"), ("open", None, None),
    ]  # fmt: skip
    thread.question.answer("no")
    assert thread.result["items"] == ["yes", "no"]
    assert effects == ["mail"]


def test_decisions_go_with_a_thread_to_langgraph_and_back(tmp_path):
    saver = InMemorySaver()
    first = GraphThread(two_questions(OURS, checkpointer=saver), "t", by="ada")
    first.run({"n": 0, "items": []})
    first.question.answer("yes")
    saver.begin_once("t", "mail", "me", "2026-11-20T12:00:00+00:00")
    with ForeignSqlite.from_conn_string(str(tmp_path / "theirs.db")) as foreign:
        theirs = two_questions(LANGGRAPH, checkpointer=foreign)
        second = GraphThread.from_bundle(theirs, first.export(), by="ben")
        assert second.question.payload == "q2"
        second.question.answer("no")
        assert second.result["items"] == ["first", "yes", "no", "last"]
        last = InMemorySaver()
        third = GraphThread.from_bundle(two_questions(OURS, checkpointer=last), second.export())
    assert third.result == second.result
    assert [(claim.answer, claim.by) for claim in last.claims("t")] == [("yes", "ada"), ("no", "ben")]
    assert [entry.key for entry in last.once_entries("t")] == ["mail"]


def test_what_cannot_be_moved_is_said():
    theirs = two_questions(LANGGRAPH, checkpointer=LANGGRAPH.InMemorySaver())
    ours = two_questions(OURS, checkpointer=InMemorySaver())
    for graph in (theirs, ours):
        with pytest.raises(StoreError, match="no thread 't' to export"):
            GraphThread(graph, "t").export()
    ours.invoke({"n": 0, "items": []}, CONFIG)
    bundle = GraphThread(ours, "t").export()
    GraphThread.from_bundle(theirs, bundle)
    with pytest.raises(BundleError, match="replace=True"):
        GraphThread.from_bundle(theirs, bundle)
    with pytest.raises(TypeError, match=r"LangGraph has compiled: GraphThread\.from_bundle"):
        GraphThread.from_bundle(two_questions(OURS, checkpointer=LANGGRAPH.InMemorySaver()), bundle)
    with pytest.raises(BundleError, match="replace=True"):
        GraphThread.from_bundle(ours, bundle)
    pickling = LANGGRAPH.InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=True))
    theirs = two_questions(LANGGRAPH, checkpointer=pickling)
    theirs.invoke({"n": 0, "items": [Thing()]}, CONFIG)
    with pytest.raises(UnsupportedValue, match=r"the input of the run.*class .*Thing is not stored as data"):
        GraphThread(theirs, "t").export()
