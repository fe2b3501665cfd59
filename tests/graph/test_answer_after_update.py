"""A plain answer after `update_state`: for the question of before, if it is still asked, and once."""

from __future__ import annotations

from threading import Barrier, Event, Thread
from typing import Any

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import AlreadyAnswered, InvalidAnswer, UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .asking import CONFIG, State


class Payment:
    """Asks before it pays; `asked` is what it asks, given the state."""

    def __init__(self, asked: Any = lambda state: "pay?") -> None:
        self.asked = asked
        self.paid: list[Any] = []

    def __call__(self, state: State) -> State:
        answer = interrupt(self.asked(state))
        self.paid.append(answer)
        return {"log": [answer]}


def changed(payment: Any, saver: Any = None) -> Any:
    builder = StateGraph(State).add_node("before", lambda state: {"log": ["before"]})
    builder.add_node("pay", payment).add_edge(START, "before").add_edge("before", "pay")
    graph = builder.compile(checkpointer=saver or InMemorySaver())
    graph.invoke({"log": []}, CONFIG)
    graph.update_state(CONFIG, {"log": ["changed"]})
    return graph


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_the_question_of_before_gets_the_answer(kind: str, tmp_path: Any) -> None:
    payment = Payment()
    with SqliteSaver.from_conn_string(str(tmp_path / "t.db")) as sqlite:
        graph = changed(payment, sqlite if kind == "sqlite" else InMemorySaver())
        assert graph.invoke(Command(resume="yes"), CONFIG) == {"log": ["before", "changed", "yes"]}
        with pytest.raises(UnknownInterruptError):
            graph.invoke(Command(resume="yes"), CONFIG)
        assert payment.paid == ["yes"]


def test_something_else_is_asked_anew() -> None:
    payment = Payment(asked=lambda state: len(state["log"]))
    graph = changed(payment)
    result = graph.invoke(Command(resume="yes"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == [2]
    assert payment.paid == []
    assert [question.value for question in graph.get_state(CONFIG).interrupts] == [2]
    assert graph.invoke(Command(resume="now"), CONFIG)["log"][-1] == "now"


def test_whoever_switched_the_check_off_gets_it_all_the_same() -> None:
    payment = Payment(asked=lambda state: len(state["log"]))
    graph = changed(payment)
    unchecked = {"configurable": {**CONFIG["configurable"], "replay_check": "off"}}
    assert graph.invoke(Command(resume="yes"), unchecked)["log"][-1] == "yes"


def test_of_two_answers_one_counts() -> None:
    payment = Payment()
    graph = changed(payment)
    gate, refused = Barrier(2), []

    def click(answer: str) -> None:
        gate.wait(10)
        try:
            graph.invoke(Command(resume=answer), CONFIG)
        except (AlreadyAnswered, UnknownInterruptError) as error:
            refused.append(error)

    clicks = [Thread(target=click, args=(answer,)) for answer in ("yes", "no")]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join(10)
    assert len(payment.paid) == 1
    assert len(refused) == 1


def test_a_node_that_fails_after_the_answer_is_tried_again_with_it() -> None:
    payment = Payment()
    graph = changed(payment)
    payment.paid = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        graph.invoke(Command(resume="yes"), CONFIG)
    payment.paid = []
    assert graph.invoke(None, CONFIG)["log"][-1] == "yes"


def test_after_several_changes_it_is_still_the_question_of_before() -> None:
    graph = changed(Payment())
    graph.update_state(CONFIG, {"log": ["again"]})
    assert graph.invoke(Command(resume="yes"), CONFIG) == {"log": ["before", "changed", "again", "yes"]}


def test_an_answer_that_does_not_fit_the_schema_of_before_is_refused() -> None:
    started = []

    def asks(state: State) -> State:
        started.append(len(state["log"]))
        return {"log": [interrupt("how many?", response_schema={"type": "integer"})]}

    graph = changed(asks)
    for _ in range(2):
        with pytest.raises(InvalidAnswer, match="'many' is not of type 'integer'"):
            graph.invoke(Command(resume="many"), CONFIG)
    assert started == [1]
    assert graph.invoke(Command(resume=3), CONFIG)["log"][-1] == 3


def test_an_answer_by_an_id_of_before_asks_nothing_on_the_branch() -> None:
    payment = Payment()
    graph = changed(payment)
    (before,) = next(state for state in graph.get_state_history(CONFIG) if state.interrupts).interrupts
    for id in (before.id, "0" * 32):
        with pytest.raises(UnknownInterruptError):
            graph.invoke(Command(resume={id: "yes"}), CONFIG)
        assert graph.get_state(CONFIG).interrupts == ()
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"][-1] == "yes"


def test_the_second_question_of_a_node_that_starts_anew_is_asked_after_the_first() -> None:
    """Although its words are the same: what was answered last is not what is asked first."""

    def asks(state: State) -> State:
        return {"log": [interrupt("sure?"), interrupt("sure?")]}

    builder = StateGraph(State).add_node("asks", asks).add_edge(START, "asks")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({"log": []}, CONFIG)
    graph.invoke(Command(resume="first"), CONFIG)
    graph.update_state(CONFIG, {"log": ["changed"]})
    result = graph.invoke(Command(resume="second"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["sure?"]
    for answer in ("one", "two"):
        result = graph.invoke(Command(resume=answer), CONFIG)
    assert result["log"] == ["changed", "one", "two"]


def test_where_tasks_have_run_since_the_change_the_question_of_before_is_not_meant() -> None:
    failing: list[bool] = []
    begun = Event()

    def asks(state: State) -> State:
        if failing:
            assert begun.wait(10)  # what has not begun when a task fails does not run
            raise OSError("no space")
        return {"log": [interrupt("pay?")]}

    def works(state: State) -> State:
        begun.set()
        return {"log": ["works"]}

    builder = StateGraph(State).add_node("before", lambda state: {}).add_edge(START, "before")
    for name, node in {"asks": asks, "works": works}.items():
        builder.add_node(name, node).add_edge("before", name)
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({"log": []}, CONFIG)
    graph.update_state(CONFIG, {"log": ["changed"]}, as_node="before")
    failing.append(True)
    begun.clear()
    with pytest.raises(OSError, match="no space"):
        graph.invoke(None, CONFIG)
    failing.clear()
    with pytest.raises(UnknownInterruptError, match="no question is open"):
        graph.invoke(Command(resume="yes"), CONFIG)
    assert [question.value for question in graph.invoke(None, CONFIG)["__interrupt__"]] == ["pay?"]
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"] == ["changed", "yes", "works"]
