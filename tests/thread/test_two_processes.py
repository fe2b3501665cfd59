"""Two kernels on one store: of their answers one wins, and its effect happens once."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver as ForeignSqlite

from nbhitl.checkpoint.companion import companion_of
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.engine.prepare import BY_KEY
from nbhitl.errors import AlreadyAnswered, NotAnswered, ReviewError
from nbhitl.graph import START, StateGraph
from nbhitl.review.engines import BY
from nbhitl.thread import GraphThread
from nbhitl.types import interrupt

from .conftest import State

PROGRAM = Path(__file__).with_name("two_processes_program.py")


@pytest.fixture
def run():
    """Return a function that starts the program; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*args: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAM), *map(str, args)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        with process:
            process.kill()


@pytest.fixture
def ask(run):
    def ask_in_a_process(kind: str, store: Path, effects: Path) -> None:
        process = run("ask", kind, store, effects)
        process.communicate(timeout=60)
        assert process.returncode == 0

    return ask_in_a_process


FOREIGN = ("langgraph:langgraph:", "nbhitl:langgraph:")
"""Whose engine runs the graph, on LangGraph's SQLite saver."""


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("interrupt", ("go", "go")),
        ("interrupt", ("go", "stop")),
        ("breakpoint", ("go", "go")),
        (FOREIGN[0] + "interrupt", ("go", "stop")),
        pytest.param(FOREIGN[1] + "interrupt", ("go", "stop"), marks=pytest.mark.slow),
        *(pytest.param(house + "breakpoint", ("go", "go"), marks=pytest.mark.slow) for house in FOREIGN),
    ],
)
def test_one_of_two_processes_wins(run, ask, tmp_path, kind, answers):
    store, effects = tmp_path / "threads.sqlite", tmp_path / "effects"
    ask(kind, store, effects)
    both = [run("answer", kind, store, effects, a, by) for a, by in zip(answers, ("ada", "ben"), strict=True)]
    assert [process.stdout.readline() for process in both] == ["ready\n", "ready\n"]
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert outputs.count("answered\n") == 1, outputs
    winner = outputs.index("answered\n")
    assert effects.read_text() == f"{answers[winner]}\n"
    lost = outputs[1 - winner]
    assert lost.startswith(("AlreadyAnswered", "StaleQuestion")), lost
    assert ("ada", "ben")[winner] in lost


@pytest.mark.parametrize("saver", [SqliteSaver, ForeignSqlite])
def test_an_old_card_tells_who_answered_at_another_connection(tmp_path, monkeypatch, saver):
    monkeypatch.setenv("NBHITL_UNATTENDED", "0")
    builder = (
        StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("go?")]}).add_edge(START, "ask")
    )
    store = str(tmp_path / "threads.sqlite")
    with saver.from_conn_string(store) as here, saver.from_conn_string(store) as there:
        ada = GraphThread(builder.compile(checkpointer=here), "t", by="ada")
        ben = GraphThread(builder.compile(checkpointer=there), "t", by="ben")
        ada.run({"log": []})
        shown = ben.question
        ada.respond("go")
        with pytest.raises(AlreadyAnswered, match="was answered by ada at ") as caught:
            shown.respond("stop")
        assert caught.value.by == "ada"
        ben.refresh()
        assert ben.result["log"] == ["go"]


def test_a_question_of_one_process_is_answered_in_another(run, ask, tmp_path):
    store, effects = tmp_path / "threads.sqlite", tmp_path / "effects"
    ask("interrupt", store, effects)
    out, _ = run("answer", "interrupt", store, effects, "go", "ada").communicate("\n", timeout=60)
    assert out == "ready\nanswered\n"
    assert effects.read_text() == "go\n"


@pytest.mark.parametrize("kind", ["interrupt", "breakpoint"])
def test_a_killed_kernel_leaves_a_doubt_and_a_choice(run, ask, tmp_path, kind):
    store, effects = tmp_path / "threads.sqlite", tmp_path / "effects"
    ask(kind, store, effects)
    process = run("answer", kind, store, effects, "die", "die")
    process.communicate("\n", timeout=60)
    assert process.returncode == 9
    ran = []

    def review(state):
        ran.append(
            "go" if kind == "breakpoint" else interrupt({"question": "go?", "options": ["go", "stop", "die"]})
        )
        return {"log": ["done"]}

    with SqliteSaver.from_conn_string(str(store)) as saver:
        builder = StateGraph(State).add_node(review).add_edge(START, "review")
        graph = builder.compile(
            checkpointer=saver, interrupt_before=["review"] if kind == "breakpoint" else []
        )
        thread = GraphThread(graph, "t")
        assert thread.questions == []
        assert "answered by die" in thread.session.error
        thread.run()
        with pytest.raises(NotAnswered, match="in doubt"):
            thread.result
        assert ran == []
        thread.ask_again()
        assert ran == []
        assert thread.question.label == "q2"
        thread.approve() if kind == "breakpoint" else thread.option("stop")
        assert ran == ["go" if kind == "breakpoint" else "stop"]
        assert thread.result == {"log": ["done"]}


@pytest.mark.parametrize("kind", ["interrupt", "breakpoint"])
def test_a_killed_kernels_answer_can_be_delivered_again(run, ask, tmp_path, kind):
    store, effects = tmp_path / "threads.sqlite", tmp_path / "effects"
    ask(kind, store, effects)
    run("answer", kind, store, effects, "die", "die").communicate("\n", timeout=60)
    with SqliteSaver.from_conn_string(str(store)) as saver:

        def review(state):
            if kind == "breakpoint":
                return {"log": ["die"]}
            return {"log": [interrupt({"question": "go?", "options": ["go", "stop", "die"]})]}

        builder = StateGraph(State).add_node(review).add_edge(START, "review")
        before = ["review"] if kind == "breakpoint" else []
        thread = GraphThread(builder.compile(checkpointer=saver, interrupt_before=before), "t")
        with pytest.raises(ReviewError, match="may still be at it until"):
            thread.retry()
        later = GraphThread(thread.graph, "t", clock=lambda: datetime.now(UTC) + timedelta(seconds=90))
        later.retry()
        assert later.result == {"log": ["die"]}
        assert {claim.state for claim in saver.claims("t")} == {"applied"}


def test_the_engine_learns_who_answers_by_the_same_name():
    assert BY == BY_KEY


@pytest.mark.parametrize("kind", ["interrupt", pytest.param("breakpoint", marks=pytest.mark.slow)])
@pytest.mark.parametrize("house", [FOREIGN[0], pytest.param(FOREIGN[1], marks=pytest.mark.slow)])
def test_a_killed_kernel_leaves_a_doubt_beside_langgraphs_saver(run, ask, tmp_path, house, kind):
    store, effects = tmp_path / "threads.sqlite", tmp_path / "effects"
    ask(house + kind, store, effects)
    process = run("answer", house + kind, store, effects, "die", "die")
    process.communicate("\n", timeout=60)
    assert process.returncode == 9
    before = effects.read_text()
    graphs, types = (import_module(f"{house.partition(':')[0]}.{name}") for name in ("graph", "types"))

    def review(state):
        answer = (
            "go"
            if kind == "breakpoint"
            else types.interrupt({"question": "go?", "options": ["go", "stop", "die"]})
        )
        return {"log": [f"again {answer}"]}

    with ForeignSqlite.from_conn_string(str(store)) as saver:
        builder = graphs.StateGraph(State).add_node("review", review).add_edge(graphs.START, "review")
        how = {"interrupt_before": ["review"]} if kind == "breakpoint" else {}
        thread = GraphThread(builder.compile(checkpointer=saver, **how), "t")
        assert thread.questions == []
        assert "answered by die" in thread.session.error
        with pytest.raises(ReviewError, match="may still be at it until"):
            thread.retry()
        later = GraphThread(thread.graph, "t", clock=lambda: datetime.now(UTC) + timedelta(seconds=90))
        later.retry()
        assert later.result == {"log": ["again go" if kind == "breakpoint" else "again die"]}
        assert {claim.state for claim in companion_of(saver).claims("t")} == {"applied"}
    assert effects.read_text() == before
