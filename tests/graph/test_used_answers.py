"""What becomes of an answer whose node stops once more: it is used, or it is given back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver as LangGraphsMemory

from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import NodeInterrupt
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .asking import CONFIG, State, asking, graph_of, ids, questions


@pytest.fixture(params=["own", "langgraph"])
def any_saver(request, saver):
    return saver if request.param == "own" else LangGraphsMemory()


def stubborn(state: State) -> State:
    if "set" not in state["log"]:
        raise NodeInterrupt("set it")
    return {"log": ["done"]}


def test_a_node_interrupt_takes_no_answer_and_stays_open(run, any_saver):
    graph = graph_of(stubborn, saver=any_saver)
    run.invoke(graph, {})
    for answer in ("no use", {ids(graph)[0]: "no use"}):
        run.invoke(graph, Command(resume=answer))
        assert questions(graph) == ["set it"]
    assert run.invoke(graph, Command(update={"log": ["set"]})) == {"log": ["set", "done"]}


def test_a_node_interrupt_of_a_called_graph_stays_open_beside_answers_that_are_used(run, any_saver):
    called = StateGraph(State).add_node(stubborn).add_edge(START, "stubborn").compile()

    def caller(state: State) -> Any:
        return {"log": [interrupt("first?"), *called.invoke({"log": list(state["log"])})["log"]]}

    graph = graph_of(caller, saver=any_saver)
    run.invoke(graph, {})
    run.invoke(graph, Command(resume="yes"))
    run.invoke(graph, Command(resume="no use"))
    assert questions(graph) == ["set it"]


def test_at_the_breakpoint_of_a_called_graph_the_answers_before_it_are_used(run, any_saver):
    called = StateGraph(State).add_node("ask", asking("q")).add_edge(START, "ask")
    called = called.add_node("then", lambda state: {"log": ["then"]}).add_edge("ask", "then")
    builder = StateGraph(State).add_node("call", called.compile(interrupt_after=["ask"]))
    graph = builder.add_edge(START, "call").compile(checkpointer=any_saver)
    run.invoke(graph, {})
    run.invoke(graph, Command(resume="yes"))
    assert graph.get_state(CONFIG).next == ("call",)
    assert questions(graph) == []
    assert run.invoke(graph, None) == {"log": ["yes", "then"]}


def test_an_answer_given_with_an_update_that_cannot_be_saved_is_not_used(run, saver):
    graph = graph_of(asking("q"), saver=saver)
    run.invoke(graph, {})
    with pytest.raises(TypeError, match="log"):
        run.invoke(graph, Command(resume="yes", update={"log": [open]}))
    assert questions(graph) == ["q"]
    assert run.invoke(graph, Command(resume="yes")) == {"log": ["yes"]}


def test_an_answer_that_leads_to_a_question_that_cannot_be_saved_is_used_again(run, saver):
    seconds = [open, "sure?"]

    def asks_twice(state: State) -> State:
        return {"log": [interrupt("first?"), interrupt(seconds[0])]}

    graph = graph_of(asks_twice, saver=saver)
    run.invoke(graph, {})
    with pytest.raises(TypeError, match="asks_twice"):
        run.invoke(graph, Command(resume="yes"))
    seconds.pop(0)
    run.invoke(graph, None)
    assert questions(graph) == ["sure?"]
    assert run.invoke(graph, Command(resume="no")) == {"log": ["yes", "no"]}


async def test_a_run_that_is_cancelled_while_it_takes_an_answer_up_gives_it_back(tmp_path):
    async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
        graph = graph_of(asking("q"), saver=saver)
        await graph.ainvoke({}, CONFIG)
        claim, taken = saver.aclaim, asyncio.Event()

        async def slow_claim(request: Any) -> Any:
            claims = await claim(request)
            taken.set()
            await asyncio.sleep(0.01)
            return claims

        saver.aclaim = slow_claim
        run = asyncio.create_task(graph.ainvoke(Command(resume="yes"), CONFIG))
        await taken.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert [question.value for question in (await graph.aget_state(CONFIG)).interrupts] == ["q"]
        assert await graph.ainvoke(Command(resume="no"), CONFIG) == {"log": ["no"]}
