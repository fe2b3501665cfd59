"""`python -m benchmarks.read_back CONTESTANT PROGRAM STORE SIZE FILE`: what a store file holds, as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from benchmarks import looking, plain
from benchmarks.engines import load_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.engines import Store

THREAD = "t1"
"""The thread that is read back: that of the first measured run."""


def read_back(contestant: str, program: str, store: Store, size: int, path: Path) -> Any:
    """Return the result of the run on `THREAD`, from its file."""
    if contestant == "plain":
        with plain.plain_store(store, path) as saved:
            return plain.read(program, saved, size, THREAD)
    if contestant == "burr":
        from benchmarks import burr_programs

        return burr_programs.read(program, path, size, THREAD)
    engine = load_engine(contestant)
    found = looking.PROGRAMS[program]
    if found.read is None:
        raise LookupError(f"the program {program!r} does not say how its result is read back")
    with engine.saver(store, path) as saver:
        return found.read(found.graph(engine, saver, size), size, THREAD)


def in_a_fresh_process(contestant: str, program: str, store: Store, size: int, path: Path) -> Any:
    """As `read_back`, by a process that has never seen the run."""
    command = [sys.executable, "-m", "benchmarks.read_back", contestant, program, store, str(size), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return json.loads(done.stdout)


def main(argv: Sequence[str]) -> None:
    """Print the result as JSON."""
    contestant, program, store, size, path = argv
    print(json.dumps(read_back(contestant, program, cast("Store", store), int(size), Path(path))))


if __name__ == "__main__":
    main(sys.argv[1:])
