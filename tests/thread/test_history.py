"""What happened, as tables, and going back."""

from __future__ import annotations

import pytest

from nbhitl.review.ask import ask
from nbhitl.script import answers, approve, reject
from nbhitl.thread import GraphThread

from .conftest import State

pytest.importorskip("pandas")


@pytest.fixture
def thread(build):
    def review(state):
        return {"log": [ask("Delete?", action="run", args={"n": state["amount"]}).kind]}

    graph = build(
        plan=lambda s: {"amount": 1, "log": ["planned"]}, review=review, end=lambda s: {"log": ["end"]}
    )
    thread = GraphThread(graph, "t")
    with answers([reject("no")]):
        thread.run({"log": ["in"]})
    return thread


def test_history_has_a_row_a_checkpoint_and_the_answer(thread):
    frame = thread.history()
    assert list(frame.index) == ["cp1", "cp2", "cp3", "cp4", "cp5"]
    asked = frame[frame["question"] != ""]
    assert (list(asked.index), asked["question"].iloc[0], asked["answer"].iloc[0]) == (
        ["cp3"],
        "Delete?",
        "rejected: no",
    )


def test_fork_asks_again_and_labels_stay(thread, capsys):
    before = thread.history()
    with answers([approve()]):
        thread.fork("cp3")
    assert thread.result["log"] == ["in", "planned", "approve", "end"]
    after = thread.history()
    assert list(after.index[:5]) == list(before.index)
    assert list(after["ran"].iloc[:5]) == list(before["ran"])
    assert list(thread.decisions()["kind"]) == ["reject", "approve"]


def test_fork_with_values(thread):
    thread.fork("cp3", {"amount": 9})
    assert dict(thread.question.actions[0].args) == {"n": 9}
    thread.approve()
    assert thread.result["log"] == ["in", "planned", "approve", "end"]


def test_fork_of_an_unknown_checkpoint(thread):
    with pytest.raises(KeyError, match=r"cp1 to cp5"):
        thread.fork("cp9")


def test_diff_and_writes(thread):
    diff = thread.diff("cp3", "cp4")
    assert [key[:3] for key in diff["key"]] == ["log"]
    assert "review" in set(thread.writes()["node"])


def test_draw_is_a_picture_and_text(thread):
    drawn = thread.draw()
    assert "review" in repr(drawn)
    assert "text/plain" in drawn._repr_mimebundle_()


def test_a_failed_question_is_in_no_result(thread):
    assert repr(thread) == "GraphThread('t'): finished"


def asked_of(thread):
    frame = thread.history()
    row = frame[frame["question"] != ""].iloc[0]
    return row["question"], row["answer"]


def test_questions_of_one_node_stand_before_their_own_answers(lib, build):
    thread = GraphThread(
        build(two=lambda s: {"log": [lib.interrupt("first?"), lib.interrupt("second?")]}), "t"
    )
    thread.run({"log": []})
    thread.answer("A")
    assert asked_of(thread) == ("first? | second?", "answered A | open")
    thread.answer("B")
    assert asked_of(thread) == ("first? | second?", "answered A | answered B")


def test_questions_at_once_stand_before_their_own_answers(lib, build):
    names = ("w1", "w2", "w3")
    builder = lib.StateGraph(State)
    for name in names:
        builder.add_node(name, lambda s, name=name: {"log": [lib.interrupt(f"{name}?")]})
        builder.add_edge(lib.START, name)
    thread = GraphThread(builder.compile(checkpointer=lib.InMemorySaver()), "t")
    thread.run({"log": []})
    assert asked_of(thread) == ("w1? | w2? | w3?", "open")
    thread.questions[1].answer("B")
    assert asked_of(thread) == ("w1? | w2? | w3?", "open | answered B | open")
    for left in thread.questions:
        left.answer(left.label)
    assert asked_of(thread) == ("w1? | w2? | w3?", "answered q1 | answered B | answered q3")
