"""Random graphs as data, and how to build and drive them on either engine.

A plan is made of plain values only, so that Hypothesis can shrink it and a failure prints as something that
can be typed in. Both engines build the same graph from it and are driven by the same script.
"""

from __future__ import annotations

import asyncio
import operator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Annotated, Any

from typing_extensions import TypedDict

from .record import Record


def highest(left: int, right: int) -> int:
    return max(left, right)


MODES = ["values", "updates", "tasks"]


class State(TypedDict):
    log: Annotated[list, operator.add]
    total: Annotated[int, operator.add]
    best: Annotated[int, highest]
    last: Any


@dataclass(frozen=True)
class NodePlan:
    """What a node does: how often it asks, what it writes, and where it says to go.

    `out` is "edges", "branch" (a conditional edge), "goto" (a Command) or "sends"; `turn` bounds loops, since
    a node that has run so often stops sending anyone on.
    """

    asks: int = 0
    writes: tuple[str, ...] = ("log",)
    out: str = "edges"
    targets: tuple[int, ...] = ()
    defer: bool = False


@dataclass(frozen=True)
class Plan:
    """A graph, its static breakpoints, and the choices that the answers are drawn from."""

    nodes: tuple[NodePlan, ...]
    entries: tuple[int, ...]
    joins: tuple[tuple[tuple[int, ...], int], ...] = ()
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    choices: tuple[int, ...] = field(default=(0,))


def name(number: int) -> str:
    return f"n{number}"


def build(plan: Plan, engine: str, saver: Any) -> Any:
    """Compile the planned graph on an engine."""
    graph = import_module(f"{engine}.graph")
    types = import_module(f"{engine}.types")
    builder = graph.StateGraph(State)
    for number, node in enumerate(plan.nodes):
        builder.add_node(name(number), _action(number, node, types), defer=node.defer)
        _add_exits(builder, number, node, types, graph.END)
    for entry in plan.entries:
        builder.add_edge(graph.START, name(entry))
    for sources, target in plan.joins:
        builder.add_edge([name(source) for source in sources], name(target))
    return builder.compile(
        checkpointer=saver,
        interrupt_before=[name(number) for number in plan.before],
        interrupt_after=[name(number) for number in plan.after],
    )


def _action(number: int, node: NodePlan, types: Any) -> Any:
    def run(state: Any) -> Any:
        log = state.get("log") or []
        answers = [
            types.interrupt({"node": number, "call": call, "seen": len(log)}) for call in range(node.asks)
        ]
        update = _update(number, node, len(log), answers)
        if node.out == "goto":
            return types.Command(
                update=update, goto=[] if len(log) > 12 else [name(to) for to in node.targets]
            )
        return update

    return run


def _update(number: int, node: NodePlan, seen: int, answers: list[Any]) -> dict[str, Any]:
    written = {
        "log": [f"{number}@{seen}", *map(str, answers)],
        "total": number + 1,
        "best": seen * 2 + number,
        "last": number,
    }
    return {key: written[key] for key in node.writes}


def _add_exits(builder: Any, number: int, node: NodePlan, types: Any, end: str) -> None:
    if node.out == "edges":
        for target in node.targets:
            builder.add_edge(name(number), name(target))
    elif node.out in ("branch", "sends"):
        builder.add_conditional_edges(name(number), _path(node, types, end))


def _path(node: NodePlan, types: Any, end: str) -> Any:
    def path(state: Any) -> Any:
        seen = len(state.get("log") or [])
        if not node.targets or seen > 12:
            return end
        if node.out == "sends":
            return [
                types.Send(name(to), {"log": [f"sent{i}"], "best": i}) for i, to in enumerate(node.targets)
            ]
        return name(node.targets[seen % len(node.targets)])

    return path


class Blocking:
    """A graph's async methods, called from synchronous code."""

    def __init__(self, graph: Any, runner: asyncio.Runner) -> None:
        self._graph = graph
        self._runner = runner

    def stream(self, *arguments: Any, **options: Any) -> list[Any]:
        return self._runner.run(_collect(self._graph.astream(*arguments, **options)))

    def get_state(self, config: Any) -> Any:
        return self._runner.run(self._graph.aget_state(config))

    def get_state_history(self, config: Any) -> list[Any]:
        return self._runner.run(_collect(self._graph.aget_state_history(config)))


async def _collect(items: Any) -> list[Any]:
    return [item async for item in items]


def adrive(plan: Plan, engine: str, saver: Any, durability: str = "async") -> list[tuple[str, str]]:
    """The same by the graph's async methods."""
    with asyncio.Runner() as runner:
        return _drive(plan, Blocking(build(plan, engine, saver), runner), engine, durability)


def drive(plan: Plan, engine: str, saver: Any, durability: str = "async") -> list[tuple[str, str]]:
    """Run the planned graph to its end, answering as `choices` say, and return what was seen."""
    return _drive(plan, build(plan, engine, saver), engine, durability)


def _drive(plan: Plan, graph: Any, engine: str, durability: str) -> list[tuple[str, str]]:
    record, command = Record(), import_module(f"{engine}.types").Command
    config = {"configurable": {"thread_id": "1"}, "recursion_limit": 30}
    given: Any = {"log": ["in"], "total": 1}
    for turn in range(14):
        if not _step(record, graph, given, config, turn, durability):
            break
        state = graph.get_state(config)
        record(f"turn {turn} state", state)
        if not state.next:
            break
        given = _next_input(plan, turn, state, command)
    record("history", list(graph.get_state_history(config)))
    return record.entries


def _step(record: Record, graph: Any, given: Any, config: dict[str, Any], turn: int, durability: str) -> bool:
    chunks = []
    try:
        for chunk in graph.stream(given, config, stream_mode=MODES, durability=durability):
            chunks.append(chunk)
    except Exception as error:
        record(f"turn {turn} error", type(error).__name__)
        record.bag(
            f"turn {turn} values before it",
            [c for c in chunks if c[0] == "values" and "__interrupt__" not in c[1]],
        )
        return False
    # Parallel tasks report in the order in which they end, so chunks are compared step by step as bags.
    for number, step in enumerate(_split(chunks)):
        record.anonymous_bag(f"turn {turn} step {number}", step)
    return True


def _split(chunks: list[Any]) -> list[list[Any]]:
    steps: list[list[Any]] = [[]]
    for chunk in chunks:
        steps[-1].append(chunk)
        if chunk[0] == "values" and "__interrupt__" not in chunk[1]:
            steps.append([])
    return steps


def _next_input(plan: Plan, turn: int, state: Any, command: Any) -> Any:
    """Answer some or all of what is open, or go on from a static breakpoint."""
    if not state.interrupts:
        return None
    choice = plan.choices[turn % len(plan.choices)]
    open_ids = [item.id for item in state.interrupts]
    if len(open_ids) == 1 and choice % 2:
        return command(resume=f"scalar {turn}")
    wanted = open_ids if choice % 3 == 0 else open_ids[choice % len(open_ids) :][:1]
    return command(resume=dict.fromkeys(wanted, f"answer {turn}"))
