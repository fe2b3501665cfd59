"""Two kernels on one store: of their answers one wins, and its effect happens once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbhitl.engine.prepare import BY_KEY
from nbhitl.review.engines import BY

PROGRAM = Path(__file__).with_name("two_processes_program.py")


def run(*args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *map(str, args)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


def ask(kind: str, store: Path, effects: Path) -> None:
    process = run("ask", kind, store, effects)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("kind", "answers"),
    [("interrupt", ("go", "go")), ("interrupt", ("go", "stop")), ("breakpoint", ("go", "go"))],
)
def test_one_of_two_processes_wins(tmp_path, kind, answers):
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
    if lost.startswith("AlreadyAnswered"):
        assert ("ada", "ben")[winner] in lost


def test_a_question_of_one_process_is_answered_in_another(tmp_path):
    store, effects = tmp_path / "threads.sqlite", tmp_path / "effects"
    ask("interrupt", store, effects)
    out, _ = run("answer", "interrupt", store, effects, "go", "ada").communicate("\n", timeout=60)
    assert out == "ready\nanswered\n"
    assert effects.read_text() == "go\n"


def test_the_engine_learns_who_answers_by_the_same_name():
    assert BY == BY_KEY
