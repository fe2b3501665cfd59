"""Graphs on LangGraph's SQLite savers: claims and effects are kept in a file beside theirs, for all kernels."""

from __future__ import annotations

import asyncio
import operator
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypedDict

import aiosqlite
import langgraph.graph
import langgraph.types
import pytest
from langgraph.checkpoint.memory import InMemorySaver as ForeignMemory
from langgraph.checkpoint.sqlite import SqliteSaver as ForeignSqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver as ForeignAsyncSqlite

import nbhitl.graph
import nbhitl.types
from nbhitl import once
from nbhitl.checkpoint.companion import companion_of, existing_companion
from nbhitl.checkpoint.records import ClaimRequest, PauseRecord, QuestionRecord
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, InvalidAnswer, ReviewError, StoreError
from nbhitl.thread import GraphThread

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
ENGINES = {"langgraph": (langgraph.graph, langgraph.types), "nbhitl": (nbhitl.graph, nbhitl.types)}
BOTH = pytest.mark.parametrize("engine", ENGINES)


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


class Kernel:
    """A graph on a saver of its own, as a process of its own would have it."""

    def __init__(self, engine: str, saver: Any, effects: list[Any], **how: Any) -> None:
        graphs, types = ENGINES[engine]
        self.types, self.effects, self.saver = types, effects, saver
        self.gate = threading.Event()
        self.gate.set()
        self.running = threading.Event()
        self.fails = False
        builder = graphs.StateGraph(State)
        builder.add_node("review", self.review)
        builder.add_edge(graphs.START, "review")
        self.graph = builder.compile(checkpointer=saver, **how)

    def review(self, state: State) -> dict[str, Any]:
        answer = self.types.interrupt({"question": "go?", "options": ["go", "stop"]})
        self.running.set()
        assert self.gate.wait(20)
        if self.fails:
            raise RuntimeError("the node broke")
        self.effects.append(answer)
        return {"log": [answer]}

    def thread(self, **how: Any) -> GraphThread:
        return GraphThread(self.graph, "t", **how)


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "threads.db")


@pytest.fixture
def savers(file):
    with ForeignSqlite.from_conn_string(file) as one, ForeignSqlite.from_conn_string(file) as other:
        yield one, other


@pytest.fixture
def effects():
    return []


@pytest.fixture(params=ENGINES)
def kernels(request, savers, effects):
    first, second = (Kernel(request.param, saver, effects) for saver in savers)
    first.graph.invoke({"log": []}, CONFIG)
    return first, second


def states(saver: Any) -> list[tuple[str, Any, Any]]:
    return [(claim.state, claim.answer, claim.by) for claim in companion_of(saver).claims("t")]


def test_the_second_is_told_who_answers(kernels, effects):
    first, second = kernels
    ada, ben = first.thread(by="ada"), second.thread(by="ben")
    cards = ada.question, ben.question
    first.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(cards[0].option, "go")
        assert first.running.wait(20)
        with pytest.raises(AlreadyAnswered, match="ada"):
            cards[1].option("stop")
        first.gate.set()
        running.result(20)
    assert effects == ["go"]
    assert states(first.saver) == states(second.saver) == [("applied", "go", "ada")]
    ben.refresh()
    assert ben.result == {"log": ["go"]}


def test_of_many_at_once_one_wins(kernels, effects):
    first, second = kernels
    threads = [kernel.thread(by=f"{number}") for number, kernel in enumerate((first, second))]
    cards = [thread.question for thread in threads]
    gate = threading.Barrier(2)

    def answer(number: int) -> Any:
        gate.wait(20)
        try:
            cards[number].option(("go", "stop")[number])
        except ReviewError as error:
            return error
        return "won"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(answer, range(2)))
    assert results.count("won") == 1
    assert effects == [("go", "stop")[results.index("won")]]
    assert [state for state, _, _ in states(first.saver)] == ["applied"]


@BOTH
async def test_async_savers_share_the_file_too(engine, file, effects):
    async with (
        ForeignAsyncSqlite.from_conn_string(file) as one,
        ForeignAsyncSqlite.from_conn_string(file) as other,
    ):
        first, second = (Kernel(engine, saver, effects) for saver in (one, other))
        await first.graph.ainvoke({"log": []}, CONFIG)
        ada, ben = first.thread(by="ada"), second.thread(by="ben")
        for thread in (ada, ben):
            await thread.arefresh()
        first.gate.clear()
        ada.question.option("go")
        while not first.running.is_set():
            await asyncio.sleep(0.01)
        ben.question.option("stop")
        while ben.session.cards[0].state == "sending":
            await asyncio.sleep(0.01)
        assert "answered by ada" in repr(ben.session.cards[0])
        first.gate.set()
        await ada.decided()
        assert effects == ["go"]
        assert states(one) == states(other) == [("applied", "go", "ada")]


@BOTH
def test_breakpoints_are_passed_once(engine, savers, effects):
    graphs, _ = ENGINES[engine]
    gate, running = threading.Event(), threading.Event()

    def work(state: State) -> dict[str, Any]:
        running.set()
        assert gate.wait(20)
        effects.append("ran")
        return {"log": ["ran"]}

    compiled = []
    for saver in savers:
        builder = graphs.StateGraph(State)
        builder.add_node("work", work)
        builder.add_edge(graphs.START, "work")
        compiled.append(builder.compile(checkpointer=saver, interrupt_before=["work"]))
    compiled[0].invoke({"log": []}, CONFIG)
    ada, ben = (GraphThread(graph, "t", by=by) for graph, by in zip(compiled, ("ada", "ben"), strict=True))
    cards = ada.question, ben.question
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cards[0].approve)
        assert running.wait(20)
        with pytest.raises(AlreadyAnswered, match="ada"):
            cards[1].approve()
        gate.set()
        first.result(20)
    assert effects == ["ran"]
    assert [state for state, _, _ in states(savers[0])] == ["applied"]


def test_what_a_killed_kernel_took_up_is_in_doubt_and_can_be_sent_again(kernels, effects):
    first, second = kernels
    card = first.thread(by="ada").question
    companion = companion_of(first.saver)
    place = ("t", "", card.question.checkpoint_id)
    request = ClaimRequest(
        *place, {card.question.id: "go"}, {}, "ada", datetime.now(UTC).isoformat(), "gone", 60.0
    )
    thread = second.thread(by="ben")
    shown = thread.question
    # As the kernel would have done before it died: asked for, claimed, and nothing more.
    asked = QuestionRecord(
        card.question.id, card.question.task_id, "review", "interrupt", None, "", request.at
    )
    companion.put_pause(PauseRecord(*place, [], [asked]))
    companion.claim(request)
    with pytest.raises(AlreadyAnswered, match="ada"):
        shown.option("stop")
    later = second.thread(by="ben", clock=lambda: datetime.now(UTC) + timedelta(seconds=90))
    assert later.questions == []
    assert "answered by ada" in later.session.error
    later.retry()
    assert effects == ["go"]
    assert later.result == {"log": ["go"]}
    assert [state for state, _, _ in states(first.saver)] == ["applied"]


def test_a_node_that_fails_leaves_no_doubt(kernels, effects):
    first, second = kernels
    first.fails = True
    with pytest.raises(RuntimeError, match="broke"):
        first.thread(by="ada").question.option("go")
    assert states(first.saver) == [("delivered", "go", "ada")]
    assert companion_of(first.saver).claims("t")[0].lease_until is None
    thread = second.thread(by="ben")
    thread.run()
    assert thread.result == {"log": ["go"]}
    assert effects == ["go"]
    assert [state for state, _, _ in states(first.saver)] == ["applied"]


@BOTH
def test_a_refused_answer_opens_the_question_again(engine, savers, effects):
    graphs, types = ENGINES[engine]
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

    def review(state: State) -> dict[str, Any]:
        return {"log": [types.interrupt("n?", response_schema=schema)]}

    builder = graphs.StateGraph(State)
    builder.add_node("review", review)
    builder.add_edge(graphs.START, "review")
    thread = GraphThread(builder.compile(checkpointer=savers[0]), "t")
    thread.run({"log": []})
    with pytest.raises(InvalidAnswer):
        thread.question.answer({"n": "text"})
    thread.question.answer({"n": 1})
    assert thread.result == {"log": [{"n": 1}]}
    assert [state for state, _, _ in states(savers[0])] == ["applied"]


@BOTH
def test_langgraphs_file_is_left_alone(engine, savers, file, tmp_path, effects):
    kernel = Kernel(engine, savers[0], effects)
    thread = kernel.thread()
    thread.run({"log": []})
    assert existing_companion(savers[0]) is None
    thread.question.option("go")
    with closing(sqlite3.connect(file)) as opened:
        tables = {name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"checkpoints", "writes"}
    assert (tmp_path / "threads.db.nbhitl").exists()
    thread.run({"log": []}, restart=True)
    assert states(savers[0]) == []


@BOTH
def test_beside_a_saver_in_memory_there_is_no_file(engine, tmp_path, effects, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ForeignSqlite.from_conn_string(":memory:") as in_memory:
        for saver in (ForeignMemory(), in_memory):
            kernel = Kernel(engine, saver, effects)
            kernel.thread().run({"log": []})
            kernel.thread(by="ada").question.option("go")
            assert states(saver) == [("applied", "go", "ada")]
    assert list(tmp_path.iterdir()) == []


@BOTH
def test_an_effect_happens_once_for_all_kernels(engine, savers, effects):
    graphs, types = ENGINES[engine]

    def review(state: State) -> dict[str, Any]:
        number = once("mail", lambda: effects.append("mail") or len(effects))
        return {"log": [number, types.interrupt("go?")]}

    threads = []
    for saver in savers:
        builder = graphs.StateGraph(State)
        builder.add_node("review", review)
        builder.add_edge(graphs.START, "review")
        threads.append(GraphThread(builder.compile(checkpointer=saver), "t"))
    threads[0].run({"log": []})
    threads[1].question.answer("yes")
    assert threads[1].result == {"log": [1, "yes"]}
    assert effects == ["mail"]


def test_a_connection_that_is_closed_is_named(tmp_path):
    conn = sqlite3.connect(tmp_path / "a.db")
    conn.close()
    with pytest.raises(StoreError, match="Keep it open"):
        companion_of(ForeignSqlite(conn))


async def test_an_aiosqlite_connection_that_is_not_open_is_named(file):
    with pytest.raises(StoreError, match="await it first"):
        companion_of(ForeignAsyncSqlite(aiosqlite.connect(file)))


def test_an_answer_whose_lease_is_over_is_in_doubt(savers):
    companion = companion_of(savers[0])
    now = datetime.now(UTC)
    asked = QuestionRecord("q", "task", "review", "interrupt", None, "", now.isoformat())
    companion.put_pause(PauseRecord("t", "", "c", [], [asked]))
    request = ClaimRequest("t", "", "c", {"q": 1}, {}, "ada", now.isoformat(), "gone", 0.0)
    companion.claim(request)
    later = ClaimRequest("t", "", "c", {"q": 2}, {}, "ben", (now + timedelta(1)).isoformat(), "me", 1.0)
    with pytest.raises(AnswerInDoubt, match="ada"):
        companion_of(savers[1]).claim(later)
