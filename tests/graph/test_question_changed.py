"""An answer is held against what is asked now: to another question it is never delivered."""

from __future__ import annotations

import pytest

from nbhitl.errors import QuestionChanged
from nbhitl.types import Command, interrupt

from .asking import CONFIG, State, asking, graph_of, questions

DRAFTS, PRODUCTION = "delete the drafts?", "delete PRODUCTION?"


def unchecked(how: str) -> dict[str, object]:
    return {"configurable": {"thread_id": "t", "replay_check": how}}


def test_two_swapped_lines_deliver_nothing(run, saver):
    run.invoke(graph_of(asking(DRAFTS, PRODUCTION), saver=saver), {})
    edited = graph_of(asking(PRODUCTION, DRAFTS), saver=saver)
    with pytest.raises(QuestionChanged, match=r"Node 'ask' asks something else.*PRODUCTION") as caught:
        run.invoke(edited, Command(resume="yes"))
    assert caught.value.asked == PRODUCTION
    assert "asking.py:" in str(caught.value)
    assert edited.get_state(CONFIG).values == {"log": []}


def test_two_lines_swapped_after_the_first_answer(run, saver):
    first = graph_of(asking(DRAFTS, PRODUCTION), saver=saver)
    run.invoke(first, {})
    run.invoke(first, Command(resume="yes"))
    edited = graph_of(asking(PRODUCTION, DRAFTS), saver=saver)
    for given in (None, Command(resume="no")):
        with pytest.raises(QuestionChanged):
            run.invoke(edited, given)
    assert edited.get_state(CONFIG).values == {"log": []}


def test_a_line_put_before_the_question(run, saver):
    run.invoke(graph_of(asking(DRAFTS), saver=saver), {})
    with pytest.raises(QuestionChanged):
        run.invoke(graph_of(asking(PRODUCTION, DRAFTS), saver=saver), Command(resume="yes"))


def test_the_same_question_in_other_words_is_another_one(run):
    prices = iter([10, 1_000_000])
    graph = graph_of(paying(prices))
    run.invoke(graph, {})
    with pytest.raises(QuestionChanged, match="1000000"):
        run.invoke(graph, Command(resume="yes"))


def paying(prices):
    def pay(state: State) -> State:
        return {"log": [interrupt({"pay": next(prices)})]}

    return pay


def test_a_node_that_asks_the_old_question_again_gets_its_answer(run, saver):
    """Undoing the edit is a way out: the answer was not lost."""
    original = graph_of(asking(DRAFTS), saver=saver)
    run.invoke(original, {})
    with pytest.raises(QuestionChanged):
        run.invoke(graph_of(asking(PRODUCTION), saver=saver), Command(resume="yes"))
    assert run.invoke(original, None) == {"log": ["yes"]}


def test_another_answer_is_asked_for_on_a_fork(run, saver):
    graph = graph_of(asking(DRAFTS), saver=saver)
    run.invoke(graph, {})
    edited = graph_of(asking(PRODUCTION), saver=saver)
    at_question = edited.get_state(CONFIG).config
    with pytest.raises(QuestionChanged):
        run.invoke(edited, Command(resume="yes"))
    assert [q.value for q in run.invoke(edited, None, at_question)["__interrupt__"]] == [PRODUCTION]
    assert run.invoke(edited, Command(resume="no")) == {"log": ["no"]}


def test_the_check_can_be_left_out_for_payloads_that_always_differ(run):
    graph = graph_of(paying(iter([1, 2])))
    run.invoke(graph, {}, unchecked("off"))
    assert run.invoke(graph, Command(resume="yes"), unchecked("off")) == {"log": ["yes"]}


def test_the_check_can_be_named(run):
    graph = graph_of(paying(iter([1, 2])))
    run.invoke(graph, {}, unchecked("payload"))
    with pytest.raises(QuestionChanged):
        run.invoke(graph, Command(resume="yes"), unchecked("payload"))


def test_an_unknown_check_is_refused(run):
    graph = graph_of(asking(DRAFTS))
    run.invoke(graph, {})
    with pytest.raises(ValueError, match=r"replay_check.*'playload'.*payload.*off"):
        run.invoke(graph, Command(resume="yes"), unchecked("playload"))
    assert questions(graph) == [DRAFTS]


@pytest.mark.parametrize(
    "payload", [{"b": 1, "a": [None, {"x": 1.5}]}, "text", None, ["é", 2**70], (1, 2), {1, 2}]
)
def test_an_equal_payload_is_the_same_question(run, saver, payload):
    def ask(state: State) -> State:
        same = dict(reversed(payload.items())) if isinstance(payload, dict) else payload
        return {"log": [interrupt(same)]}

    graph = graph_of(ask, saver=saver)
    run.invoke(graph, {})
    assert len(questions(graph)) == 1
    assert run.invoke(graph, Command(resume="yes")) == {"log": ["yes"]}


def test_an_answer_with_an_update_may_change_what_is_asked(run):
    def ask(state: State) -> State:
        return {"log": [interrupt(f"go on with {state['log']}?")]}

    graph = graph_of(ask)
    run.invoke(graph, {"log": ["a"]})
    assert run.invoke(graph, Command(resume="yes", update={"log": ["b"]})) == {"log": ["a", "b", "yes"]}
