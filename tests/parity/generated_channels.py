"""Random graphs with state keys of every kind, schemas of their own, Commands, Sends, retries, caches and a child graph.

What LangGraph does otherwise by the list of differences is left out: keys that are not saved where only the end is
(D31), one cache key for several tasks (D24), changes by hand of what was answered (D29). Whose update it is that names no
node depends in LangGraph on which steps were saved.
"""

from __future__ import annotations

import operator
import random
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from typing_extensions import TypedDict

from .generated import Drive, Plan, PlannedFailure, highest, name

if TYPE_CHECKING:
    from collections.abc import Callable

MODES = ["values", "updates", "tasks", "checkpoints"]
KEYS = (
    "log", "log", "total", "best", "msgs", "msgs", "first", "flash", "told", "kept", "scratch", "same", "secret",
    "anew", "remove", "last",
)  # fmt: skip
"""What a node may write: state keys, the log anew, or that the oldest message goes."""

OUTS = ("edges", "edges", "branch", "goto", "sends", "goto sends")
SHAPES = ("dict", "dict", "dict", "Command", "list", "nothing")
ACTS = ("input", "goto", "update", "as_node", "fork", "copy", "replay", "by hand", "in bulk")
BY_HAND = {"update", "as_node", "by hand", "in bulk"}
_ENOUGH = 10
_EXIT = ("scratch", "kept")
"""What LangGraph saves where only the end is: D31, and a Topic that accumulates as it is a moment later."""


def _first(left: str, right: str) -> str:
    return left or right


@dataclass(frozen=True)
class KeyedNode:
    """As `NodePlan`; `reads` is its input schema, `shape` the form in which it returns what it writes."""

    asks: int
    writes: tuple[str, ...]
    out: str
    targets: tuple[int, ...]
    reads: str
    shape: str
    defer: bool
    fails: int
    cached: bool
    named_paths: bool
    child: bool = False


@dataclass(frozen=True)
class Case:
    """A planned graph, the saver and the schemas that it has, and when its checkpoints are saved."""

    plan: Plan
    saver: str
    takes: str
    shows: str
    durability: str


def case(seed: int) -> Case:
    """Return one graph and what is done with it; every seed has its own."""
    drawn = random.Random(seed)
    size, durability = drawn.randint(1, 5), drawn.choice(("sync", "sync", "exit"))
    nodes = [_node(drawn, number, size) for number in range(size)]
    if any("sends" in node.out for node in nodes):
        nodes = [replace(node, cached=False) for node in nodes]
    if durability == "exit":
        nodes = [replace(n, writes=tuple(key for key in n.writes if key not in _EXIT)) for n in nodes]
    elif drawn.random() < 0.4:
        number = drawn.randrange(size)
        nodes[number] = replace(nodes[number], child=True, reads="State", fails=0, cached=False)
    if drawn.random() < 0.4:
        nodes = [replace(node, asks=0) for node in nodes]
    asks = any(node.asks for node in nodes)
    acts = [act for act in ACTS if not (asks and act in BY_HAND)] if durability == "sync" else ["input"]
    stops = drawn.random() < 0.25
    plan = Plan(
        nodes=tuple(nodes),
        entries=tuple(drawn.sample(range(size), drawn.randint(1, min(2, size)))),
        joins=_joins(drawn, size),
        before=(drawn.randrange(size),) if stops else (),
        after=(drawn.randrange(size),) if stops and drawn.random() < 0.5 else (),
        choices=tuple(drawn.randrange(6) for _ in range(drawn.randint(1, 4))),
        acts=tuple((drawn.choice(acts), drawn.randrange(13)) for _ in range(drawn.choice((0, 0, 1, 2)))),
    )
    saver = drawn.choice(("none", "memory", "memory", "sqlite"))
    takes, shows = drawn.choice(("State", "State", "In")), drawn.choice(("State", "Out"))
    return Case(plan, "memory" if asks and saver == "none" else saver, takes, shows, durability)


def _node(drawn: random.Random, number: int, size: int) -> KeyedNode:
    out, asks = drawn.choice(OUTS), drawn.choice((0, 0, 0, 1, 2))
    targets = drawn.sample(range(size), drawn.randint(0, min(2, size)))
    writes = tuple(drawn.sample(KEYS, drawn.randint(0, 4)))
    return KeyedNode(
        asks=asks,
        writes=("total", *writes) if asks else writes,
        out=out,
        targets=tuple(target for target in targets if out != "edges" or target > number),
        reads=drawn.choice(("State", "State", "Part", "Secret")),
        shape=drawn.choice(SHAPES),
        defer=drawn.random() < 0.08,
        fails=int(drawn.random() < 0.2),
        cached=not asks and drawn.random() < 0.3,
        named_paths=drawn.random() < 0.4,
    )


def _joins(drawn: random.Random, size: int) -> tuple[tuple[tuple[int, ...], int], ...]:
    if size < 3 or drawn.random() < 0.6:
        return ()
    target = drawn.randint(2, size - 1)
    return ((tuple(drawn.sample(range(target), 2)), target),)


class Graphs:
    """Builds planned graphs of one engine."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.graph, self.types = import_module(f"{engine}.graph"), import_module(f"{engine}.types")
        channels, managed = import_module(f"{engine}.channels"), import_module(f"{engine}.managed")
        log, best = Annotated[list, operator.add], Annotated[int, highest]
        total = Annotated[int, operator.add]
        flash, told = Annotated[Any, channels.EphemeralValue], Annotated[list, channels.Topic(str)]
        state = {
            "log": log, "total": total, "best": best, "last": Any,
            "msgs": Annotated[list, self.graph.add_messages], "first": Annotated[str, _first], "flash": flash,
            "told": told, "kept": Annotated[list, channels.Topic(str, True)],
            "scratch": Annotated[Any, channels.UntrackedValue], "same": Annotated[Any, channels.AnyValue],
            "left": managed.RemainingSteps, "is_last": managed.IsLastStep,
        }  # fmt: skip
        self.schemas: dict[str, Any] = {
            "State": TypedDict("State", state),
            "Part": TypedDict("Part", {"log": log, "best": best}),
            "Secret": TypedDict("Secret", {"log": log, "secret": str, "flash": flash}),
            "In": TypedDict("In", {"log": log, "total": total}),
            "Out": TypedDict("Out", {"log": log, "best": best, "told": told}),
            "Child": TypedDict(
                "Child",
                {"log": log, "best": best, "flash": flash, "told": told, "own": log, "total": total},
            ),
        }

    def build(self, planned: Case, saver: Any) -> Any:
        """Compile a planned graph."""
        plan, schemas = planned.plan, self.schemas
        builder = self.graph.StateGraph(
            schemas["State"], input_schema=schemas[planned.takes], output_schema=schemas[planned.shows]
        )
        for number, node in enumerate(plan.nodes):
            self._add(builder, number, node, len(plan.nodes))
        for entry in plan.entries:
            builder.add_edge(self.graph.START, name(entry))
        for sources, target in plan.joins:
            builder.add_edge([name(source) for source in sources], name(target))
        return builder.compile(
            checkpointer=saver,
            cache=import_module(f"{self.engine}.cache.memory").InMemoryCache(),
            interrupt_before=[name(number) for number in plan.before],
            interrupt_after=[name(number) for number in plan.after],
        )

    def _add(self, builder: Any, number: int, node: Any, size: int) -> None:
        policies: dict[str, Any] = {}
        if node.fails:
            policies["retry_policy"] = self.types.RetryPolicy(
                max_attempts=2, initial_interval=0.0, jitter=False, retry_on=PlannedFailure
            )
        if node.cached:
            policies["cache_policy"] = self.types.CachePolicy(
                key_func=lambda state: f"{state.get('log')} {state.get('best')}"
            )
        action = self._child(number, node) if node.child else self._action(number, node)
        builder.add_node(
            name(number), action, defer=node.defer, input_schema=self.schemas[node.reads], **policies
        )
        if node.out == "edges":
            for target in node.targets:
                builder.add_edge(name(number), name(target))
        elif node.out in ("branch", "sends"):
            ends = {f"to {i}": name(i) for i in range(size)} | {"stop": self.graph.END}
            builder.add_conditional_edges(
                name(number), self._path(node), ends if node.named_paths else [*ends.values()]
            )

    def _path(self, node: Any) -> Callable[[Any], Any]:
        def path(state: Any) -> Any:
            seen = len(state.get("log") or [])
            if not node.targets or seen > _ENOUGH:
                return "stop" if node.named_paths else self.graph.END
            if node.out == "sends":
                return self._sends(node)
            target = node.targets[seen % len(node.targets)]
            return f"to {target}" if node.named_paths else name(target)

        return path

    def _sends(self, node: Any) -> list[Any]:
        return [
            self.types.Send(name(target), {"log": [f"sent {i}"], "best": i, "secret": "sent"})
            for i, target in enumerate(node.targets)
        ]

    def _action(self, number: int, node: Any) -> Callable[..., Any]:
        runs: dict[str, int] = {}

        def run(state, config):
            place = config["configurable"]["checkpoint_ns"]
            runs[place] = runs.get(place, 0) + 1
            if node.fails and runs[place] % 2:
                raise PlannedFailure(name(number))
            answers = [self.types.interrupt({"node": number, "call": call}) for call in range(node.asks)]
            update = self._update(number, node, state, answers)
            if node.out in ("goto", "goto sends"):
                goto: Any = [] if len(state.get("log") or []) > _ENOUGH else [name(to) for to in node.targets]
                return self.types.Command(
                    update=update, goto=self._sends(node) if goto and node.out != "goto" else goto
                )
            return self._shaped(node.shape, update)

        return run

    def _shaped(self, shape: str, update: dict[str, Any]) -> Any:
        if shape == "Command":
            return self.types.Command(update=update)
        if shape == "list":
            return [{"total": 1}, self.types.Command(update=update)]
        return update or None if shape == "nothing" else update

    def _update(self, number: int, node: Any, state: Any, answers: list[Any]) -> dict[str, Any]:
        seen, known = len(state.get("log") or []), [message.id for message in state.get("msgs") or []]
        said = [AIMessage(f"{number} {seen}", id=f"m{number}"), HumanMessage("x", id=f"h{seen % 3}")]
        values = {
            "log": [f"{number}@{seen}:{','.join(state)}", *map(str, answers)], "total": number + 1,
            "best": seen * 2 + number, "last": number, "msgs": said, "first": f"f{number}", "flash": f"l{number}",
            "told": f"t{number}" if number % 2 else [f"t{number}", "u"], "kept": [f"k{number}"],
            "scratch": number, "same": "same", "secret": f"s{number}",
        }  # fmt: skip
        update = {key: values[key] for key in node.writes if key in values}
        if "anew" in node.writes:
            update["log"] = self.types.Overwrite([f"anew {number}"])
        if "remove" in node.writes and known:
            update["msgs"] = [RemoveMessage(id=known[0])]
        return update

    def _child(self, number: int, node: Any) -> Any:
        """A graph with a key of its own, whose last node asks, and may end in a Command to the graph above."""
        types = self.types
        told = {key: "c" for key in ("flash", "told") if key in node.writes}

        def work(state: Any) -> Any:
            answers = [types.interrupt({"child": number, "call": call}) for call in range(node.asks)]
            if node.out.startswith("goto"):
                goto = [] if len(state["log"]) > _ENOUGH else [name(target) for target in node.targets]
                return types.Command(graph=types.Command.PARENT, update={"log": [f"up {number}"]}, goto=goto)
            return {"log": [f"child {number}", *map(str, answers)], "own": ["worked"]}

        builder = self.graph.StateGraph(self.schemas["Child"], output_schema=self.schemas["Part"])
        builder.add_node("note", lambda state: {"own": [list(state)], **told}).add_node("work", work)
        builder.add_edge(self.graph.START, "note").add_edge("note", "work")
        if "kept" in node.writes:
            builder.add_node("beside", lambda state: {"own": ["beside"], "total": 1})
            builder.add_edge("note", "beside")
        return builder.compile(name=f"child {number}")


class KeyedDrive(Drive):
    """As `Drive`, with changes by hand of every kind of key."""

    modes = MODES

    def __init__(self, planned: Case, graphs: Graphs, saver: Any) -> None:
        super().__init__(
            planned.plan, graphs.build(planned, saver), graphs.engine, planned.durability if saver else None
        )
        self.types, self.plain_answers = graphs.types, False

    def account(self) -> list[tuple[str, str]]:
        """Without a saver there is one run."""
        if self.durability is not None:
            return super().account()
        self.step({"log": ["in"], "total": 1}, self.config)
        return self.record.entries

    def act(self, act: str, number: int) -> tuple[Any, Any]:
        if act == "by hand":
            values = {"log": self.types.Overwrite([f"hand {number}"]), "flash": "hand", "told": "hand"}
            said = [HumanMessage("hand", id="hand")]
            self.graph.update_state(self.config, {**values, "msgs": said}, as_node=name(0))
        elif act == "in bulk":
            node = name(number % len(self.plan.nodes))
            updates = [({"log": ["b1"]}, name(0)), ({"log": ["b2"], "best": 3, "same": "hand"}, node)]
            self.graph.bulk_update_state(
                self.config, [[self.types.StateUpdate(values, as_node)] for values, as_node in updates]
            )
        else:
            return super().act(act, number)
        return None, self.config
