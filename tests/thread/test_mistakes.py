"""What people do in their first hour, and what they are told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from nbhitl import answers, approve, ask, edit, option, reject, respond
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import InvalidUpdateError, NotAnswered, StoreError, UnsupportedValue
from nbhitl.graph import START, StateGraph
from nbhitl.thread import GraphThread

from .conftest import State


def test_a_decision_in_what_another_question_shows_is_refused(build):
    def review(state: Any) -> dict[str, Any]:
        name = ask("Who is it for?", allow=["respond"])
        ask("Send it?", action="send", args={"to": name})
        return {}

    thread = GraphThread(build(review=review), "t")
    thread.run({"log": []})
    with pytest.raises(ValueError, match=r"'to' is a Decision, .* Show what was decided: its \.value"):
        thread.respond("Ann")


def test_a_decision_in_the_state_is_told_what_to_return_instead(tmp_path):
    graph = StateGraph(State).add_node("node", lambda state: {"log": [ask("go?")]}).add_edge(START, "node")
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        thread = GraphThread(graph.compile(checkpointer=saver), "t")
        thread.run({"log": []})
        with pytest.raises(
            UnsupportedValue, match=r"'log' written by node 'node'.* of a Decision its \.value"
        ):
            thread.approve()


def test_a_question_needs_no_checkpointer_to_be_asked(lib):
    graph = lib.StateGraph(State).add_node("node", lambda state: {"log": [ask("go?").kind]})
    asked = graph.add_edge(lib.START, "node").compile().invoke({"log": []})["__interrupt__"]
    assert [question.value["question"] for question in asked] == ["go?"]


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        (approve(), "Decision(kind='approve')"),
        (edit(n=2), "Decision(kind='edit', edits={'n': 2})"),
        (reject("no"), "Decision(kind='reject', reason='no')"),
        (respond(""), "Decision(kind='respond', value='')"),
        (option(None), "Decision(kind='option', value=None)"),
    ],
)
def test_a_decision_shows_what_was_chosen(decision, told):
    assert repr(decision) == told


def test_a_question_outside_of_a_node_is_told_by_its_name():
    with pytest.raises(RuntimeError, match=r"ask\(\) needs a running node"):
        ask("Hello?")


def test_an_edit_that_names_no_argument_says_how_to(build):
    with pytest.raises(TypeError, match=r"edit\('hello'\): name what changes, edit\(limit=10\), or"):
        edit("hello")  # type: ignore[arg-type]


def test_a_script_that_is_no_list_says_so():
    with pytest.raises(TypeError, match=r"takes a list, .*: answers\(\[approve\(\)\]\)"):
        answers(approve())  # type: ignore[arg-type]


def test_why_a_thread_has_no_result_stands_in_brackets(build):
    def review(state: Any) -> dict[str, Any]:
        return {"amount": int(ask("How much?", allow=["respond"]).value)}

    thread = GraphThread(build(review=review), "t")
    thread.run({"log": []})
    with pytest.raises(ValueError, match="invalid literal"):
        thread.respond("much")
    with pytest.raises(NotAnswered, match=r"its end \(ValueError: .*'much'\)\. Go on with thread\.retry\(\)"):
        _ = thread.result


def test_an_async_node_names_the_way_to_run_its_thread() -> None:
    async def node(state: Any) -> dict[str, Any]:
        return {}

    graph = StateGraph(State).add_node("node", node).add_edge(START, "node")
    with pytest.raises(TypeError, match=r"of a GraphThread: await thread\.arun\("):
        GraphThread(graph.compile(checkpointer=InMemorySaver()), "t").run({"log": []})


def test_a_file_that_was_closed_with_its_block_is_told_how_to_stay_open(tmp_path):
    """The cell that answers comes after the one that opened it."""
    path = str(tmp_path / "threads.db")
    graph = (
        StateGraph(State).add_node("node", lambda state: {"log": [ask("go?").kind]}).add_edge(START, "node")
    )
    with SqliteSaver.from_conn_string(path) as saver:
        thread = GraphThread(graph.compile(checkpointer=saver), "t")
        thread.run({"log": []})
    with pytest.raises(StoreError, match=r"stays open: sqlite3\.connect\(path, check_same_thread=False\)"):
        thread.approve()
    with closing(sqlite3.connect(path, check_same_thread=False)) as conn:
        thread = GraphThread(graph.compile(checkpointer=SqliteSaver(conn)), "t")
        thread.approve()
        assert thread.result == {"log": ["approve"]}


@pytest.mark.parametrize("values", [{"amuont": 3}, {"log": ["x"], "amuont": 3}])
def test_a_fork_with_a_key_that_the_state_has_not_is_refused(build, values):
    thread = GraphThread(build(spend=lambda state: {"log": [state.get("amount")]}), "t")
    thread.run({"log": [], "amount": 1})
    before = len(thread.history())
    with pytest.raises(InvalidUpdateError, match=r"has no key 'amuont'\. Did you mean 'amount'\?"):
        thread.fork("cp2", values)
    assert len(thread.history()) == before
    thread.fork("cp2", {"amount": 2})
    assert thread.result["log"] == [2]


def test_a_fork_of_a_state_that_is_one_value_takes_any_dict(lib):
    graph = lib.StateGraph(dict).add_node("count", lambda state: {**state, "n": state["n"] + 1})
    graph = graph.add_edge(lib.START, "count").compile(checkpointer=lib.InMemorySaver())
    thread = GraphThread(graph, "t")
    thread.run({"n": 1})
    thread.fork("cp2", {"n": 5, "more": True})
    assert thread.result == {"n": 6, "more": True}


def test_a_question_without_a_text_of_its_own_is_told_by_its_payload(lib, build):
    thread = GraphThread(build(send=lambda state: {"log": [lib.interrupt({"send to": "a"})]}), "t")
    thread.run({"log": []})
    asked = thread.history()["question"].tolist()
    thread.answer("yes")
    assert thread.history()["question"].tolist()[: len(asked)] == asked
    assert thread.decisions()["question"].tolist() == ['{"send to": "a"}']
