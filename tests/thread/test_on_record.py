"""What was decided in other kernels, and before this one was started: told as the store has it."""

from __future__ import annotations

import operator
from datetime import date
from typing import Annotated, Any, TypedDict

import pytest

from nbhitl.review.ask import ask
from nbhitl.thread import GraphThread

from .engines import library

pytest.importorskip("pandas")

ASKED = {
    "approve": lambda: ask("Run?", action="run", args={"n": 1}),
    "edit": lambda: ask("Run?", action="run", args={"n": 1}),
    "reject": lambda: ask("Run?", action="run", args={"n": 1}),
    "respond": lambda: ask("Who?", allow=["respond"]),
    "option": lambda: ask("Which?", options={"small": 1, "large": 2}),
}
GIVEN = {
    "approve": ((), "approved"),
    "edit": (({"n": 5},), "approved with 1 change"),
    "reject": (("too many",), "rejected: too many"),
    "respond": (("Ann",), "answered Ann"),
    "option": ((2,), "chose 2"),
}


def told(thread: GraphThread) -> tuple[list[str], list[dict[str, Any]]]:
    """The answers that a thread's history tells, and the rows of its decisions, without who and when."""
    decided = thread.decisions().to_dict("records")
    return [answer for answer in thread.history()["answer"] if answer], decided


@pytest.mark.parametrize("kind", ASKED)
def test_a_new_kernel_tells_what_the_one_told_that_decided(build, kind):
    graph = build(review=lambda state: {"log": [ASKED[kind]().kind]})
    thread = GraphThread(graph, "t", by="ann")
    thread.run({"log": []})
    given, line = GIVEN[kind]
    getattr(thread, kind)(*given)
    assert told(thread)[0] == [line]
    later = GraphThread(graph, "t", by="ben")
    assert told(later) == told(thread)
    ids = later.decisions(ids=True).iloc[0]
    assert (ids["by"], ids["digest"]) == ("ann", thread.session.cards[0].question.digest)
    assert ids["waited"] >= 0


@pytest.mark.parametrize("value", ["yes", {"type": "accept"}, None, 3])
def test_an_answer_of_no_known_form_is_told_as_it_is(lib, build, value):
    graph = build(review=lambda state: {"log": [lib.interrupt({"send to": "a"})]})
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    thread.answer(value)
    assert told(GraphThread(graph, "t")) == told(thread)
    assert thread.decisions()["answer"].tolist() == [value]


def test_an_answer_that_is_no_json_is_told_too(lib, build):
    graph = build(review=lambda state: {"log": [lib.interrupt("which day?")]})
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    graph.invoke(lib.Command(resume=date(2026, 1, 2)), thread.config)
    # LangGraph keeps no record of what it was answered.
    line = "answered 2026-01-02" if lib.name == "nbhitl" else "answered"
    assert told(GraphThread(graph, "t"))[0] == [line]


def test_a_choice_of_options_of_ones_own_is_told_as_that(lib, build):
    graph = build(
        review=lambda state: {"log": [lib.interrupt({"question": "go?", "options": ["go", "stop"]})]}
    )
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    thread.option("stop")
    assert told(GraphThread(graph, "t")) == told(thread) == (["chose stop"], told(thread)[1])


def test_decisions_of_several_kernels_stand_in_the_order_of_deciding(build):
    graph = build(review=lambda state: {"log": [ask("first?").kind, ask("second?").kind, ask("third?").kind]})
    ann, ben = GraphThread(graph, "t", by="ann"), GraphThread(graph, "t", by="ben")
    ann.run({"log": []})
    ann.approve()
    ben.reject("no")
    ann.refresh()
    ann.approve()
    for thread in (ann, ben, GraphThread(graph, "t")):
        decided = thread.decisions(ids=True)
        assert decided["question"].tolist() == ["first?", "second?", "third?"]
        assert decided["by"].tolist() == ["ann", "ben", "ann"]
        assert told(thread)[0] == ["approved | rejected: no | approved"]


def test_a_fork_asks_anew_and_both_answers_stay(build):
    graph = build(review=lambda state: {"log": [ask("go?").kind]})
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    thread.approve()
    GraphThread(graph, "t").fork("cp2")
    GraphThread(graph, "t").reject()
    assert told(GraphThread(graph, "t"))[0] == ["approved", "rejected"]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_breakpoint_is_told_once(build, verdict):
    graph = build({"interrupt_before": ["pay"]}, plan=lambda state: {}, pay=lambda state: {"log": ["paid"]})
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    getattr(thread, verdict)()
    for each in (thread, GraphThread(graph, "t")):
        assert each.decisions()["kind"].tolist() == [verdict]
        assert len(each.history()["answer"][each.history()["answer"] != ""]) == 1


class State(TypedDict):
    log: Annotated[list[Any], operator.add]


@pytest.mark.parametrize("keeps", [None, True])
def test_the_row_of_the_caller_tells_of_a_called_graphs_question(lib, keeps):
    child = lib.StateGraph(State).add_node("ask", lambda state: {"log": [ask("go?").kind]})
    child = child.add_edge(lib.START, "ask").compile(checkpointer=keeps)
    builder = lib.StateGraph(State).add_node("child", child).add_edge(lib.START, "child")
    graph = builder.compile(checkpointer=lib.InMemorySaver())
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    thread.approve()
    assert told(GraphThread(graph, "t"))[0] == told(thread)[0] == ["approved"]


@pytest.mark.parametrize("target", ["langgraph", "nbhitl"])
def test_decisions_come_along_with_a_bundle(lib, build, target):
    def nodes(on: Any) -> Any:
        builder = on.StateGraph(State).add_node("review", lambda state: {"log": [ask("go?").kind]})
        return builder.add_edge(on.START, "review").compile(checkpointer=on.InMemorySaver())

    thread = GraphThread(nodes(lib), "t")
    thread.run({"log": []})
    thread.reject("no")
    again = GraphThread.from_bundle(nodes(library(target)), thread.export(), thread_id="again")
    assert told(again) == told(thread)
    assert told(again)[0] == ["rejected: no"]


async def test_a_thread_on_an_event_loop_tells_its_own(build):
    graph = build(review=lambda state: {"log": [ask("go?").kind]})
    thread = GraphThread(graph, "t")
    await thread.arun({"log": []})
    thread.approve(wait=False)
    await thread.decided()
    assert thread.decisions()["kind"].tolist() == ["approve"]
