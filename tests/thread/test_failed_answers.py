"""Answers that are refused, that a node fails after, or that nobody reports back of."""

from __future__ import annotations

import time

import pytest

from nbhitl.errors import (
    InvalidAnswer,
    NotAnswered,
    QuestionChanged,
    ReviewError,
    StaleQuestion,
)
from nbhitl.thread import GraphThread

from .asking import asking


def test_a_node_that_fails_after_the_answer_can_be_retried(lib, build):
    broken = [True]

    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        if broken[0]:
            raise ValueError("no such table")
        return {"log": [answer]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="no such table"):
        card.option("go")
    assert (card.state, card.error) == ("failed", "ValueError: no such table")
    assert thread.questions == []
    with pytest.raises(NotAnswered, match="no such table"):
        thread.result
    broken[0] = False
    card.retry()
    assert card.state == "decided"
    assert thread.result["log"] == ["go"]


def test_a_failed_question_can_be_answered_anew(lib, build):
    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        if answer == "go":
            raise ValueError("boom")
        return {"log": [answer]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="boom"):
        card.option("go")
    card.ask_again()
    assert thread.question is not card
    assert thread.question.label == "q2"
    thread.option("stop")
    assert thread.result["log"] == ["stop"]
    assert card.state == "stale"
    with pytest.raises(ReviewError):
        card.retry()


def test_a_retry_after_a_fork_says_that_the_thread_has_gone_on(lib, build):
    ran = []

    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        ran.append(answer)
        raise ValueError("boom")

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="boom"):
        card.option("go")
    thread.fork(thread.history().index[-1])
    with pytest.raises(
        StaleQuestion, match=r"answered here, its node failed, and the thread has gone on since\. Nothing"
    ):
        card.retry()
    assert ran == ["go"]
    assert (card.state, thread.question.label) == ("stale", "q2")


def test_a_node_that_fails_later(lib, build):
    broken = [True]

    def later(state):
        if broken[0]:
            raise ValueError("later")
        return {"log": ["later"]}

    thread = GraphThread(build(review=asking(lib, "ok?"), later=later), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="later"):
        thread.respond("yes")
    broken[0] = False
    thread.run()
    assert thread.result["log"] == ["yes", "later"]
    assert card.decision.value == "yes"


def test_an_error_in_a_click_is_on_the_card(lib, build):
    def node(state):
        lib.interrupt({"question": "go?", "options": ["go"]})
        raise ValueError("<script>boom</script>")

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    card.option("go", wait=False)
    assert card.wait_settled(10)
    assert card.state == "failed"
    assert "<script>boom</script>" in card.error


def test_a_bad_answer_leaves_the_question_open(lib, build):
    thread = GraphThread(build(review=asking(lib, {"question": "go?", "options": ["go"]})), "t")
    thread.run({"log": []})
    thread.question.option("fly", wait=False)
    assert "'fly' is not an option" in thread.question.error
    with pytest.raises(InvalidAnswer):
        thread.option("fly")
    thread.option("go")
    assert thread.result["log"] == ["go"]


def test_the_graph_may_refuse_an_answer_and_the_question_stays_open(lib, build):
    from pydantic import BaseModel, field_validator

    class Count(BaseModel):
        n: int

        @field_validator("n")
        @classmethod
        def even(cls, n: int) -> int:
            if n % 2:
                raise ValueError("must be even")
            return n

    def node(state):
        return {"log": [lib.interrupt("How many?", response_schema=Count).n]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(InvalidAnswer, match="must be even"):
        card.answer({"n": 3})
    assert card.state == "open"
    assert "must be even" in card.error
    card.answer({"n": 4})
    assert thread.result["log"] == [4]


def test_a_failed_answer_is_not_open_in_another_session(lib, build):
    broken = [True]

    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        if broken[0]:
            raise ValueError("boom")
        return {"log": [answer]}

    graph = build(review=node)
    first = GraphThread(graph, "t")
    first.run({"log": []})
    with pytest.raises(ValueError, match="boom"):
        first.option("go")
    second = GraphThread(graph, "t")
    assert second.questions == []
    assert second.session.state == "failed"
    assert "boom" in second.session.error
    broken[0] = False
    second.run()
    assert second.result["log"] == ["go"]


@pytest.mark.parametrize("earlier", [False, True])
def test_the_stop_button_during_an_answer(lib, build, earlier):
    stopping = [True]

    def node(state):
        first = lib.interrupt("first") if earlier else None
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        if stopping[0]:
            raise KeyboardInterrupt
        return {"log": [first, answer]}

    graph = build(review=node)
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    if earlier:
        thread.respond("1")
    card = thread.question
    with pytest.raises(KeyboardInterrupt):
        card.option("go")
    assert card.state == "failed"
    again = GraphThread(graph, "t")
    assert again.questions == []
    assert "KeyboardInterrupt" in again.session.error
    stopping[0] = False
    card.retry()
    assert thread.result["log"] == ["1" if earlier else None, "go"]


def test_an_answer_of_a_killed_kernel_is_in_doubt(lib, build):
    if lib.name != "langgraph":
        pytest.skip("nbhitl's own claims are tested with the stores")
    graph = build(review=asking(lib, {"question": "go?", "options": ["go", "stop"]}))
    GraphThread(graph, "t").run({"log": []})
    snapshot = graph.get_state({"configurable": {"thread_id": "t"}})
    # What the kernel had saved of the answer when it was killed.
    graph.checkpointer.put_writes(snapshot.config, [("__resume__", ["go"])], snapshot.tasks[0].id)
    thread = GraphThread(graph, "t")
    assert thread.questions == []
    assert "in doubt" in thread.session.error
    with pytest.raises(NotAnswered, match="in doubt"):
        thread.result
    thread.fork("cp2")
    thread.option("stop")
    assert thread.result["log"] == ["stop"]


def test_a_question_that_changes_between_runs_is_not_answered(build):
    from .engines import library

    runs = []

    def node(state):
        runs.append(1)
        return {"log": [library("nbhitl").interrupt({"question": f"{len(runs)}?", "options": ["go"]})]}

    lib = library("nbhitl")
    builder = lib.StateGraph(dict).add_node("review", node).add_edge(lib.START, "review")
    thread = GraphThread(builder.compile(checkpointer=lib.InMemorySaver()), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(QuestionChanged):
        card.option("go")
    assert card.state == "failed"
    card.ask_again()
    assert thread.question.text == "3?"


def test_an_answer_that_the_store_can_not_hold_leaves_the_question_open(build):
    from .engines import library

    lib = library("nbhitl")
    builder = lib.StateGraph(dict).add_node("review", asking(lib, "ok?")).add_edge(lib.START, "review")
    thread = GraphThread(builder.compile(checkpointer=lib.InMemorySaver()), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(TypeError):
        card.answer(object())
    assert card.state == "open"
    card.answer("yes")
    assert thread.result == {"log": ["yes"]}


def test_a_double_click_on_ask_again_forks_once(lib, build):
    def node(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        time.sleep(0.05)
        if answer == "go":
            raise ValueError("boom")
        return {"log": [answer]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="boom"):
        card.option("go")
    with thread.session.courier.flows.shared.running:
        card.ask_again(wait=False)
        with pytest.raises(ReviewError, match="being asked anew already"):
            card.ask_again(wait=False)
    deadline = time.monotonic() + 10
    while card.state != "stale" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [c.label for c in thread.questions] == ["q2"]
    assert sum(s.metadata["source"] == "fork" for s in thread.graph.get_state_history(thread.config)) == 1
