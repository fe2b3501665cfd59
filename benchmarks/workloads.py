"""What is measured: one entry a row of the table, the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.engines import Store


@dataclass(frozen=True)
class Workload:
    """One row. The time of a run is divided by `count` and told as `unit`.

    `program` names the function in `graphs.py` and `plain.py`, `size` is what it is called with, `expected`
    the result that every run must have.
    """

    name: str
    program: str
    store: Store
    size: int
    count: int
    unit: str
    expected: Any
    keeps_file: bool = False


WIDE = 300

STORES: tuple[tuple[str, Store], ...] = (("no store", "none"), ("memory", "memory"), ("SQLite", "sqlite"))

WORKLOADS = (
    *(
        Workload(f"chain of 100 nodes, {label}", "chain", store, 100, 100, "µs a step", {"n": 100})
        for label, store in STORES
    ),
    *(
        Workload(
            f"wide state, {WIDE} keys, {label}",
            "wide",
            store,
            50,
            50,
            "µs a step",
            {f"k{i}": int(i < 50) for i in range(WIDE)},
        )
        for label, store in STORES
    ),
    *(
        Workload(
            f"async chain of 100 nodes, {label}", "async_chain", store, 100, 100, "µs a step", {"n": 100}
        )
        for label, store in STORES[:2]
    ),
    Workload("Send to 100 tasks and join", "fan_out", "none", 100, 100, "µs a task", sum(range(100))),
    *(
        Workload(f"interrupt + resume, {label}", "ask", store, 20, 20, "µs a pair", [7] * 20)
        for label, store in STORES[1:]
    ),
    Workload(
        "20 interrupts in one node, memory", "ask_often", "memory", 20, 20, "µs a pair", list(range(20))
    ),
    Workload(
        "100 parallel interrupts, memory", "ask_together", "memory", 100, 100, "µs a task", sum(range(100))
    ),
    Workload("first streamed event, memory", "first_event", "memory", 20, 1, "µs", {"n0": {"n": 1}}),
    Workload("build and compile 1000 nodes", "build", "none", 1000, 1000, "µs a node", 1000),
    Workload(
        "a list growing by one, 500 steps, SQLite",
        "grow",
        "sqlite",
        500,
        500,
        "µs a step",
        500,
        keeps_file=True,
    ),
)
