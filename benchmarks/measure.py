"""Run workloads on every contestant in turn, A B C A B C: a slow moment of the machine hits them all."""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from benchmarks import graphs, plain
from benchmarks.engines import load_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.workloads import Workload

    Run = Callable[[str], Any]


@dataclass
class Measured:
    """The times of one contestant, in seconds a run, and the size of its file in bytes."""

    seconds: list[float] = field(default_factory=list)
    file_bytes: int | None = None

    def per(self, count: int) -> float:
        """Return the median in microseconds, for one of `count` pieces of work."""
        return statistics.median(self.seconds) / count * 1e6


class WrongResultError(AssertionError):
    """A run was fast and wrong."""


def measure(workload: Workload, contestants: Sequence[str], rounds: int) -> dict[str, Measured]:
    """Return `{contestant: Measured}`; those that do not know the program are left out.

    Raises:
        WrongResultError: a run did not give the expected result, or a file did not hold it.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = _measure_in(folder, workload, contestants, rounds)
        if workload.keeps_file:
            for contestant, found in measured.items():
                found.file_bytes = _file_bytes(contestant, workload, folder / f"{contestant}.db")
        return measured


def _measure_in(
    folder: Path, workload: Workload, contestants: Sequence[str], rounds: int
) -> dict[str, Measured]:
    with ExitStack() as stack:
        runs: dict[str, Run] = {}
        for name in contestants:
            run = _prepare(stack, name, workload, folder / f"{name}.db")
            if run is not None:
                runs[name] = run
        measured = {name: Measured() for name in runs}
        for round_number in range(-1, rounds):  # the first one warms up
            for name, run in runs.items():
                seconds = _timed(name, workload, run, f"t{round_number + 1}")
                if round_number >= 0:
                    measured[name].seconds.append(seconds)
    return measured


def _prepare(stack: ExitStack, contestant: str, workload: Workload, path: Path) -> Run | None:
    if contestant == "plain":
        save = stack.enter_context(plain.plain_saver(workload.store, path))
        return cast("Run", getattr(plain, workload.program)(save, workload.size))
    if contestant == "burr":
        from benchmarks import burr_programs

        return burr_programs.prepare(workload)
    engine = load_engine(contestant)
    saver = stack.enter_context(engine.saver(workload.store, path))
    return cast("Run", getattr(graphs, workload.program)(engine, saver, workload.size))


def _timed(name: str, workload: Workload, run: Run, thread: str) -> float:
    gc.collect()
    start = perf_counter()
    result = run(thread)
    seconds = perf_counter() - start
    if result != workload.expected:
        raise WrongResultError(f"{name}, {workload.name}: {result!r} is not {workload.expected!r}")
    return seconds


def _file_bytes(name: str, workload: Workload, path: Path) -> int:
    """Return the size of the file, once a fresh process has read the result back from it."""
    command = [sys.executable, "-m", "benchmarks.read_back", name, str(workload.size), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    if json.loads(done.stdout) != workload.expected:
        raise WrongResultError(f"{name}, {workload.name}: its file holds {done.stdout.strip()}")
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))
