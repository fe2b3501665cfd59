"""A thread in a file: asked in one process, answered in another, and what a killed one leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import AnswerInDoubt
from nbhitl.types import Command

from .asking import CONFIG
from .two_processes_program import graph_in

PROGRAM = Path(__file__).with_name("two_processes_program.py")


class Place:
    """A store, a file of effects, and processes that work on them."""

    def __init__(self, folder: Path) -> None:
        self.store, self.effects = folder / "threads.sqlite", folder / "effects"
        self.effects.touch()
        self.started: list[subprocess.Popen[str]] = []

    def start(self, what: str, *args: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(PROGRAM), what, str(self.store), str(self.effects), *args]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self.started.append(process)
        return process

    def run(self, what: str, *args: str) -> tuple[int, str]:
        process = self.start(what, *args)
        out, _ = process.communicate(timeout=60)
        return process.returncode, out

    @property
    def happened(self) -> list[str]:
        return self.effects.read_text().splitlines()


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    for process in place.started:
        with process:
            process.kill()


def test_asked_in_one_process_and_answered_in_another(place):
    code, _ = place.run("ask")
    assert code == 0
    with SqliteSaver.from_conn_string(str(place.store)) as saver:
        graph = graph_in(saver, place.effects)
        snapshot = graph.get_state(CONFIG)
        assert [question.value for question in snapshot.interrupts] == [{"pay": 10}]
        assert snapshot.next == ("pay",)
        assert graph.invoke(Command(resume="yes"), CONFIG) == {"log": ["asked", "paid yes"]}
    assert place.happened == ["paid yes"]


def test_of_two_processes_that_answer_one_wins(place):
    place.run("ask")
    racers = [place.start("race", name) for name in ("left", "right")]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [racer.communicate(timeout=60) for racer in racers]
    assert sorted(racer.returncode for racer in racers) == [0, 1]
    (lost,) = [err for (_, err), racer in zip(told, racers, strict=True) if racer.returncode == 1]
    assert "AlreadyAnswered" in lost or "UnknownInterruptError" in lost
    assert len(place.happened) == 1


@pytest.fixture
def killed(place):
    """A store whose owner was killed after the effect and before saving anything of it."""
    place.run("ask")
    code, out = place.run("die", "yes")
    assert code != 0
    assert out == "ready\n"
    assert place.happened == ["paid yes"]
    with SqliteSaver.from_conn_string(str(place.store)) as saver:
        yield place, saver, graph_in(saver, place.effects)


def test_after_a_kill_the_question_is_listed_as_delivered(killed):
    _, saver, _ = killed
    (claim,) = saver.claims("t")
    assert (claim.state, claim.answer) == ("delivered", "yes")
    assert saver.pending() == []
    (listed,) = saver.pending(states=("delivered",))
    assert (listed.interrupt_id, listed.payload, listed.state) == (
        claim.interrupt_id,
        {"pay": 10},
        "delivered",
    )


@pytest.mark.parametrize("by_id", [True, False], ids=["by id", "plain"])
def test_after_a_kill_an_answer_is_in_doubt(killed, by_id):
    place, saver, graph = killed
    (claim,) = saver.claims("t")
    with pytest.raises(AnswerInDoubt):
        graph.invoke(Command(resume={claim.interrupt_id: "yes"} if by_id else "yes"), CONFIG)
    assert place.happened == ["paid yes"]


def test_after_a_kill_going_on_does_not_silently_repeat_the_effect(killed):
    place, _, graph = killed
    with pytest.raises(AnswerInDoubt):
        graph.invoke(None, CONFIG)
    assert place.happened == ["paid yes"]


def test_who_has_looked_may_release_the_question_and_answer_again(killed):
    place, saver, graph = killed
    (claim,) = saver.claims("t")
    saver.release("t", claim.ns, claim.checkpoint_id, [claim.interrupt_id])
    assert [question.value for question in graph.get_state(CONFIG).interrupts] == [{"pay": 10}]
    assert graph.invoke(Command(resume="again"), CONFIG) == {"log": ["asked", "paid again"]}
    assert place.happened == ["paid yes", "paid again"]
