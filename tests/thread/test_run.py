"""A thread runs, pauses, shows its question as text, and goes on."""

from __future__ import annotations

import threading
import time

import pytest

from nbhitl.errors import (
    InvalidAnswer,
    NotAnswered,
    QuestionOpen,
    ReviewError,
)
from nbhitl.thread import GraphThread

from .asking import asking


def test_runs_to_the_question_and_on(lib, build, capsys):
    thread = GraphThread(build(review=asking(lib, {"question": "Which?", "options": ["a", "b"]})), "t")
    thread.run({"log": ["in"]})
    assert "Which?" in capsys.readouterr().out
    assert thread.session.state == "paused"
    with pytest.raises(NotAnswered, match=r"waits for an answer at 'review' \(q1\)"):
        thread.result
    thread.option("b")
    assert thread.result == {"log": ["in", "b"]}
    assert thread.questions == []
    assert "finished" in capsys.readouterr().out


def test_verbs_need_exactly_one_open_question(lib, build):
    thread = GraphThread(build(review=asking(lib, "free?")), "t")
    assert repr(thread) == "GraphThread('t'): not looked at yet"
    with pytest.raises(
        ReviewError, match=r"No question is open.* it has not run yet. Run it: thread.run\(input\)"
    ):
        thread.approve()
    assert repr(thread) == "GraphThread('t'): idle"
    thread.run({"log": []})
    thread.respond("hello")
    assert thread.result["log"] == ["hello"]
    with pytest.raises(
        ReviewError, match=r"No question is open on thread 't': it is finished\. Look at thread\.result"
    ):
        thread.respond("again")


def test_a_question_of_a_renamed_node_is_told_and_can_still_be_answered(lib, build):
    graph = build(review=asking(lib, "free?"))
    GraphThread(graph, "t").run({"log": []})
    renamed = build(reviewed=asking(lib, "free?"))
    renamed.checkpointer = graph.checkpointer
    renamed = GraphThread(renamed, "t")
    with pytest.raises(ReviewError, match=r"No question is open .* renamed or removed since"):
        renamed.question
    with pytest.raises(NotAnswered, match="to a node that this graph does not have"):
        renamed.result
    again = GraphThread(graph, "t")
    again.respond("yes")
    assert again.result == {"log": ["yes"]}


@pytest.mark.parametrize("value", [None, {}, [], "", 0, False, {"a": {"b": [1, None]}}, {"1" * 32: "x"}])
def test_every_json_value_is_an_answer(lib, build, value):
    thread = GraphThread(build(review=asking(lib, {"anything": 1})), "t")
    thread.run({"log": []})
    thread.answer(value)
    assert thread.result["log"] == [value]
    assert type(thread.result["log"][0]) is type(value)


def test_no_approve_is_guessed(lib, build):
    thread = GraphThread(build(review=asking(lib, {"anything": 1})), "t")
    thread.run({"log": []})
    assert thread.question.allowed == ("respond",)
    with pytest.raises(InvalidAnswer, match="replies="):
        thread.approve()
    assert thread.question.state == "open"


def test_replies_name_the_values(lib, build):
    effects = []
    replies = {"review": {"approve": "yes", "reject": lambda reason: ["no", reason], "later": None}}
    graph = build(review=asking(lib, {"anything": 1}, effects))
    for number, verb in enumerate((("approve",), ("reject", "too much"), ("option", "later"))):
        thread = GraphThread(graph, f"t{number}", replies=replies)
        thread.run({"log": []})
        getattr(thread, verb[0])(*verb[1:])
    assert effects == ["yes", ["no", "too much"], None]


def test_unknown_names_are_refused(lib, build):
    graph = build(review=asking(lib, 1))
    with pytest.raises(ValueError, match="Did you mean 'review'"):
        GraphThread(graph, "t", replies={"reviews": {}})
    with pytest.raises(ValueError, match="no node 'x'"):
        GraphThread(graph, "t", interrupt_before=["x"])


@pytest.mark.parametrize("thread_id", [None, 7])
def test_a_threads_name_is_a_string(lib, build, thread_id):
    with pytest.raises(TypeError, match=r"a thread's name is a string"):
        GraphThread(build(review=asking(lib, 1)), thread_id)


def test_a_graph_without_checkpointer_or_not_compiled(lib):
    builder = lib.StateGraph(dict).add_node("n", lambda s: s).add_edge(lib.START, "n")
    with pytest.raises(ValueError, match="no checkpointer"):
        GraphThread(builder.compile(), "t")
    with pytest.raises(TypeError, match=r"\.compile\(checkpointer"):
        GraphThread(builder, "t")


def test_the_same_input_shows_the_same_card(lib, build, capsys):
    started = []

    def node(state):
        started.append(1)
        return {"log": [lib.interrupt("ok?")]}

    graph = build(review=node)
    thread = GraphThread(graph, "t")
    thread.run({"log": ["in"]})
    card = thread.question
    thread.run({"log": ["in"]})
    assert thread.question is card
    assert len(started) == 1
    GraphThread(graph, "t").run({"log": ["in"]})
    assert len(started) == 1
    assert capsys.readouterr().out.count("ok?") == 3


def test_another_input_is_refused_and_restart_starts_over(lib, build):
    thread = GraphThread(build(review=asking(lib, "ok?")), "t")
    thread.run({"log": ["in"]})
    with pytest.raises(QuestionOpen, match=r"node 'review' \(q1\)"):
        thread.run({"log": ["other"]})
    thread.run({"log": ["other"]}, restart=True)
    thread.respond("yes")
    assert thread.result["log"] == ["other", "yes"]


def test_a_new_session_knows_the_input_from_the_history(lib, build):
    graph = build(review=asking(lib, "ok?"))
    graph.invoke({"log": ["in"]}, {"configurable": {"thread_id": "t"}})
    thread = GraphThread(graph, "t")
    thread.run({"log": ["in"]})
    assert [card.label for card in thread.questions] == ["q1"]
    with pytest.raises(QuestionOpen):
        thread.run({"log": ["else"]})


def test_a_finished_thread_takes_new_input(lib, build):
    thread = GraphThread(build(review=lambda s: {"log": ["ran"]}), "t")
    thread.run({"log": ["1"]})
    thread.run({"log": ["2"]})
    assert thread.result["log"] == ["1", "ran", "2", "ran"]


def test_resume_commands_are_refused(lib, build):
    thread = GraphThread(build(review=asking(lib, "ok?")), "t")
    thread.run({"log": []})
    with pytest.raises(ReviewError, match=r"thread\.approve\(\)"):
        thread.run(lib.Command(resume="yes"))


def test_reattaching_finds_the_question(lib, build):
    graph = build(review=asking(lib, "ok?"))
    GraphThread(graph, "t").run({"log": []})
    again = GraphThread(graph, "t")
    assert again.question.text == "ok?"
    again.respond("yes")
    assert again.result == {"log": ["yes"]}


def test_the_cards_count_how_often_a_node_started(lib, build):
    def node(state):
        return {"log": [lib.interrupt("1"), lib.interrupt("2")]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    assert thread.question.runs == 1
    thread.respond("a")
    assert thread.question.runs == 2


def test_start_runs_in_the_background_and_stops(lib, build):
    gate = threading.Event()

    def slow(state):
        gate.wait(10)
        return {"log": ["slow"]}

    thread = GraphThread(build(slow=slow, after=lambda s: {"log": ["after"]}), "t")
    thread.start({"log": []})
    with pytest.raises(ReviewError, match="running already"):
        thread.run({"log": []})
    with pytest.raises(NotAnswered, match="still running"):
        thread.result
    while thread.session.progress is None or thread.session.progress.node != "slow":
        time.sleep(0.01)
    thread.stop()
    gate.set()
    assert thread.wait(10)
    assert thread.session.state == "stopped"
    with pytest.raises(NotAnswered, match="was stopped before its end"):
        thread.result
    thread.run()
    assert thread.result["log"] == ["slow", "after"]


def test_start_reports_what_went_wrong(lib, build):
    thread = GraphThread(build(review=asking(lib, "ok?")), "t")
    thread.run({"log": []})
    thread.start({"log": ["other"]})
    thread.wait(10)
    assert "another input" in thread.session.error
