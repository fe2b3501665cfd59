"""What is measured: one entry a row of the table, the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.engines import Store


@dataclass(frozen=True)
class Workload:
    """One row. The time of a run, divided by `count`, is told as `unit` ("µs a step", "ms a turn").

    `program` names a program in `looking.PROGRAMS`, `plain.PROGRAMS` and perhaps `burr_programs.PROGRAMS`;
    `size` is what it is called with, and `{size}` in `title` stands for it. `per_piece` says that the time
    is divided by `size` (a step, a task) and not told as it is. `target` is how many times faster than
    LangGraph nbhitl shall be, `smaller` how many times smaller its file, `growth` how much longer the last
    laps of a run may take than its first. Of short runs, `repeat` make one measurement, after one that does
    not count: two milliseconds after somebody else's turn would tell of cold caches. `heavy` rows are run
    fewer times, each time on a new file, whose tables are there.
    """

    title: str
    program: str
    store: Store
    size: int
    unit: str
    target: float
    per_piece: bool = True
    smaller: float | None = None
    growth: float | None = None
    repeat: int = 1
    heavy: bool = False

    @property
    def name(self) -> str:
        """The title with the size in it."""
        return self.title.format(size=f"{self.size:,}")

    @property
    def count(self) -> int:
        """How many pieces of work a run is made of."""
        return self.size if self.per_piece else 1

    @property
    def expected(self) -> Any:
        """The result that every run must have, and that must be in its file afterwards."""
        return EXPECTED[self.program](self.size)

    @property
    def is_durable(self) -> bool:
        """Whether the result has to be read back from a file."""
        return self.store in ("sqlite", "sqlite-full") and self.program in READ_BACK

    def of_size(self, size: int) -> Workload:
        """Return the same row with another size."""
        return replace(self, size=size)


WIDE = 300
"""Keys of the wide state."""

WAITING_EVERY = 100
"""Of so many threads, one has an open question."""

EXPECTED: dict[str, Callable[[int], Any]] = {
    "chain": lambda size: {"n": size},
    "async_chain": lambda size: {"n": size},
    "wide": lambda size: {f"k{i}": int(i < size) for i in range(WIDE)},
    "grow": lambda size: size,
    "chat": lambda size: 2 * size,
    "fan_out": lambda size: sum(range(size)),
    "ask": lambda size: [7] * size,
    "ask_often": lambda size: list(range(size)),
    "ask_together": lambda size: sum(range(size)),
    "get_state": lambda size: {"n": size},
    "history": lambda size: [size + 2, size],
    "pending": lambda size: -(-size // WAITING_EVERY),
    "first_event": lambda size: {"n0": {"n": 1}},
    "build": lambda size: size,
    "diagram": lambda size: size + 1,
}
"""`{program: size -> result}`."""

READ_BACK = frozenset({"chain", "wide", "grow", "chat", "ask", "ask_often"})
"""The programs whose results are in the file when a run is over."""

US_STEP, US_TASK, MS = "µs a step", "µs a task", "ms"

WORKLOADS = (
    Workload("chain of {size} nodes, no store", "chain", "none", 100, US_STEP, 10, repeat=10),
    Workload("chain of {size} nodes, no store", "chain", "none", 1000, US_STEP, 10),
    Workload("chain of {size} nodes, memory", "chain", "memory", 100, US_STEP, 15, repeat=10),
    Workload("chain of {size} nodes, memory", "chain", "memory", 1000, US_STEP, 40),
    Workload("async chain of {size} nodes, no store", "async_chain", "none", 100, US_STEP, 8, repeat=10),
    Workload("async chain of {size} nodes, memory", "async_chain", "memory", 100, US_STEP, 8, repeat=10),
    Workload("chain of {size} nodes, SQLite NORMAL", "chain", "sqlite", 100, US_STEP, 15, repeat=5),
    Workload("chain of {size} nodes, SQLite FULL", "chain", "sqlite-full", 100, US_STEP, 2.5),
    Workload(f"state of {WIDE} keys, no store", "wide", "none", 50, US_STEP, 20, repeat=10),
    Workload(f"state of {WIDE} keys, memory", "wide", "memory", 50, US_STEP, 20, repeat=10),
    Workload(f"state of {WIDE} keys, SQLite", "wide", "sqlite", 50, US_STEP, 20, repeat=5),
    Workload(
        "a list growing by one, {size} steps, SQLite", "grow", "sqlite", 1000, US_STEP, 15, smaller=100,
        heavy=True,
    ),
    Workload(
        "chat of {size} turns, SQLite", "chat", "sqlite", 500, "ms a turn", 20, smaller=300, growth=1.2,
        heavy=True,
    ),
    Workload("Send to {size} tasks and join", "fan_out", "none", 100, US_TASK, 5, repeat=10),
    Workload("Send to {size} tasks and join", "fan_out", "none", 1000, US_TASK, 5),
    Workload("interrupt + resume, memory", "ask", "memory", 20, "ms a pair", 15, repeat=20),
    Workload("interrupt + resume, SQLite NORMAL", "ask", "sqlite", 20, "ms a pair", 10, repeat=10),
    Workload(
        "{size} interrupts in one node, memory", "ask_often", "memory", 50, MS, 10, per_piece=False, repeat=10
    ),
    Workload(
        "{size} interrupts in one node, SQLite", "ask_often", "sqlite", 50, MS, 10, per_piece=False, repeat=10
    ),
    Workload("{size} parallel interrupts answered by id", "ask_together", "memory", 100, US_TASK, 6),
    Workload(
        "get_state at {size} checkpoints, SQLite", "get_state", "sqlite", 10_000, "µs", 3, per_piece=False,
        repeat=300,
    ),
    Workload("history of {size} checkpoints as a DataFrame", "history", "sqlite", 10_000, "µs a row", 10),
    Workload(
        "open questions among {size} threads, SQLite", "pending", "sqlite", 10_000, MS, 100, per_piece=False,
        repeat=3,
    ),
    Workload("first streamed event, no store", "first_event", "none", 20, MS, 5, per_piece=False, repeat=20),
    Workload("first streamed event, memory", "first_event", "memory", 20, MS, 5, per_piece=False, repeat=20),
    Workload("build and compile {size} nodes", "build", "none", 1000, "µs a node", 6),
    Workload("diagram text of {size} nodes", "diagram", "none", 100, MS, 20, per_piece=False, repeat=20),
)  # fmt: skip

IMPORT_TARGET = 6.0
"""How many times faster than LangGraph's graph module nbhitl's shall be imported."""
