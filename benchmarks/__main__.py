"""`python -m benchmarks`: measure everything in one run and print Markdown tables."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import version
from importlib.util import find_spec

from benchmarks.imports import measure_imports
from benchmarks.measure import measure
from benchmarks.report import TITLES, import_table, time_table
from benchmarks.workloads import WORKLOADS

# The names under which packages are installed, where these are not the names that are imported.
DISTRIBUTIONS = {"burr": "apache-burr"}


def main() -> None:
    """Parse the command line, measure, print."""
    args = _parser().parse_args()
    contestants = [name for name in TITLES if name == "plain" or find_spec(name)]
    rows = []
    for workload in WORKLOADS:
        if args.only and not any(word in workload.name for word in args.only.split(",")):
            continue
        print(workload.name, "...", file=sys.stderr, flush=True)
        rows.append((workload, measure(workload, contestants, args.rounds)))
    print(_told(contestants, args.rounds))
    print()
    print(time_table(rows, contestants))
    if not args.only:
        modules = ["nbhitl.graph", *(["langgraph.graph"] if find_spec("langgraph") else [])]
        modules += ["burr.core"] if find_spec("burr") else []
        print()
        print(import_table(measure_imports(modules, args.rounds)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each contestant runs (default: 7)")
    parser.add_argument("--only", help="words of workload names, with commas: chain,Send")
    return parser


def _told(contestants: list[str], rounds: int) -> str:
    versions = ", ".join(
        f"{TITLES[n]} {version(DISTRIBUTIONS.get(n, n))}" for n in contestants if n != "plain"
    )
    return (
        f"Medians of {rounds} runs, taken in turn in one process. {versions}; "
        f"Python {platform.python_version()}, {os.cpu_count()} cores."
    )


if __name__ == "__main__":
    main()
