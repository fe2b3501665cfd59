"""Run workloads on every contestant in turn, A B C A B C: a slow moment of the machine hits them all."""

from __future__ import annotations

import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from gc import collect as collect_garbage
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks import looking, plain
from benchmarks.engines import load_engine
from benchmarks.graphs import Laps
from benchmarks.read_back import THREAD, in_a_fresh_process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.engines import Store
    from benchmarks.workloads import Workload

    Run = Callable[[str], Any]
    ReadBack = Callable[[str, str, Store, int, Path], Any]

_HEAVY_ROUNDS = 2
_WARM_UP = 20
"""The size of the run before the first one that counts, where a whole one would take long."""


@dataclass
class Measured:
    """The times of one contestant in seconds a run, the size of the file of one run in bytes, and how much
    longer the last tenth of a run's laps took than the first tenth.
    """

    seconds: list[float] = field(default_factory=list)
    file_bytes: int | None = None
    growth: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Seconds a run."""
        return statistics.median(self.seconds)


class WrongResultError(AssertionError):
    """A run was fast and wrong."""


def measure(
    workload: Workload, contestants: Sequence[str], rounds: int, read_back: ReadBack = in_a_fresh_process
) -> dict[str, Measured]:
    """Return `{contestant: Measured}`; those that do not know the program are left out.

    Raises:
        WrongResultError: a run did not give the expected result, or a file did not hold it.
    """
    with tempfile.TemporaryDirectory() as name:
        if workload.heavy:
            return _measure_heavy(Path(name), workload, contestants, min(rounds, _HEAVY_ROUNDS), read_back)
        return _measure(Path(name), workload, contestants, rounds, read_back)


def _measure(
    folder: Path, workload: Workload, contestants: Sequence[str], rounds: int, read_back: ReadBack
) -> dict[str, Measured]:
    """One store for all runs of a contestant, each on a thread of its own."""
    with ExitStack() as stack:
        prepared = {name: _prepare(stack, name, workload, folder / f"{name}.db") for name in contestants}
        runs = {name: run for name, run in prepared.items() if run is not None}
        measured = take_turns(workload, runs, rounds)
    if workload.is_durable:
        for name in runs:
            check_file(name, workload, folder / f"{name}.db", read_back)
    return measured


def take_turns(workload: Workload, runs: Mapping[str, Run], rounds: int) -> dict[str, Measured]:
    """Time `{contestant: run}`, one after another and again, each round on threads of its own.

    Raises:
        WrongResultError: a run did not give the expected result.
    """
    measured = {name: Measured() for name in runs}
    for number in range(rounds + 1):  # the first one warms up
        for name, run in runs.items():
            _time(name, workload, run, f"t{number}", measured[name] if number else Measured())
    return measured


def _measure_heavy(
    folder: Path, workload: Workload, contestants: Sequence[str], rounds: int, read_back: ReadBack
) -> dict[str, Measured]:
    """A store for each run, closed before its file is measured."""
    measured: dict[str, Measured] = {}
    for number in range(rounds + 1):
        now = workload if number else workload.of_size(min(workload.size, _WARM_UP))
        for name in contestants:
            path = folder / f"{name}-{number}.db"
            found = measured.setdefault(name, Measured()) if number else Measured()
            with ExitStack() as stack:
                run = _prepare(stack, name, now, path)
                if run is None:
                    measured.pop(name, None)
                    continue
                _time(name, now, run, THREAD, found)
            found.file_bytes = check_file(name, now, path, read_back)
            path.unlink()
    return measured


def _prepare(stack: ExitStack, contestant: str, workload: Workload, path: Path) -> Run | None:
    if contestant == "plain":
        store = stack.enter_context(plain.plain_store(workload.store, path))
        return plain.PROGRAMS[workload.program](store, workload.size)
    if contestant == "burr":
        from benchmarks import burr_programs

        return burr_programs.prepare(stack, workload, path)
    engine = load_engine(contestant)
    saver = stack.enter_context(engine.saver(workload.store, path))
    program = looking.PROGRAMS[workload.program]
    return program.run(engine, program.graph(engine, saver, workload.size), workload.size)


def _time(name: str, workload: Workload, run: Run, thread: str, found: Measured) -> None:
    """Time runs that are short only once the processor's caches are not another contestant's any more."""
    collect_garbage()
    if workload.repeat > 1:
        run(f"{thread}-first")
    threads = [thread, *(f"{thread}-{i}" for i in range(1, workload.repeat))]
    start = perf_counter()
    for one in threads:
        result = run(one)
    found.seconds.append((perf_counter() - start) / workload.repeat)
    if isinstance(result, Laps):
        result, laps = result
        found.growth.append(growth(laps))
    if result != workload.expected:
        raise WrongResultError(f"{name}, {workload.name}: {result!r} is not {workload.expected!r}")


def growth(laps: Sequence[float]) -> float:
    """Return how many times longer the last tenth of the laps took than the first, by their medians.

    The very first lap is left out: it opens files and fills caches.

    >>> growth([9.0] + [1.0] * 10 + [2.0] * 10)
    2.0
    """
    some = max(len(laps) // 10, 1)
    return statistics.median(laps[-some:]) / statistics.median(laps[1 : some + 1] or laps)


def check_file(name: str, workload: Workload, path: Path, read_back: ReadBack) -> int:
    """Return the size of the file in bytes, once the result has been read back from it.

    Raises:
        WrongResultError: it does not hold the result.
    """
    size = sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))
    held = read_back(name, workload.program, workload.store, workload.size, path)
    if held != workload.expected:
        raise WrongResultError(f"{name}, {workload.name}: its file holds {held!r}")
    return size
