"""What an import costs, each time in a fresh process: milliseconds, memory, and what it drags in."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROGRAM = """
import json, sys
from time import perf_counter
before = set(sys.modules)
start = perf_counter()
import {module}
seconds = perf_counter() - start
new = set(sys.modules) - before
packages = sorted({{name.split(".")[0] for name in new}} - set(sys.stdlib_module_names))
with open("/proc/self/status") as status:  # getrusage would tell the parent's peak
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
print(json.dumps([seconds * 1e3, memory / 1024, len(new), packages]))
"""


@dataclass(frozen=True)
class Import:
    """Medians of some fresh processes; `packages` are those outside of the standard library."""

    module: str
    milliseconds: float
    megabytes: float
    modules: int
    packages: tuple[str, ...]


def measure_imports(modules: Sequence[str], rounds: int) -> list[Import]:
    """Import each module in turn, `rounds` times over, and return what it cost.

    Everything is imported from compiled files, as after an installation, whether or not the environment lets Python
    write them beside the sources.
    """
    samples: dict[str, list[tuple[float, float, int, list[str]]]] = {module: [] for module in modules}
    with TemporaryDirectory() as compiled:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = compiled
        for round_number in range(rounds + 1):
            for module in modules:
                sample = _import_once(module, environment)
                if round_number:  # the first one fills the disk cache and writes the compiled files
                    samples[module].append(sample)
    return [
        Import(
            module,
            statistics.median(sample[0] for sample in taken),
            statistics.median(sample[1] for sample in taken),
            taken[0][2],
            tuple(name for name in taken[0][3] if not name.startswith("_")),
        )
        for module, taken in samples.items()
    ]


def _import_once(module: str, environment: Mapping[str, str]) -> tuple[float, float, int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    milliseconds, megabytes, modules, packages = json.loads(done.stdout)
    return milliseconds, megabytes, modules, packages
