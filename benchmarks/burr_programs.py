"""The programs that Burr can express in its own words: chains, with and without a store in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.workloads import WIDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.workloads import Workload


def prepare(workload: Workload) -> Callable[[str], Any] | None:
    """Return `run(thread)`, or None where Burr has no counterpart here."""
    if workload.store == "sqlite" or workload.program not in ("chain", "wide"):
        return None
    keys = ["n"] * workload.size if workload.program == "chain" else [f"k{i}" for i in range(workload.size)]
    start = {"n": 0} if workload.program == "chain" else {f"k{i}": 0 for i in range(WIDE)}
    from burr.core.graph import GraphBuilder

    last = len(keys) - 1
    graph = (
        GraphBuilder()
        .with_actions(**{f"a{i}": _adder(key) for i, key in enumerate(keys)})
        .with_transitions(*((f"a{i}", f"a{i + 1}") for i in range(last)))
        .build()
    )
    return lambda thread: _run(thread, graph, start, f"a{last}", workload.store == "memory")


def _run(thread: str, graph: Any, start: dict[str, int], last: str, keep: bool) -> dict[str, Any]:
    from burr.core import ApplicationBuilder
    from burr.core.persistence import InMemoryPersister

    builder = ApplicationBuilder().with_graph(graph).with_entrypoint("a0").with_state(**start)
    builder = builder.with_identifiers(app_id=thread)
    if keep:
        builder = builder.with_state_persister(InMemoryPersister())
    _, _, state = builder.build().run(halt_after=[last])
    return {key: state[key] for key in start}


def _adder(key: str) -> Any:
    from burr.core import action

    @action(reads=[key], writes=[key])
    def add(state: Any) -> Any:
        return state.update(**{key: state[key] + 1})

    return add
