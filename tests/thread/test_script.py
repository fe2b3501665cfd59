"""The scripted reviewer: every question gets its answer, and what does not fit fails."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from nbhitl import script
from nbhitl.errors import InvalidAnswer, ScriptError
from nbhitl.review.ask import ask
from nbhitl.script import answer, answers, approve, edit, nobody_can_click, option, reject, respond
from nbhitl.thread import GraphThread


@pytest.fixture
def graph(build):
    def review(state):
        decision = ask("Delete?", action="run_sql", args={"sql": "DELETE FROM t"}, reasons=["too many"])
        return {"log": [decision.kind, decision.args or decision.reason]}

    return build(review=review)


@pytest.mark.parametrize(
    ("decision", "log"),
    [
        (approve(), ["approve", {"sql": "DELETE FROM t"}]),
        (edit(sql="SELECT 1"), ["edit", {"sql": "SELECT 1"}]),
        (edit({"sql": "SELECT 2"}), ["edit", {"sql": "SELECT 2"}]),
        (reject("no"), ["reject", "no"]),
    ],
)
def test_each_decision(graph, decision, log):
    thread = GraphThread(graph, "t")
    with answers([decision]):
        thread.run({"log": []})
    assert thread.result["log"] == log


def test_the_record_is_the_same_in_every_run(graph, capsys):
    texts = []
    for number in range(2):
        thread = GraphThread(graph, f"t{number}")
        with answers([edit(sql="DELETE FROM t WHERE id = 1")]):
            thread.run({"log": []})
        texts.append(capsys.readouterr().out.replace(f"t{number}", "T"))
    assert texts[0] == texts[1]
    assert texts[0] == (
        "[q1] review asks (thread T)\n"
        "  Delete?\n"
        "  run_sql\n"
        "     sql  DELETE FROM t\n"
        "  -> approved with 1 change\n"
        "     sql:\n"
        "       - DELETE FROM t\n"
        "       + DELETE FROM t WHERE id = 1\n"
        "thread T: finished\n"
    )


def test_an_unexpected_question_fails(graph):
    thread = GraphThread(graph, "t")
    with (
        pytest.raises(ScriptError, match=r"no answer left for question q1 of node 'review'.*'Delete\?'"),
        answers([]),
    ):
        thread.run({"log": []})
    assert thread.question.state == "open"


def test_an_unused_answer_fails(graph):
    thread = GraphThread(graph, "t")
    unused = pytest.raises(ScriptError, match="1 of 2 scripted answers were not used: reject")
    with unused, answers([approve(), reject("no")]):
        thread.run({"log": []})
    assert thread.result["log"][0] == "approve"


def test_the_error_of_the_block_is_the_one_that_is_seen(graph):
    with pytest.raises(KeyError), answers([approve()]):
        raise KeyError("mine")


def test_an_answer_that_does_not_fit_fails(graph):
    thread = GraphThread(graph, "t")
    with pytest.raises(InvalidAnswer, match="no_such_argument"), answers([edit(no_such_argument=1)]):
        thread.run({"log": []})


def test_what_is_no_decision_is_refused():
    with pytest.raises(TypeError, match="item 2 is 'yes'"):
        answers([approve(), "yes"])
    with pytest.raises(TypeError, match="item 1"):
        answers([[]])


def test_several_questions_in_order(lib, build):
    def node(state):
        return {
            "log": [
                lib.interrupt("a"),
                lib.interrupt({"question": "b", "options": [1, 2]}),
                lib.interrupt({"c": 1}),
            ]
        }

    thread = GraphThread(build(node=node), "t")
    with answers([respond("A"), option(2), answer({})]):
        thread.run({"log": []})
    assert thread.result["log"] == ["A", 2, {}]


def test_a_block_can_be_used_again(graph):
    block = answers([approve()])
    for number in range(2):
        with block:
            GraphThread(graph, f"t{number}").run({"log": []})


def test_nothing_answers_after_the_block(graph):
    with answers([approve()]):
        GraphThread(graph, "t").run({"log": []})
    after = GraphThread(graph, "u")
    after.run({"log": []})
    assert after.question.state == "open"


def test_fork_and_start_are_answered_too(graph):
    thread = GraphThread(graph, "t")
    with answers([reject("no"), approve()]):
        thread.start({"log": []})
        thread.fork("cp2")
    assert thread.result["log"][0] == "approve"


def test_unattended_acts_only_where_nobody_can_click(graph, monkeypatch):
    monkeypatch.setenv("NBHITL_UNATTENDED", "0")
    thread = GraphThread(graph, "t")
    with answers([approve()], unattended=True):
        thread.run({"log": []})
    assert thread.question.state == "open"
    monkeypatch.setenv("NBHITL_UNATTENDED", "1")
    with answers([reject("no")], unattended=True):
        thread.run({"log": []})
    assert thread.result["log"] == ["reject", "no"]


def test_the_kernel_says_whether_somebody_can_click(monkeypatch):
    monkeypatch.delenv("NBHITL_UNATTENDED")
    kernel = SimpleNamespace(_allow_stdin=True)
    fake = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=kernel))
    monkeypatch.setitem(sys.modules, "IPython", fake)
    assert nobody_can_click() is False
    kernel._allow_stdin = False
    assert nobody_can_click() is True
    monkeypatch.setenv("NBHITL_UNATTENDED", "0")
    assert nobody_can_click() is False


async def test_decided_does_not_wait_where_nobody_can_click(graph, monkeypatch):
    from nbhitl import thread as module
    from nbhitl.errors import NotAnswered

    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    monkeypatch.setattr(module, "running_kernel", lambda: object())
    monkeypatch.setenv("NBHITL_UNATTENDED", "1")
    with pytest.raises(NotAnswered, match=r"with answers\(\[\.\.\.\]\)"):
        await thread.decided()


def test_importing_it_loads_no_view():
    assert "ipywidgets" not in vars(script)
