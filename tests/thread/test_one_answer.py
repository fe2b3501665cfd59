"""Several questions, and several answers to one question: one counts, and the others are told."""

from __future__ import annotations

import threading
import time

import pytest

from nbhitl.errors import (
    AlreadyAnswered,
    ReviewError,
    StaleQuestion,
)
from nbhitl.review.ask import ask
from nbhitl.thread import GraphThread

from .asking import asking


def test_questions_of_one_node_come_one_after_the_other(lib, build):
    def node(state):
        return {"log": [lib.interrupt("first"), lib.interrupt("second")]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    thread.respond(1)
    assert (thread.question.text, thread.question.label) == ("second", "q2")
    thread.respond(2)
    assert thread.result["log"] == [1, 2]
    assert [card.state for card in thread.session.cards] == ["decided", "decided"]


def test_parallel_questions_in_any_order(lib):
    from .conftest import State

    def node(name):
        return lambda state: {"log": [lib.interrupt(name)]}

    builder = lib.StateGraph(State)
    for name in ("a", "b"):
        builder.add_node(name, node(name)).add_edge(lib.START, name)
    thread = GraphThread(builder.compile(checkpointer=lib.InMemorySaver()), "t")
    thread.run({"log": []})
    a, b = thread.questions
    with pytest.raises(ReviewError, match="2 questions are open"):
        thread.question
    b.respond("B")
    assert [card.text for card in thread.questions] == ["a"]
    a.respond("A")
    assert thread.result["log"] == ["A", "B"]


def test_a_question_in_a_subgraph(lib, build):
    from .conftest import State

    child = lib.StateGraph(State).add_node("inner", asking(lib, "inner?")).add_edge(lib.START, "inner")
    thread = GraphThread(build(child=child.compile()), "t", replies={"child/inner": {"approve": "yes"}})
    thread.run({"log": []})
    assert thread.question.node == "child/inner"
    thread.approve()
    assert thread.result["log"] == ["yes"]


def test_thirty_two_threads_have_one_effect(lib, build):
    effects = []

    def slow(state):
        answer = lib.interrupt({"question": "go?", "options": ["go", "stop"]})
        time.sleep(0.05)
        effects.append(answer)
        return {"log": [answer]}

    graph = build(review=slow)
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    card = thread.question
    other = GraphThread(graph, "t").question
    errors: list[BaseException] = []
    barrier = threading.Barrier(32)

    def press(number):
        barrier.wait()
        try:
            (card if number % 2 else other).option("go")
        except ReviewError as error:
            errors.append(error)

    pressed = [threading.Thread(target=press, args=(n,)) for n in range(32)]
    for one in pressed:
        one.start()
    for one in pressed:
        one.join(30)
    assert effects == ["go"]
    assert thread.result["log"] == ["go"]
    # The cards of one session agree; of the two sessions one is told that the other was first.
    assert all(isinstance(error, (AlreadyAnswered, ReviewError)) for error in errors)


def test_a_click_and_a_call_at_once(lib, build):
    effects = []
    thread = GraphThread(build(review=asking(lib, {"question": "go?", "options": ["go"]}, effects)), "t")
    thread.run({"log": []})
    card = thread.question
    card.option("go", wait=False)
    card.option("go")
    assert effects == ["go"]
    assert thread.session.state == "finished"


def test_another_answer_is_told_who_won(lib, build):
    thread = GraphThread(
        build(review=asking(lib, {"question": "go?", "options": ["go", "stop"]})), "t", by="ada"
    )
    thread.run({"log": []})
    card = thread.question
    card.option("go")
    with pytest.raises(AlreadyAnswered, match="by ada at 20") as caught:
        card.option("stop")
    assert caught.value.by == "ada"


def test_another_session_is_told_who_won(lib, build):
    graph = build(review=asking(lib, {"question": "go?", "options": ["go", "stop"]}))
    first, second = GraphThread(graph, "t", by="ada"), GraphThread(graph, "t", by="ben")
    first.run({"log": []})
    card = second.question
    first.option("go")
    with pytest.raises(AlreadyAnswered, match="answered by ada"):
        card.option("stop")
    assert card.state == "stale"
    second.refresh()
    assert second.result["log"] == ["go"]


def test_a_changed_question_is_stale_and_nothing_runs(lib, build):
    effects = []

    def pay(state):
        answer = lib.interrupt({"question": "pay?", "options": ["yes", "no"], "amount": state["amount"]})
        effects.append((answer, state["amount"]))
        return {"log": [answer]}

    graph = build(plan=lambda s: {"log": ["planned"]}, pay=pay)
    thread = GraphThread(graph, "t")
    thread.run({"log": [], "amount": 10})
    card = thread.question
    graph.update_state(thread.config, {"amount": 1_000_000}, as_node="plan")
    with pytest.raises(StaleQuestion):
        card.option("yes")
    assert effects == []
    assert card.state == "stale"
    card.ask_again()
    assert thread.question.details == {"amount": 1_000_000}
    assert effects == []
    thread.option("no")
    assert effects == [("no", 1_000_000)]


def test_ask_returns_a_decision(lib, build):
    seen = []

    def node(state):
        decision = ask(
            "Delete?",
            action="run_sql",
            args={"sql": "DELETE", "limit": 5},
            table=[{"id": 1}, {"id": 2}],
            details={"database": "x.db"},
            reasons=["too many"],
        )
        seen.append(decision)
        return {"log": [decision.kind]}

    graph = build(review=node)
    for number, decide in enumerate(
        (
            lambda t: t.approve(),
            lambda t: t.edit(limit=3),
            lambda t: t.edit({"sql": "SELECT", "limit": 1}),
            lambda t: t.reject("too many"),
        )
    ):
        thread = GraphThread(graph, f"t{number}")
        thread.run({"log": []})
        assert thread.question.tables[0].rows == ((1,), (2,))
        decide(thread)
    assert [d.args for d in seen] == [
        {"sql": "DELETE", "limit": 5},
        {"sql": "DELETE", "limit": 3},
        {"sql": "SELECT", "limit": 1},
        None,
    ]
    assert [d.approved for d in seen] == [True, True, True, False]
    assert seen[3].rejected
    assert seen[3].reason == "too many"


def test_an_answer_that_ask_does_not_take_is_asked_again(lib, build):
    def node(state):
        return {"log": [ask("Delete?").kind]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    thread.answer("yes please")
    assert "'yes please' is none that ask() takes" in thread.question.problem
    thread.approve()
    assert thread.result["log"] == ["approve"]


def test_ask_outside_of_a_node():
    with pytest.raises(RuntimeError, match="needs a running node"):
        ask("Delete?")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"allow": ["aprove"]}, "takes a list of decisions, of: 'approve', 'edit'"),
        ({"allow": "approve"}, "takes a list of decisions"),
        ({"allow": []}, "takes a list of decisions"),
        ({"args": [1]}, r"ask\(args=\[1\]\): arguments are a dict"),
        ({"action": "pay"}, "needs args="),
    ],
)
def test_ask_refuses_a_question_that_no_card_could_show(given, says):
    with pytest.raises(ValueError, match=says):
        ask("q", **given)
