"""What a killed process leaves of an effect, and two processes at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from stores import opened

from nbhitl.errors import EffectInDoubt, EffectRunning

from .graphs import CONFIG
from .killed_program import graph_in

TESTS = Path(__file__).parents[1]


class Place:
    """A store, a file of effects, and processes that work on them."""

    def __init__(self, store: str, folder: Path) -> None:
        self.store, self.effects = store, folder / "effects"
        self.effects.touch()
        self.started: list[subprocess.Popen[str]] = []

    def start(self, how: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "once.killed_program", how, self.store, str(self.effects)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=TESTS)
        self.started.append(process)
        return process

    def run(self, how: str) -> tuple[int, str]:
        process = self.start(how)
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


@pytest.fixture
def saver(place):
    with opened(place.store) as saver:
        yield saver


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.parametrize(("how", "happened"), [("die before", []), ("die after", ["mail to ann"])])
def test_killed_between_start_and_finish_it_is_reported_and_not_repeated(place, saver, how, happened):
    code, out = place.run(how)
    assert (code, out) == (-9, "")
    assert place.happened == happened
    graph = graph_in(saver, place.effects)
    for _ in range(2):
        with pytest.raises(EffectInDoubt, match=r"once\('mail'\) of thread 't' was started at ") as raised:
            graph.invoke(None, CONFIG)
        assert not isinstance(raised.value, EffectRunning)
        assert f"process {place.started[0].pid} on " in raised.value.owner
        assert place.happened == happened
    if happened:
        saver.settle_once("t", "mail", "sent to ann, says the outbox")
        assert graph.invoke(None, CONFIG)["got"] == ["sent to ann, says the outbox"] * 2
    else:
        saver.forget_once("t", "mail")
        assert graph.invoke(None, CONFIG)["got"] == ["sent to ann"] * 2
    assert place.happened == ["mail to ann"]


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_killed_afterwards_it_stays_done(place, saver):
    code, _ = place.run("die later")
    assert code == -9
    assert place.happened == ["mail to ann"]
    assert graph_in(saver, place.effects).invoke(None, CONFIG)["got"] == ["sent to ann"] * 2
    assert place.happened == ["mail to ann"]


def test_of_two_processes_one_runs_it_and_the_other_is_told_who(place, saver):
    holder = place.start("hold")
    assert holder.stdout.readline() == "holding\n"
    code, out = place.run("run")
    assert code == 0
    assert out.startswith("EffectInDoubt: once('mail') of thread 't' was started at ")
    assert f"process {holder.pid} on " in out
    assert place.happened == []
    out, _ = holder.communicate("go\n", timeout=60)
    assert out == "['sent to ann', 'sent to ann']\n"
    assert place.run("run") == (0, "['sent to ann', 'sent to ann']\n")
    assert place.happened == ["mail to ann"]
