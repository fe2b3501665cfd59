"""Random programs that ask, and random things done to their threads."""

from __future__ import annotations

import operator
from copy import deepcopy
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from nbhitl import once
from nbhitl.channels import EphemeralValue, UntrackedValue
from nbhitl.checkpoint.bundle import export_thread, import_thread
from nbhitl.errors import NodeInterrupt
from nbhitl.graph import END, START, StateGraph
from nbhitl.types import Command, RetryPolicy, Send, interrupt

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


NOW = "2026-01-01T00:00:00.000000+00:00"
CONFIG: Any = {"configurable": {"thread_id": "t"}}
OUTSIDE = "00000000-0000-0000-0000-000000000000"
PLAIN = {
    "n": Annotated[int, operator.add],
    "said": Annotated[str, lambda said, new: max(said, new)],
    "other": str | None,
}
STATES = [PLAIN] * 6 + [
    {**PLAIN, "items": Annotated[list, operator.add]},
    {**PLAIN, "brief": Annotated[int, EphemeralValue]},
    {**PLAIN, "unsaved": Annotated[int, UntrackedValue]},
]
ANSWERS = ["x", "y", None, 7, {}, [1], True, "more", {"a": 1}, 2.5, b"b"]


class Program:
    """A random graph; `log` tells what its nodes got, and how often they were called."""

    def __init__(self, random: Random, log: list[Any], *, side_by_side: bool) -> None:
        self.random = random
        self.side_by_side = side_by_side
        self.log = log
        self.calls = count()
        # Which other tasks of a step a failure stops is up to the event loop.
        self.fails_at = side_by_side and {random.randrange(1, 25) for _ in range(random.choice([0, 0, 1, 4]))}
        self.names = [f"n{i}" for i in range(random.choice([1, 1, 2, 3, 4]))]
        # A checker knows no TypedDict whose keys are drawn.
        self.state: Any = TypedDict("State", random.choice(STATES), total=False)  # type: ignore[operator]
        self.builder = self._built(self.names, nests=random.random() < 0.25)

    def _built(self, names: list[str], *, nests: bool) -> Any:
        random, builder = self.random, StateGraph(self.state)
        for name in names:
            more: dict[str, Any] = {}
            if random.random() < 0.15:
                more["retry_policy"] = RetryPolicy(initial_interval=0.0, jitter=False, max_attempts=2)
            if random.random() < 0.1:
                more["error_handler"] = self._node(f"{name}'s handler")
            if random.random() < 0.05:
                more["defer"] = True
            builder.add_node(
                name, self._below(name) if nests and random.random() < 0.6 else self._node(name), **more
            )
        builder.add_edge(START, names[0])
        for i, name in enumerate(names):
            self._edge(builder, name, names, i)
        return builder

    def _edge(self, builder: Any, name: str, names: list[str], i: int) -> None:
        following = names[i + 1] if i + 1 < len(names) else END
        kind, limit = self.random.random(), self.random.randrange(3, 9)
        if not self.side_by_side and 0.25 < kind < 0.42:
            kind = 0.5
        if kind < 0.25:
            builder.add_conditional_edges(name, lambda s: names[0] if s.get("n", 0) < limit else following)
        elif kind < 0.35 and i + 2 < len(names):
            builder.add_edge(name, following)
            builder.add_edge(name, names[i + 2])
        elif kind < 0.42 and following != END:
            builder.add_conditional_edges(
                name, lambda s: [Send(following, dict(s)) for _ in range(1 + s["n"] % 2)]
            )
        else:
            builder.add_edge(name, following)

    def _below(self, name: str) -> Any:
        graph = self._built([f"{name}_{i}" for i in range(self.random.choice([1, 2]))], nests=False)
        compiled = graph.compile(checkpointer=self.random.choice([None, None, True]))
        if self.random.random() < 0.5:
            return compiled
        asks = self.random.random() < 0.5

        def call(state: Any) -> Any:
            before = interrupt("before") if asks else None
            result = compiled.invoke({"n": 1})
            return {"n": result["n"], "other": str(before), "said": interrupt("after")}

        return call

    def _node(self, name: str) -> Callable[[Any], Any]:
        random = self.random
        asked = [
            random.choice(["ask", "ask", "state", "dict", "changing"])
            for _ in range(random.choice([0, 1, 1, 2, 3]))
        ]
        on_return, changes, does_once = random.random(), random.random() < 0.2, random.random() < 0.2
        raises = random.random() < 0.04
        target = random.choice(self.names)
        extra = {
            key: [1] if key == "items" else 1 for key in self.state.__annotations__.keys() - PLAIN.keys()
        }

        def node(state: Any) -> Any:
            self.log.append((name, [*state.items()]))
            if changes:
                state["said"] = "changed in place"
                state.get("items", []).append("in place")
            answers: list[Any] = []
            self._may_fail()
            for i, kind in enumerate(asked):
                answers.append(interrupt(self._question(kind, i, state)))
                self.log.append((name, repr(answers)))
                self._may_fail()
                if changes and isinstance(answers[-1], (list, dict)):
                    answers[-1].clear()
            while answers and answers[-1] == "more":
                answers.append(interrupt(f"more {len(answers)}"))
            if raises:
                raise NodeInterrupt("raised")
            if does_once:
                once(f"{name} {answers!r}", lambda: self.log.append("once") or 1)
            update = {"n": 1, "said": repr(answers), **extra}
            return (
                Command(update=update, goto=target)
                if on_return < 0.05
                else None
                if on_return > 0.97
                else update
            )

        return node

    def _may_fail(self) -> None:
        if next(self.calls) in (self.fails_at or ()):
            raise OSError("no space")

    def _question(self, kind: str, i: int, state: Any) -> Any:
        if kind == "state":
            return f"question {i} at {state.get('n')}"
        if kind == "changing":
            return f"question {i} of call {next(self.calls) // 40}"
        return {"i": i, "k": (1, None)} if kind == "dict" else f"question {i}"


class Doing:
    """Does one random thing after another to a thread; `driver` awaits what async graphs and savers return."""

    def __init__(self, random: Random, program: Program, saver: Any, driver: Any) -> None:
        self.random = random
        self.program = program
        self.saver = saver
        self.driver = driver
        self.graph = program.builder.compile(checkpointer=saver)
        self.seen: list[str] = []
        self.configs: list[Any] = []
        self.asks = False

    def call(self, owner: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if self.driver is None:
            return getattr(owner, method)(*args, **kwargs)
        return self.driver.run_until_complete(getattr(owner, f"a{method}")(*args, **kwargs))

    def one(self) -> Any:
        """Do something and return what came of it."""
        kinds, weights = zip(*KINDS, strict=True)
        (kind,) = self.random.choices(kinds, weights)
        if not self.asks and self.random.random() < 0.7:
            kind = Doing.input
        try:
            return kind.__name__, repr(kind(self))
        except Exception as error:
            return kind.__name__, type(error).__name__, str(error), getattr(error, "__notes__", [])

    def look(self) -> Any:
        """What the thread shows."""
        try:
            state = self.call(self.graph, "get_state", CONFIG)
        except Exception as error:
            return type(error).__name__, str(error)
        self.seen += [question.id for question in state.interrupts]
        self.asks = bool(state.interrupts)
        if state.created_at is not None:
            self.configs.append(state.config)
        return repr(state), [*state.values.items()] if isinstance(state.values, dict) else state.values

    def open_ids(self) -> list[str]:
        return [question.id for question in self.call(self.graph, "get_state", CONFIG).interrupts]

    def run(self, input: Any, config: Any = CONFIG) -> Any:
        random, more = self.random, {}
        config = {"max_concurrency": 1, "recursion_limit": 25, **config}
        if random.random() < 0.15:
            more["durability"] = random.choice(["sync", "async", "exit"])
        if random.random() < 0.05:
            more[random.choice(["interrupt_before", "interrupt_after"])] = random.choice(
                ["*", self.program.names[:1]]
            )
        if random.random() < 0.1:
            config = {**config, "recursion_limit": random.randrange(1, 9), "metadata": {"who": "ada"}}
        if random.random() < 0.05:
            extra = random.choice(
                [{"replay_check": "off"}, {"replay_check": "site"}, {"__pregel_strict_resume": True}]
            )
            config = {**config, "configurable": {**config["configurable"], **extra}}
        if random.random() < 0.08 and self.driver is None:
            return [
                *self.graph.stream(
                    input, config, stream_mode=random.choice(["values", "updates", "tasks"]), **more
                )
            ]
        return self.call(self.graph, "invoke", input, config, **more)

    # -- what can be done --------------------------------------------------------------------------------

    def input(self) -> Any:
        return self.run({"n": 1, **self.random.choice([{}, {"said": "in"}, {"other": None}])})

    def answer(self) -> Any:
        return self.run(Command(resume=self.random.choice(deepcopy(ANSWERS))))

    def answer_by_id(self) -> Any:
        ids = self.open_ids() or self.seen[-1:]
        return self.run(Command(resume={id: self.random.choice(deepcopy(ANSWERS)) for id in ids}))

    def answer_an_old_one(self) -> Any:
        ids = [
            *self.random.sample(self.seen, min(1, len(self.seen))),
            *self.random.choice([[], self.open_ids()]),
        ]
        return self.run(Command(resume=dict.fromkeys(ids, "late")))

    def go_on(self) -> Any:
        return self.run(None)

    def command(self) -> Any:
        random, parts = self.random, {}
        if random.random() < 0.6:
            parts["update"] = random.choice([{"n": 2}, {"other": "from a command"}, {}])
        if random.random() < 0.3:
            parts["goto"] = random.choice(self.program.names)
        if random.random() < 0.5:
            parts["resume"] = random.choice(deepcopy(ANSWERS))
        return self.run(Command(**parts))

    def update(self) -> Any:
        as_node = self.random.choice([None, *self.program.names])
        config = self.random.choice([CONFIG, *self.configs[-3:]])
        return self.call(self.graph, "update_state", config, {"n": 3, "other": "by hand"}, as_node)

    def travel(self) -> Any:
        config = self.random.choice(self.configs or [CONFIG])
        return self.run(self.random.choice([None, Command(resume="there")]), config)

    def compile_again(self) -> Any:
        self.graph = self.program.builder.compile(checkpointer=self.saver)

    def write(self) -> Any:
        config, task = (
            self.call(self.graph, "get_state", CONFIG).config,
            self.random.choice([OUTSIDE, OUTSIDE[:-1] + "1"]),
        )
        return self.call(self.saver, "put_writes", config, [("n", 10)], task)

    def put_again(self) -> Any:
        found = self.call(self.saver, "get_tuple", self.random.choice(self.configs or [CONFIG]))
        values = {**found.checkpoint["channel_values"], "other": "put again"}
        before = found.parent_config or CONFIG
        before = {"configurable": {"checkpoint_ns": "", **before["configurable"]}}
        return self.call(
            self.saver, "put", before, {**found.checkpoint, "channel_values": values}, found.metadata, {}
        )

    def claim(self) -> Any:
        claims = self.call(self.saver, "claims", "t")
        place = self.random.choice(claims)[:4]
        method = self.random.choice(["release", "drop", "record"])
        if method == "record":
            return self.call(
                self.saver, "record_answer", *place, self.random.choice(deepcopy(ANSWERS)), "ada", NOW
            )
        return self.call(self.saver, method, *place[:3], [place[3]])

    def keep(self) -> Any:
        method = self.random.choice(["delete", "prune", "copy", "bundle", "bundle"])
        if method == "delete":
            return self.call(self.saver, "delete_thread", "t")
        if method == "prune":
            return self.call(
                self.saver, "prune", ["t"], strategy=self.random.choice(["keep_latest", "delete"])
            )
        if method == "copy":
            self.call(self.saver, "delete_thread", "u")
            self.call(self.saver, "copy_thread", "t", "u")
            self.call(self.saver, "delete_thread", "t")
            return self.call(self.saver, "copy_thread", "u", "t")
        if self.driver is not None:
            return None
        bundle = export_thread(self.saver, "t")
        self.saver.delete_thread("t")
        return import_thread(self.saver, bundle) and None


KINDS: list[tuple[Callable[[Doing], Any], int]] = [
    (Doing.input, 3), (Doing.answer, 12), (Doing.answer_by_id, 5), (Doing.answer_an_old_one, 1), (Doing.go_on, 2),
    (Doing.command, 8), (Doing.update, 2), (Doing.travel, 1), (Doing.compile_again, 1), (Doing.write, 1),
    (Doing.put_again, 1), (Doing.claim, 1), (Doing.keep, 1),
]  # fmt: skip
