"""Killed at random points, again and again: no effect happens twice, and none is lost unsaid."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nbhitl.checkpoint.sqlite import SqliteSaver

from .many_effects_program import COUNT

ROOT = Path(__file__).parents[2]


def start(store: Path, effects: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.once.many_effects_program", str(store), str(effects)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def settle_doubts(store: Path, happened: list[int]) -> int:
    """Do what a person does: look whether it has happened, then say so or let it run again."""
    with SqliteSaver.from_conn_string(str(store)) as saver:
        doubts = [entry for entry in saver.once_entries("t") if entry.state == "started"]
        for entry in doubts:
            number = int(entry.key.removeprefix("effect-"))
            if number in happened:
                saver.settle_once("t", entry.key, number)
            else:
                saver.forget_once("t", entry.key)
    return len(doubts)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.timeout(300)
def test_killed_again_and_again(tmp_path: Path) -> None:
    kills, in_doubt, rolls = 0, 0, random.Random(20261120)
    for run in range(15):
        store, effects = tmp_path / f"{run}.sqlite", tmp_path / f"{run}.effects"
        effects.touch()
        while True:
            process = start(store, effects)
            with process:
                time.sleep(rolls.uniform(0, 0.03))
                finished = process.poll() is not None
                process.kill()
            happened = [int(line) for line in effects.read_text().split()]
            assert len(happened) == len(set(happened))
            in_doubt += settle_doubts(store, happened)
            if len(happened) == COUNT:
                break
            assert not finished
            kills += 1
        with SqliteSaver.from_conn_string(str(store)) as saver:
            assert {entry.result for entry in saver.once_entries("t")} == set(range(COUNT))
    print(f"{kills} kills, {in_doubt} in doubt")
    assert kills > 15
    assert in_doubt > 5
