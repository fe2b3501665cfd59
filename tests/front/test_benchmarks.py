"""The benchmarks measure, check what they measure, and print it; on sizes that take no time."""

from __future__ import annotations

import doctest
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import measure as measuring  # noqa: E402
from benchmarks import plain, postgres_workloads, report  # noqa: E402
from benchmarks.graphs import Laps  # noqa: E402
from benchmarks.imports import Import, measure_imports  # noqa: E402
from benchmarks.measure import Measured, WrongResultError, check_file, measure  # noqa: E402
from benchmarks.postgres_workloads import POSTGRES_WORKLOADS, measure_in, read  # noqa: E402
from benchmarks.read_back import in_a_fresh_process, read_back  # noqa: E402
from benchmarks.workloads import EXPECTED, WORKLOADS, Workload  # noqa: E402

ENGINES = ["nbhitl", "langgraph", "plain"]


def small(workload: Workload) -> Workload:
    return replace(workload, size=3, repeat=1)


def named(part: str) -> Workload:
    return small(next(w for w in WORKLOADS if part in w.name))


@pytest.fixture(autouse=True)
def _no_garbage_collections(monkeypatch):
    """They would take most of the time."""
    monkeypatch.setattr(measuring, "collect_garbage", lambda: None)


DISTINCT = {(w.program, w.store): w for w in WORKLOADS}


@pytest.mark.parametrize("workload", DISTINCT.values(), ids=lambda w: f"{w.program}, {w.store}")
def test_every_workload_runs_on_every_contestant_and_is_read_back(workload):
    measured = measure(small(workload), ENGINES, rounds=1, read_back=read_back)
    assert list(measured) == ENGINES
    for name, found in measured.items():
        assert found.median > 0
        assert (found.file_bytes or 0) > 0 or workload.smaller is None, name
        assert len(found.growth) == (workload.growth is not None)


@pytest.mark.skipif(not find_spec("burr"), reason="Burr is not installed")
@pytest.mark.parametrize("store", ["none", "memory", "sqlite"])
def test_burr_gets_the_same_results(store):
    from benchmarks.burr_programs import PROGRAMS

    for program in PROGRAMS:
        workload = next((w for w in WORKLOADS if (w.program, w.store) == (program, store)), None)
        if workload is not None:
            assert list(measure(small(workload), ["burr"], rounds=1, read_back=read_back)) == ["burr"]


def test_all_programs_are_measured():
    assert {workload.program for workload in WORKLOADS} == set(EXPECTED)


def test_a_wrong_result_is_not_a_time(monkeypatch):
    monkeypatch.setitem(EXPECTED, "chain", lambda size: {"n": size + 1})
    with pytest.raises(WrongResultError, match="plain, chain of 3 nodes"):
        measure(named("chain of 100 nodes, no store"), ["plain"], rounds=1)


@pytest.mark.parametrize(
    ("repeat", "runs"), [(1, ["t0", "t1"]), (2, ["t0-first", "t0", "t0-1", "t1-first", "t1", "t1-1"])]
)
def test_what_is_short_is_run_once_before_it_is_timed(repeat, runs):
    called = []
    workload = replace(named("interrupt + resume, memory"), repeat=repeat)
    measured = measuring.take_turns(
        workload, {"nbhitl": lambda thread: called.append(thread) or workload.expected}, rounds=1
    )
    assert called == runs
    assert len(measured["nbhitl"].seconds) == 1


@pytest.mark.parametrize("reader", [read_back, in_a_fresh_process])
def test_a_file_that_does_not_hold_the_result_is_noticed(tmp_path, reader):
    path = tmp_path / "plain.db"
    with plain.plain_store("sqlite", path) as store:
        store.save("t1", 0, {"log": ["only one"]})
    with pytest.raises(WrongResultError, match="its file holds 1"):
        check_file("plain", named("a list growing"), path, reader)


def test_growth_compares_the_last_laps_with_the_first():
    found = Measured()
    workload = named("chat")
    laps = Laps(workload.expected, [5.0, *[1.0] * 10, *[3.0] * 10])
    measuring._time("nbhitl", workload, lambda thread: laps, "t1", found)
    assert found.growth == [3.0]


def test_the_table_says_how_many_times_faster_and_whether_that_is_enough():
    chain, chat = named("chain of 100 nodes, no store"), named("chat")
    rows = [
        (chain, {"nbhitl": Measured([0.003]), "langgraph": Measured([0.029])}),
        (chat, {
            "nbhitl": Measured([0.001], 1_000, [1.1]), "langgraph": Measured([0.02], 400_000, [3.0]),
        }),
    ]  # fmt: skip
    table = report.time_table(rows, ["nbhitl", "langgraph"]).splitlines()
    assert table[2:] == [
        "| chain of 3 nodes, no store | µs a step | 1,000 | 9,667 | 9.7x | >= 10x | no |",
        "| chat of 3 turns, SQLite | ms a turn | 0.33 | 6.7 | 20.0x | >= 20x | yes |",
        "| its file | kB | 1.0 | 400 | 400.0x | >= 300x | yes |",
        "| its last turns / first turns | ratio | 1.1 | 3.0 |  | <= 1.2 | yes |",
    ]
    told = report.import_table([
        Import("nbhitl.graph", 20.4, 15.0, 40, ("nbhitl",)), Import("langgraph.graph", 102.0, 60.0, 400, ()),
    ])  # fmt: skip
    assert told.splitlines()[2] == "| `nbhitl.graph` | 20 | 15 | 40 | none | 5.0x | >= 6x | no |"


def test_imports_are_measured_in_fresh_processes():
    (found,) = measure_imports(["nbhitl.types"], rounds=1)
    assert found.milliseconds > 0
    assert found.packages == ("nbhitl",)


def test_examples_hold():
    assert doctest.testmod(report).failed == doctest.testmod(measuring).failed == 0


def test_the_command_prints_markdown_and_writes_it_between_the_marks(capsys, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("Fast.\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nMore.\n")
    command.main(["--quick", "--only", "diagram", "--readme", str(readme)])
    assert "| diagram text of 10 nodes | ms |" in capsys.readouterr().out
    before, table, after = readme.read_text().partition("| diagram text of 10 nodes |")
    assert before.startswith("Fast.\n<!-- benchmarks -->\nMedians of 2 runs")
    assert table
    assert after.endswith("\n<!-- /benchmarks -->\nMore.\n")
    with pytest.raises(ValueError, match="has no <!-- benchmarks -->"):
        command.write_readme(Path(__file__).with_name("test_data.py"), "")


def test_a_workload_is_measured_at_another_size_and_of_some_contestants(capsys):
    command.main(["--only", "diagram", "--size", "7", "--of", "nbhitl", "plain", "--rounds", "1"])
    header, _, row = capsys.readouterr().out.splitlines()[2:5]
    assert header == "| workload | unit | nbhitl | plain Python |"
    assert row.startswith("| diagram text of 7 nodes | ms | ")


@pytest.mark.parametrize("workload", POSTGRES_WORKLOADS, ids=lambda w: w.program)
def test_every_workload_of_postgresql_runs_on_both_engines(workload, postgres_server):
    size = 100 if workload.program == "pending" else 3
    measured = measure_in(postgres_server.address(), replace(workload, size=size, repeat=1), 1, read)
    assert list(measured) == ["nbhitl", "langgraph"]
    assert all(found.median > 0 for found in measured.values())


def test_postgresqls_rows_are_printed_and_read_back_in_a_fresh_process(postgres_server, capsys, monkeypatch):
    small = [replace(POSTGRES_WORKLOADS[0], size=20)]
    monkeypatch.setattr(postgres_workloads, "POSTGRES_WORKLOADS", small)
    postgres_workloads.main(["--quick", "--rounds", "1", "--address", postgres_server.address()])
    assert "chain of 2 nodes, PostgreSQL" in capsys.readouterr().out
