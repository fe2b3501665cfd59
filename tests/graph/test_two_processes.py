"""A thread in a file: asked in one process, answered in another, and what a killed one leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from stores import opened

from nbhitl.errors import AnswerInDoubt
from nbhitl.types import Command

from .asking import CONFIG
from .two_processes_program import graph_in

PROGRAM = "graph.two_processes_program"
TESTS = Path(__file__).parents[1]


class Place:
    """A store, a file of effects, and processes that work on them."""

    def __init__(self, store: str, folder: Path) -> None:
        self.store, self.effects = store, folder / "effects"
        self.effects.touch()
        self.started: list[subprocess.Popen[str]] = []

    def start(self, what: str, *args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", PROGRAM, what, self.store, str(self.effects), *args]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=TESTS)
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
def place(address, tmp_path):
    place = Place(address, tmp_path)
    yield place
    for process in place.started:
        with process:
            process.kill()


def test_asked_in_one_process_and_answered_in_another(place):
    code, _ = place.run("ask")
    assert code == 0
    with opened(place.store) as saver:
        graph = graph_in(saver, place.effects)
        snapshot = graph.get_state(CONFIG)
        assert [question.value for question in snapshot.interrupts] == [{"pay": 10}]
        assert snapshot.next == ("pay",)
        assert graph.invoke(Command(resume="yes"), CONFIG) == {"log": ["asked", "paid yes"]}
    assert place.happened == ["paid yes"]


def race(place: Place) -> str:
    """Let 32 threads in each of two processes answer at once; return who won."""
    place.run("ask")
    racers = [place.start("race", name) for name in ("left", "right")]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [line.split() for racer in racers for line in racer.communicate(timeout=60)[0].splitlines()]
    assert len(told) == 64
    (winner,) = [who for who, how, *_ in told if how == "won"]
    heard = [(how, by) for who, how, by in (line for line in told if line[0] != winner)]
    assert {how for how, _ in heard} <= {"AlreadyAnswered", "UnknownInterruptError"}
    assert {by for _, by in heard} <= {winner, "None"}
    assert place.happened == [f"paid {winner}"]
    with opened(place.store) as saver:
        (claim,) = saver.claims("t")
        assert (claim.state, claim.answer, claim.by) == ("applied", winner, winner)
        assert claim.at is not None
    return winner


def test_of_64_clicks_in_two_processes_one_wins_and_its_effect_happens_once(place):
    race(place)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_of_many_races_each_has_one_winner_and_one_effect(address, tmp_path):
    winners = []
    for number in range(25):
        folder = tmp_path / str(number)
        folder.mkdir()
        place = Place(address, folder)
        winners.append(race(place))
        with opened(address) as saver:
            saver.delete_thread("t")
    print(f"{len(winners)} races, {len(set(winners))} different winners")


@pytest.fixture
def killed(place):
    """A store whose owner was killed after the effect and before saving anything of it."""
    place.run("ask")
    code, out = place.run("die", "yes")
    assert code != 0
    assert out == "ready\n"
    assert place.happened == ["paid yes"]
    with opened(place.store) as saver:
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
