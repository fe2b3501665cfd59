"""Random graphs as data, and how to build and drive them on either engine.

A plan is made of plain values only, so that Hypothesis can shrink it and a failure prints as something that
can be typed in. Both engines build the same graph from it and are driven by the same script.
"""

from __future__ import annotations

import asyncio
import operator
import time
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any

from typing_extensions import TypedDict

from .generated_children import child_action
from .record import Record


def highest(left: int, right: int) -> int:
    return max(left, right)


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MODES = ["values", "updates", "tasks", "checkpoints"]


class State(TypedDict):
    log: Annotated[list, operator.add]
    total: Annotated[int, operator.add]
    best: Annotated[int, highest]
    last: Any


@dataclass(frozen=True)
class NodePlan:
    """What a node does: how often it asks, what it writes, and where it says to go.

    `out` is "edges", "branch" (a conditional edge), "goto" (a Command) or "sends"; loops end once the log is
    long. `child` makes the node a graph of its own, see generated_children. `fails` is how often it raises
    before it does anything.
    """

    asks: int = 0
    writes: tuple[str, ...] = ("log",)
    out: str = "edges"
    targets: tuple[int, ...] = ()
    defer: bool = False
    child: str | None = None
    fails: int = 0


@dataclass(frozen=True)
class Plan:
    """A graph, its static breakpoints, the choices that the answers are drawn from, and what is done then."""

    nodes: tuple[NodePlan, ...]
    entries: tuple[int, ...]
    joins: tuple[tuple[tuple[int, ...], int], ...] = ()
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    choices: tuple[int, ...] = field(default=(0,))
    acts: tuple[tuple[str, int], ...] = ()


class PlannedFailure(Exception):
    """What a node raises that is planned to fail; the thread then goes on by `invoke(None)`."""


ACTS = ("input", "goto", "update", "as_node", "fork", "copy", "replay")
"""What can be done to a thread from outside, once it has ended or while it is paused."""


def name(number: int) -> str:
    """Return a node's name: their order by name is another one than that in which they are added."""
    return f"n{9 - number}"


def build(plan: Plan, engine: str, saver: Any, delays: Sequence[float] = ()) -> Any:
    """Compile the planned graph on an engine; `delays` (seconds) let nodes take their time, each its own."""
    graph = import_module(f"{engine}.graph")
    types = import_module(f"{engine}.types")
    builder = graph.StateGraph(State)
    for number, node in enumerate(plan.nodes):
        action = _action(number, node, types, engine)
        if delays:
            action = _late(action, delays[number % len(delays)])
        builder.add_node(name(number), action, defer=node.defer)
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


def _late(action: Callable[[Any], Any], delay: float) -> Callable[[Any], Any]:
    def run(state: Any) -> Any:
        time.sleep(delay)
        return action(state)

    return run


def _action(number: int, node: NodePlan, types: Any, engine: str) -> Any:
    if node.child:
        then = [name(to) for to in node.targets[:1]]
        return child_action(node.child, f"child{number}", node.asks, engine, then)

    runs = count(1)

    def run(state: Any) -> Any:
        if next(runs) <= node.fails:
            time.sleep(0.02)  # so that the tasks beside it have ended
            raise PlannedFailure(name(number))
        log = state.get("log") or []
        answers = [types.interrupt({"node": number, "call": call}) for call in range(node.asks)]
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

    def get_state(self, config: Any, subgraphs: bool = False) -> Any:
        return self._runner.run(self._graph.aget_state(config, subgraphs=subgraphs))

    def update_state(self, *arguments: Any, **options: Any) -> Any:
        return self._runner.run(self._graph.aupdate_state(*arguments, **options))

    def get_state_history(self, config: Any) -> list[Any]:
        return self._runner.run(_collect(self._graph.aget_state_history(config)))


async def _collect(items: Any) -> list[Any]:
    return [item async for item in items]


def adrive(plan: Plan, engine: str, saver: Any, durability: str = "async") -> list[tuple[str, str]]:
    """Run the planned graph by its async methods and return what was seen."""
    with asyncio.Runner() as runner:
        return Drive(plan, Blocking(build(plan, engine, saver), runner), engine, durability).account()


def drive(plan: Plan, engine: str, saver: Any, durability: str = "async") -> list[tuple[str, str]]:
    """Run the planned graph to its end, then act on the thread as planned, and return what was seen."""
    return Drive(plan, build(plan, engine, saver), engine, durability).account()


def drive_on(plan: Plan, engine: str, saver: Any, durability: str = "async") -> list[tuple[str, str]]:
    """The same, but each run goes no further than its first pauses, so that acts find questions open."""
    return Drive(plan, build(plan, engine, saver), engine, durability, turns=2).account()


class Drive:
    """One thread of a planned graph: run it, answer as `choices` say, act on it from outside, run on."""

    modes = MODES

    def __init__(self, plan: Plan, graph: Any, engine: str, durability: str | None, turns: int = 14) -> None:
        self.plan, self.graph, self.durability, self.turns = plan, graph, durability, turns
        self.command = import_module(f"{engine}.types").Command
        self.record = Record()
        self.config: dict[str, Any] = {"configurable": {"thread_id": "1"}, "recursion_limit": 30}
        self.turn = 0
        self.nested = any(node.child for node in plan.nodes)
        # LangGraph gives a plain answer once more to a later question (D4), if one of these brings that about.
        self.plain_answers = not (plan.acts or self.nested or any(node.fails for node in plan.nodes))

    def account(self) -> list[tuple[str, str]]:
        self.run({"log": ["in"], "total": 1}, self.config, turns=self.turns)
        for act, number in self.plan.acts:
            self.record(f"act {act}", number)
            try:
                given, config = self.act(act, number)
            except Exception as error:
                self.record(f"act {act} error", type(error).__name__)
                continue
            if self.state(f"act {act} state") is not None:
                self.run(given, config, turns=min(4, self.turns))
        self.record("history", self.history())
        return self.record.entries

    def history(self) -> list[Any]:
        return list(self.graph.get_state_history(self.config))

    def run(self, given: Any, config: Any, turns: int) -> None:
        """Run to the end or for so many turns, each up to the next pause."""
        for _ in range(turns):
            going = self.step(given, config)
            config = self.config
            if not going:
                break
            state = self.state(f"turn {self.turn} state")
            if state is None or not state.next:
                break
            given = self.next_input(state)
            self.turn += 1

    def state(self, label: str) -> Any:
        """Return the thread's state, or None if it cannot be read: two tasks may have spoilt the step."""
        try:
            state = self.graph.get_state(self.config, subgraphs=self.nested)
        except Exception as error:
            self.record(f"{label} error", type(error).__name__)
            return None
        self.record(label, state)
        return state

    def step(self, given: Any, config: Any) -> bool:
        """Run once; return whether it came to a pause or an end."""
        chunks = []
        limited = {"recursion_limit": 30, **config}
        try:
            options = {"stream_mode": self.modes, "durability": self.durability, "subgraphs": self.nested}
            for chunk in self.graph.stream(given, limited, **options):
                chunks.append(chunk)
        except Exception as error:
            self.record(f"turn {self.turn} error", type(error).__name__)
            values = [c for c in chunks if _ends_a_step(c)]
            self.record.anonymous_bag(f"turn {self.turn} values before it", values)
            return isinstance(error, PlannedFailure)
        # Parallel tasks report in the order in which they end, so chunks are compared step by step as bags.
        for number, step in enumerate(_split(chunks)):
            self.record.anonymous_bag(f"turn {self.turn} step {number}", step)
        return True

    def next_input(self, state: Any) -> Any:
        """Answer some or all of what is open, or go on from a static breakpoint."""
        if not state.interrupts:
            return None
        choice = self.plan.choices[self.turn % len(self.plan.choices)]
        open_ids = [item.id for item in state.interrupts]
        if len(open_ids) == 1 and choice % 2 and self.plain_answers:
            return self.command(resume=f"scalar {self.turn}")
        wanted = open_ids if choice % 3 == 0 else open_ids[choice % len(open_ids) :][:1]
        # With "exit" LangGraph leaves what came with an answer out of the checkpoint that it was given at.
        update = {"total": 100} if choice == 4 and self.durability != "exit" else None
        return self.command(resume=dict.fromkeys(wanted, f"answer {self.turn}"), update=update)

    def act(self, act: str, number: int) -> tuple[Any, Any]:
        """Do something to the thread from outside; return the input and the config to run on with."""
        values = {"log": [f"act {number}"], "total": 10}
        node = name(number % len(self.plan.nodes))
        if act == "input":
            return {"log": ["more"]}, self.config
        if act == "goto":
            # LangGraph does not show what a node asks, or how it failed, that a goto from outside has started.
            quiet = [i for i, n in enumerate(self.plan.nodes) if not (n.asks or n.child or n.fails)]
            goto = name(quiet[number % len(quiet)]) if quiet else ()
            return self.command(goto=goto, update=values), self.config
        if act == "update":
            self.graph.update_state(self.config, values)
        elif act == "as_node":
            # Of a task that is pending, too, history tells the update's writes among its own, in some order.
            pending = [task.name for task in self.graph.get_state(self.config).tasks]
            self.graph.update_state(self.config, values, as_node=None if node in pending else node)
        elif act in ("fork", "copy", "replay"):
            history = [one for one in self.history() if act != "replay" or self.can_be_replayed(one)]
            old = history[number % len(history)].config
            if act == "replay":
                return None, old
            self.graph.update_state(old, *((values,) if act == "fork" else (None, "__copy__")))
        return None, self.config

    def can_be_replayed(self, snapshot: Any) -> bool:
        """Whether both engines go on from it the same way: not where a branch's question was answered (D4)."""
        asking = {name(i) for i, node in enumerate(self.plan.nodes) if node.asks or node.child}
        return snapshot.metadata["source"] not in ("update", "fork") or asking.isdisjoint(snapshot.next)


def _split(chunks: list[Any]) -> list[list[Any]]:
    steps: list[list[Any]] = [[]]
    for chunk in chunks:
        steps[-1].append(chunk)
        if _ends_a_step(chunk):
            steps.append([])
    return steps


def _ends_a_step(chunk: Any) -> bool:
    """Whether the graph itself (not a child) reports its values: all of the step's tasks are done."""
    mode, payload = chunk[-2:]
    return mode == "values" and "__interrupt__" not in payload and chunk[0] in ("values", ())
