"""Killed at random points, again and again: no effect happens twice, and none is lost unsaid."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest
from stores import opened

from .many_effects_program import COUNT

TESTS = Path(__file__).parents[1]


def start(store: str, effects: Path, *what: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "once.many_effects_program", store, str(effects), *what]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=TESTS
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def settle_doubts(store: str, thread: str, happened: list[int]) -> int:
    """Do what a person does: look whether it has happened, then say so or let it run again."""
    with opened(store) as saver:
        doubts = [entry for entry in saver.once_entries(thread) if entry.state == "started"]
        for entry in doubts:
            number = int(entry.key.removeprefix("effect-"))
            if number in happened:
                saver.settle_once(thread, entry.key, number)
            else:
                saver.forget_once(thread, entry.key)
    return len(doubts)


REACH = {"sqlite": 0.03, "postgres": 0.06}
"""Seconds within which a process is killed: somewhat less than its effects need, even if it has a core for itself. On a
busy machine a process gets nothing done in that time: after each that did not, the next has twice as long."""

KILLS = 60
"""After so many a kind of graph is done: each takes the start of a Python, up to half a second on a busy machine."""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", ["node", "steps"])
def test_killed_again_and_again(address: str, tmp_path: Path, shape: str) -> None:
    kills, in_doubt, rolls = 0, 0, random.Random(20261120)
    least = REACH["postgres" if "host=" in address else "sqlite"]
    for run in count():
        if kills >= KILLS:
            break
        thread, effects = f"t{run}", tmp_path / f"{run}.effects"
        effects.touch()
        reach, before = least, 0
        while True:
            process = start(address, effects, thread, shape)
            with process:
                time.sleep(rolls.uniform(0, reach))
                finished = process.poll() is not None
                assert process.poll() in (None, 0)
                process.kill()
            happened = [int(line) for line in effects.read_text().split()]
            assert len(happened) == len(set(happened))
            in_doubt += settle_doubts(address, thread, happened)
            if len(happened) == COUNT:
                break
            assert not finished
            reach, before = (least if len(happened) > before else 2 * reach), len(happened)
            kills += 1
        with opened(address) as saver:
            assert {entry.result for entry in saver.once_entries(thread)} == set(range(COUNT))
    print(f"{kills} kills, {in_doubt} in doubt")
    assert in_doubt > 0
