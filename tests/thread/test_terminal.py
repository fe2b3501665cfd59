"""The terminal's reviewer, with typed lines in place of a person."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nbhitl.review.ask import ask
from nbhitl.terminal import review
from nbhitl.thread import GraphThread


def typing(*lines):
    left = list(lines)

    def read(prompt):
        if not left:
            raise EOFError
        return left.pop(0)

    return read


@pytest.fixture
def thread(build):
    def node(state):
        decision = ask("Delete?", action="run_sql", args={"sql": "DELETE", "limit": 5})
        return {"log": [decision.kind, decision.args or decision.reason]}

    thread = GraphThread(build(review=node), "t")
    thread.run({"log": []})
    return thread


@pytest.mark.parametrize(
    ("lines", "log"),
    [
        (["approve"], ["approve", {"sql": "DELETE", "limit": 5}]),
        (["a"], ["approve", {"sql": "DELETE", "limit": 5}]),
        (["reject", "too many"], ["reject", "too many"]),
        (["edit", "SELECT", "", "y"], ["edit", {"sql": "SELECT", "limit": 5}]),
        (["edit", "", "six", "6", "yes"], ["edit", {"sql": "DELETE", "limit": 6}]),
        (["edit", "x", "", "no", "a"], ["approve", {"sql": "DELETE", "limit": 5}]),
        (["edit", "", "", "a"], ["approve", {"sql": "DELETE", "limit": 5}]),
        (["", "what", "a"], ["approve", {"sql": "DELETE", "limit": 5}]),
    ],
)
def test_decisions(thread, lines, log):
    shown = []
    assert review(thread, read=typing(*lines), write=shown.append)
    assert thread.result["log"] == log
    assert "Delete?" in shown[0]


def test_the_diff_is_shown_before_it_is_approved(thread):
    shown = []
    review(thread, read=typing("edit", "SELECT", "", "y"), write=shown.append)
    assert [line.strip() for line in shown[1:]] == ["sql:", "- DELETE", "+ SELECT"]


def test_the_end_of_input_leaves_the_question_open(thread):
    shown = []
    assert not review(thread, read=typing("edit"), write=shown.append)
    assert "stays open" in shown[-1]
    assert thread.question.state == "open"


def test_options_text_and_values(lib, build):
    def node(state):
        return {
            "log": [
                lib.interrupt({"question": "Which?", "options": ["left", "right"]}),
                lib.interrupt("Say something"),
                lib.interrupt({"any": 1}),
            ]
        }

    thread = GraphThread(build(node=node), "t")
    thread.run({"log": []})
    lines = ["middle", "ri", "respond", "hello", "value", "{broken", "value", '{"ok": true}']
    assert review(thread, read=typing(*lines), write=lambda text: None)
    assert thread.result["log"] == ["right", "hello", {"ok": True}]


def test_a_route_for_a_breakpoint(lib, build):
    graph = build({"interrupt_before": ["b"]}, a=lambda s: {"log": ["a"]}, b=lambda s: {"log": ["b"]})
    thread = GraphThread(graph, "t", routes={"b": ["a", "__end__"]})
    thread.run({"log": []})
    assert review(
        thread, read=typing("reject", "no", "nowhere", "reject", "no", "__end__"), write=lambda text: None
    )
    assert thread.result["log"] == ["a"]


def test_without_standard_input_it_does_not_hang():
    program = """
import nbhitl.terminal
from nbhitl.thread import GraphThread
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from langgraph.checkpoint.memory import InMemorySaver
graph = StateGraph(dict).add_node("n", lambda s: {"x": interrupt("ok?")}).add_edge(START, "n")
thread = GraphThread(graph.compile(checkpointer=InMemorySaver()), "t")
thread.run({"a": 1})
print(nbhitl.terminal.review(thread), len(thread.questions))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "False 1"
    assert "stays open" in done.stdout
