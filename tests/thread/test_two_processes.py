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


def ask(store: Path, effects: Path) -> None:
    process = run("ask", store, effects)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize("answers", [("go", "go"), ("go", "stop")])
def test_one_of_two_processes_wins(tmp_path, answers):
    store, effects = tmp_path / "threads.sqlite", tmp_path / "effects"
    ask(store, effects)
    both = [
        run("answer", store, effects, answer, by) for answer, by in zip(answers, ("ada", "ben"), strict=True)
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    outputs = [process.communicate("\n", timeout=60)[0] for process in both]
    assert effects.read_text().splitlines() == [answers[0]] or effects.read_text().splitlines() == [
        answers[1]
    ]
    won = [output for output in outputs if output == "answered\n"]
    assert len(won) == 1
    (lost,) = [output for output in outputs if output != "answered\n"]
    assert "ada" in lost or "ben" in lost or "no longer open" in lost


def test_a_question_of_one_process_is_answered_in_another(tmp_path):
    store, effects = tmp_path / "threads.sqlite", tmp_path / "effects"
    ask(store, effects)
    out, _ = run("answer", store, effects, "go", "ada").communicate("\n", timeout=60)
    assert out == "ready\nanswered\n"
    assert effects.read_text() == "go\n"


def test_the_engine_learns_who_answers_by_the_same_name():
    assert BY == BY_KEY
