"""`python -m benchmarks`: measure everything in one run and print Markdown tables."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.imports import measure_imports
from benchmarks.measure import measure
from benchmarks.postgres_workloads import POSTGRES_WORKLOADS, can_be_measured, measure_alone
from benchmarks.report import TITLES, import_table, time_table
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.workloads import Workload

# The names under which packages are installed, where these are not the names that are imported.
DISTRIBUTIONS = {"burr": "apache-burr"}

BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
_QUICK_ROUNDS, _QUICK_SIZE = 2, 10


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    args = _parser().parse_args(argv)
    rounds = _QUICK_ROUNDS if args.quick else args.rounds
    contestants = [name for name in args.of if name == "plain" or find_spec(name)]
    rows = []
    for workload in _chosen(args.only, args.quick, args.size):
        print(workload.name, "...", end=" ", file=sys.stderr, flush=True)
        begin = perf_counter()
        by = measure_alone if workload.store == "postgres" else measure
        found = by(workload, contestants, rounds)
        rows.append((workload, found))
        print(f"{perf_counter() - begin:.1f} s", file=sys.stderr, flush=True)
    parts = [_told(contestants, rounds), time_table(rows, contestants, judged=not args.quick)]
    if not args.only:
        modules = {"nbhitl": "nbhitl.graph", "langgraph": "langgraph.graph", "burr": "burr.core"}
        wanted = [modules[name] for name in contestants if name in modules]
        parts.append(import_table(measure_imports([*wanted, "sqlite3"], rounds)))
    text = "\n\n".join(parts)
    print(text)
    if args.readme:
        write_readme(args.readme, text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each contestant runs (default: 7)")
    parser.add_argument("--only", default="", help="words of workload names, with commas: chain,Send")
    parser.add_argument(
        "--of", nargs="+", choices=TITLES, default=[*TITLES], help="contestants (default: all)"
    )
    parser.add_argument(
        "--size", type=int, help="in place of each workload's own: nodes, turns, threads, ..."
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a tenth of the sizes and two rounds: to see that all of it works",
    )
    parser.add_argument("--readme", type=Path, help="a file between whose <!-- benchmarks --> marks to write")
    return parser


def _chosen(only: str, quick: bool, size: int | None) -> list[Workload]:
    words = only.split(",")
    every = [*WORKLOADS, *(POSTGRES_WORKLOADS if can_be_measured() else ())]
    found = [workload for workload in every if any(word in workload.name for word in words)]
    if size is not None:
        return [workload.of_size(size) for workload in found]
    return [w.of_size(max(w.size // _QUICK_SIZE, 3)) for w in found] if quick else found


def _told(contestants: Sequence[str], rounds: int) -> str:
    versions = ", ".join(
        f"{TITLES[n]} {version(DISTRIBUTIONS.get(n, n))}" for n in contestants if n != "plain"
    )
    return (
        f"Medians of {rounds} runs (the longest rows: of 2), taken in turn in one process, short ones warm. {versions}; "
        f"Python {platform.python_version()}, {os.cpu_count()} cores."
    )


def write_readme(path: Path, text: str) -> None:
    """Put the tables between the marks.

    Raises:
        ValueError: the file has no such marks.
    """
    whole = path.read_text(encoding="utf-8")
    before, begin, rest = whole.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path} has no {BEGIN} ... {END} to write between")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
