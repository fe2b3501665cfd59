"""`nbhitl demo`: the graph, the card, an answer, and the end; with and without a terminal."""

from __future__ import annotations

import doctest
import os
import pty
import subprocess
import sys
from io import StringIO

import pytest

from nbhitl import demo
from nbhitl.cli import main

WEIGHED = "DELETE FROM penguins WHERE body_mass_g IS NULL"


@pytest.mark.parametrize(
    ("answer", "told", "left"),
    [
        ("approve", "deleted 11 rows", 333),
        (f"edit: {WEIGHED}", "deleted 2 rows", 342),
        ("reject: nine were weighed", "rejected: nine were weighed; kept every row", 344),
        ("reject", "kept every row", 344),
    ],
)
def test_an_answer_needs_no_terminal(answer, told, left, capsys):
    assert main(["demo", "--answers", answer]) == 0
    shown = capsys.readouterr().out
    assert "START ─▸ propose ─▸ review" in shown
    assert "Run this statement?" in shown
    assert "DELETE FROM penguins WHERE sex IS NULL" in shown
    assert "11 rows" in shown
    assert told in shown
    assert f"The database now has {left} penguins." in shown
    assert "cp5" in shown


def test_an_edit_shows_what_it_changes(capsys):
    main(["demo", "--answers", f"edit:{WEIGHED}"])
    shown = capsys.readouterr().out
    assert "- DELETE FROM penguins WHERE sex IS NULL" in shown
    assert f"+ {WEIGHED}" in shown


@pytest.mark.parametrize("answer", ["aprove", "edit", "edit:", "approve: yes", ""])
def test_what_is_no_answer_is_refused_before_anything_runs(answer, capsys):
    assert main(["demo", "--answers", answer]) == 2
    said = capsys.readouterr()
    assert "it must be approve, edit:NEW STATEMENT or reject:REASON" in said.err
    assert said.out == ""


def test_an_answer_too_many_is_an_error(capsys):
    assert main(["demo", "--answers", "approve", "--answers", "reject"]) == 1
    assert "1 of 2 scripted answers were not used: reject" in capsys.readouterr().err


def test_a_statement_that_fails_says_why(capsys):
    assert main(["demo", "--answers", "edit:DELETE FROM nowhere"]) == 1
    assert "OperationalError: no such table: nowhere" in capsys.readouterr().err


def test_without_input_it_says_what_to_do_and_ends():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "nbhitl", "demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "[paused" in done.stdout
    assert "approve / edit / reject?" in done.stdout
    assert "--answers" in done.stdout
    assert done.stderr == ""


def test_without_any_standard_input_it_ends_too():
    command = f"exec {sys.executable} -m nbhitl demo <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert "--answers" in done.stdout


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("approve\n", "deleted 11 rows"),
        ("what?\nr\nnot today\n", "rejected: not today; kept every row"),
        (f"e\n{WEIGHED}\nno\nedit\n{WEIGHED}\nyes\n", "deleted 2 rows"),
    ],
)
def test_answers_are_typed_at_the_prompt(typed, told, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", StringIO(typed))
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    assert told in shown
    assert shown.count("Run this statement?") == 2, "once on the card, once in the history"


def test_it_works_in_a_terminal():
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "nbhitl", "demo"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.close(theirs)
    os.write(ours, b"approve\n")
    out, err = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0, err
    assert "deleted 11 rows" in out.decode()


def test_control_c_ends_it_quietly(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run_demo", interrupted)
    assert main(["demo"]) == 130


def test_examples_hold():
    assert doctest.testmod(demo).failed == 0
