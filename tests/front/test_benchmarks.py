"""The benchmarks measure, check what they measure, and print it; on sizes that take no time."""

from __future__ import annotations

import doctest
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import measure as measuring  # noqa: E402
from benchmarks import report  # noqa: E402
from benchmarks.imports import Import, measure_imports  # noqa: E402
from benchmarks.measure import Measured, WrongResultError, measure  # noqa: E402
from benchmarks.workloads import WORKLOADS, Workload  # noqa: E402

ENGINES = ["nbhitl", "langgraph", "plain"]
SMALL = {
    "chain": {"n": 3},
    "async_chain": {"n": 3},
    "first_event": {"n0": {"n": 1}},
    "build": 3,
    "ask_together": 3,
    "fan_out": 3,
    "ask": [7] * 3,
    "ask_often": [0, 1, 2],
    "grow": 3,
    "wide": {f"k{i}": int(i < 3) for i in range(300)},
}


def small(workload: Workload) -> Workload:
    return replace(workload, size=3, count=3, expected=SMALL[workload.program])


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.name)
def test_every_workload_runs_on_every_contestant(workload):
    measured = measure(small(workload), ENGINES, rounds=1)
    assert list(measured) == ENGINES
    for name, found in measured.items():
        assert len(found.seconds) == 1
        assert (found.file_bytes or 0) > 0 or not workload.keeps_file, name


def test_a_wrong_result_is_not_a_time():
    wrong = replace(small(WORKLOADS[0]), expected={"n": 4})
    with pytest.raises(WrongResultError, match="plain, chain of 100 nodes"):
        measure(wrong, ["plain"], rounds=1)


def test_a_file_that_does_not_hold_the_result_is_noticed(tmp_path):
    grow = small(next(w for w in WORKLOADS if w.keeps_file))
    path = tmp_path / "plain.db"
    with measuring.plain.plain_saver("sqlite", path) as save:
        save("t1", 0, {"log": ["only one"]})
    with pytest.raises(WrongResultError, match="its file holds 1"):
        measuring._file_bytes("plain", grow, path)


def test_the_table_says_how_many_times_faster():
    rows = [(WORKLOADS[0], {"nbhitl": Measured([0.001]), "langgraph": Measured([0.02])})]
    table = report.time_table(rows, ["nbhitl", "langgraph"])
    assert table.splitlines()[-1] == "| chain of 100 nodes, no store | µs a step | 10 | 200 | 20.0x |"
    told = report.import_table([Import("nbhitl.graph", 20.4, 15.0, 40, ("nbhitl",))])
    assert told.splitlines()[-1] == "| `nbhitl.graph` | 20 | 15 | 40 | none |"


def test_imports_are_measured_in_fresh_processes():
    (found,) = measure_imports(["nbhitl.types"], rounds=1)
    assert found.milliseconds > 0
    assert found.packages == ("nbhitl",)


def test_examples_in_the_report_hold():
    assert doctest.testmod(report).failed == 0


def test_the_command_prints_markdown():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--only", "chain of 100 nodes, no store", "--rounds", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "| chain of 100 nodes, no store | µs a step |" in done.stdout
