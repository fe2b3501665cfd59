"""Questions and answers that come in plain form through `put_writes`: entered among the questions and claims."""

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.constants import INTERRUPT, RESUME
from nbhitl.errors import AlreadyAnswered
from nbhitl.types import Interrupt

from .building import Run
from .contract import config

TASK = "id-of-asking"
ASKED = [(INTERRUPT, [Interrupt("Go on?", "q1"), Interrupt("And now?", "q2")])]


def entry(interrupt_id, answer):
    return [interrupt_id, "digest", answer]


class Passed:
    """A thread at whose newest checkpoint a task writes, as a saver of others passes it on."""

    def __init__(self, writes=ASKED, ns=""):
        self.saver = InMemorySaver()
        self.run = Run(self.saver, ns=ns)
        self.run.step({"n": 1})
        self.write(*writes)

    def write(self, *writes, task=TASK):
        self.saver.put_writes(config("t", self.run.head, self.run.ns), list(writes), task)

    def answer(self, *entries):
        self.write((RESUME, list(entries)))

    @property
    def states(self):
        return {claim.interrupt_id: claim.state for claim in self.saver.claims("t")}

    @property
    def answers(self):
        return self.saver.answers_at(*self.run.place()).get(TASK, [])


def test_answers_are_taken_up_one_after_the_other_and_taken_back():
    thread = Passed()
    assert thread.states == {"q1": "open", "q2": "open"}
    thread.answer(entry("q1", "yes"))
    assert thread.states == {"q1": "delivered", "q2": "open"}
    thread.answer(entry("q1", "yes"), entry("q2", "no"))
    assert thread.states == {"q1": "delivered", "q2": "delivered"}
    thread.answer(entry("q1", "yes"))
    assert thread.states == {"q1": "delivered", "q2": "open"}
    assert thread.answers == [entry("q1", "yes")]
    thread.answer()
    assert thread.states == {"q1": "open", "q2": "open"}
    assert thread.answers == []


def test_what_was_answered_here_is_not_taken_back_from_there():
    thread = Passed()
    thread.saver.claim(thread.run.request({"q1": "here"}))
    thread.answer()
    assert thread.states == {"q1": "delivered", "q2": "open"}
    assert thread.answers == [entry("q1", "here")]
    thread.answer(entry("q2", "there"))
    assert thread.states == {"q1": "delivered", "q2": "delivered"}
    assert thread.answers == [entry("q1", "here"), entry("q2", "there")]


def test_what_has_had_its_effect_is_not_taken_back():
    thread = Passed()
    thread.answer(entry("q1", "yes"))
    thread.write(("n", 2))
    assert thread.states == {"q1": "applied", "q2": "open"}
    thread.answer()
    assert thread.states == {"q1": "applied", "q2": "open"}


def test_an_answer_that_is_given_once_more_comes_too_late():
    thread = Passed()
    thread.answer(entry("q1", "yes"))
    with pytest.raises(AlreadyAnswered):
        thread.answer(entry("q1", "no"))
    assert thread.answers == [entry("q1", "yes")]
    thread.answer(entry("q1", "yes"), entry("q2", "yes"))
    with pytest.raises(AlreadyAnswered, match="q2"):  # the last one is what its giver has added
        thread.answer(entry("q1", "yes"), entry("q2", "no"))


NOT_ANSWERS = {
    "LangGraph's form": [(RESUME, ["yes"])],
    "a bare value": [(RESUME, "yes")],
    "entries that are too short": [(RESUME, [["q1", "yes"]])],
    "entries of another kind": [(RESUME, ["q1y"])],
    "a value of the state": [("n", [entry("q1", "yes")])],
    "with a result beside it": [(RESUME, [entry("q1", "yes")]), ("n", 2)],
}


@pytest.mark.parametrize("how", NOT_ANSWERS)
def test_what_is_no_answer_is_a_write(how):
    thread = Passed()
    thread.write(*NOT_ANSWERS[how])
    assert thread.states == {"q1": "open", "q2": "open"}
    found = thread.saver.get_tuple(config("t", thread.run.head))
    written = [(channel, value) for _, channel, value in found.pending_writes if channel != INTERRUPT]
    assert sorted(written, key=repr) == sorted(NOT_ANSWERS[how], key=repr)


def test_an_answer_to_nothing_that_was_asked_is_kept_as_it_comes():
    thread = Passed([("n", 2)])
    thread.answer(entry("unknown", "yes"))
    thread.answer(entry("another", "no"))
    assert thread.states == {}
    assert thread.answers == [entry("unknown", "yes"), entry("another", "no")]


NOT_ASKED = {
    "by a task that has ended": ([*ASKED, ("n", 2)], ""),
    "by a task of a called graph": (ASKED, "child:1"),
    "in a value of the state": ([("n", ASKED[0][1])], ""),
    "in no list": ([(INTERRUPT, ASKED[0][1][0])], ""),
    "in a form of somebody else's": ([(INTERRUPT, [*ASKED[0][1], "asks"])], ""),
}


@pytest.mark.parametrize("how", NOT_ASKED)
def test_what_is_no_question_is_a_write(how):
    writes, ns = NOT_ASKED[how]
    thread = Passed(writes, ns)
    assert thread.states == {}
    found = thread.saver.get_tuple(config("t", thread.run.head, ns))
    assert found.pending_writes == [(TASK, channel, value) for channel, value in writes]
