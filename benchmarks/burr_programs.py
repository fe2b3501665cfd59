"""The programs in Burr's own words, as far as it has counterparts for them.

A thread is an application id. The graph is built once; a run builds an application on it, as its users do,
which loads the thread's last state from the persister if there is one.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.engines import sqlite_connection
from benchmarks.graphs import Laps, answer, line, question
from benchmarks.workloads import WAITING_EVERY, WIDE

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from benchmarks.workloads import Workload

    Run = Callable[[str], Any]


def prepare(stack: ExitStack, workload: Workload, path: Path) -> Run | None:
    """Return `run(thread)`, or None where Burr has no counterpart here."""
    program = PROGRAMS.get(workload.program)
    if program is None:
        return None
    from burr.core.persistence import InMemoryPersister

    if workload.store == "none":
        return program(None, workload.size)
    if workload.store == "memory":
        return program(InMemoryPersister(), workload.size)
    return program(_sqlite(stack, workload.store, path), workload.size)


def read(program: str, path: Path, size: int, thread: str) -> Any:
    """Return the result of a run from its file."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        persister = _sqlite(stack, "sqlite", path)
        if program == "ask":
            return [persister.load(None, f"{thread}-{i}")["state"]["n"] for i in range(size)]
        state = persister.load(None, thread)["state"]
        if program in ("grow", "chat"):
            return len(state["items"])
        return state["items"] if program == "ask_often" else {key: state[key] for key in _start(program)}


def _sqlite(stack: ExitStack, store: Any, path: Path) -> Any:
    from burr.core.persistence import SQLitePersister

    persister = SQLitePersister(str(path), connection=stack.enter_context(sqlite_connection(store, path)))
    persister.initialize()
    return persister


def _start(program: str) -> dict[str, int]:
    return {f"k{i}": 0 for i in range(WIDE)} if program == "wide" else {"n": 0}


def _graph(actions: dict[str, Any], *transitions: Any) -> Any:
    from burr.core.graph import GraphBuilder

    return GraphBuilder().with_actions(**actions).with_transitions(*transitions).build()


def _application(graph: Any, persister: Any, thread: str, entry: str, start: dict[str, Any]) -> Any:
    """An application for a thread, which goes on where the persister says that it was."""
    from burr.core import ApplicationBuilder

    builder: Any = ApplicationBuilder().with_graph(graph).with_identifiers(app_id=thread)
    if persister is None:
        return builder.with_entrypoint(entry).with_state(**start).build()
    builder = builder.initialize_from(
        persister, resume_at_next_action=True, default_state=start, default_entrypoint=entry
    )
    return builder.with_state_persister(persister).build()


def _adders(keys: list[str]) -> Any:
    """A chain of actions, each of which adds one to a key."""
    actions = {f"a{i}": _adder(key) for i, key in enumerate(keys)}
    return _graph(actions, *((f"a{i}", f"a{i + 1}") for i in range(len(keys) - 1)))


def _adder(key: str) -> Any:
    from burr.core import action

    @action(reads=[key], writes=[key])
    def add(state: Any) -> Any:
        return state.update(**{key: state[key] + 1})

    return add


def _run_adders(persister: Any, keys: list[str], start: dict[str, int]) -> Run:
    graph, last = _adders(keys), f"a{len(keys) - 1}"

    def run(thread: str) -> Any:
        _, _, state = _application(graph, persister, thread, "a0", start).run(halt_after=[last])
        return {key: state[key] for key in start}

    return run


def chain(persister: Any, size: int) -> Run:
    return _run_adders(persister, ["n"] * size, _start("chain"))


def wide(persister: Any, size: int) -> Run:
    return _run_adders(persister, [f"k{i}" for i in range(size)], _start("wide"))


def build(persister: Any, size: int) -> Run:
    return lambda thread: len(_adders(["n"] * size).actions)


def first_event(persister: Any, size: int) -> Run:
    graph = _adders(["n"] * size)

    def run(thread: str) -> Any:
        steps = _application(graph, persister, thread, "a0", _start("chain")).iterate(
            halt_after=[f"a{size - 1}"]
        )
        action, _, state = next(steps)
        steps.close()
        return {action.name.replace("a", "n"): {"n": state["n"]}}

    return run


def grow(persister: Any, size: int) -> Run:
    from burr.core import action, default, expr

    @action(reads=["items"], writes=["items"])
    def step(state: Any) -> Any:
        return state.append(items=line(len(state["items"])))

    @action(reads=[], writes=[])
    def done(state: Any) -> Any:
        return state

    graph = _graph(
        {"step": step, "done": done},
        ("step", "done", expr(f"len(items) == {size}")),
        ("step", "step", default),
    )

    def run(thread: str) -> int:
        application = _application(graph, persister, thread, "step", {"items": []})
        return len(application.run(halt_before=["done"])[2]["items"])

    return run


def chat(persister: Any, size: int) -> Run:
    from burr.core import action

    @action(reads=["items"], writes=["items"])
    def human(state: Any, text: str) -> Any:
        return state.append(items={"type": "human", "content": text})

    @action(reads=["items"], writes=["items"])
    def reply(state: Any) -> Any:
        return state.append(items={"type": "ai", "content": answer(len(state["items"]))})

    graph = _graph({"human": human, "reply": reply}, ("human", "reply"), ("reply", "human"))

    def run(thread: str) -> Laps:
        laps, count = [], 0
        for turn in range(size):
            begin = perf_counter()
            application = _application(graph, persister, thread, "human", {"items": []})
            _, _, state = application.run(halt_after=["reply"], inputs={"text": question(turn)})
            count = len(state["items"])
            laps.append(perf_counter() - begin)
        return Laps(count, laps)

    return run


def fan_out(persister: Any, size: int) -> Run:
    from burr.core import action
    from burr.core.action import create_action
    from burr.core.parallelism import MapStates

    @action(reads=["n"], writes=["total"])
    def work(state: Any) -> Any:
        return state.update(total=state["n"])

    named: Any = create_action(work, "work")

    class Join(MapStates):
        """Runs `work` once for each number."""

        def action(self, state: Any, inputs: Any) -> Any:
            return named

        def states(self, state: Any, context: Any, inputs: Any) -> Any:
            for n in range(size):
                yield state.update(n=n)

        def reduce(self, state: Any, states: Any) -> Any:
            return state.update(total=sum(found["total"] for found in states))

        @property
        def reads(self) -> list[str]:
            return ["total"]

        @property
        def writes(self) -> list[str]:
            return ["total"]

    graph = _graph({"join": Join()})

    def run(thread: str) -> Any:
        return _application(graph, persister, thread, "join", {"total": 0}).run(halt_after=["join"])[2][
            "total"
        ]

    return run


def _asking() -> Any:
    """A graph that stops before `take`, which takes an answer as its input."""
    from burr.core import action

    @action(reads=[], writes=["question"])
    def ask(state: Any) -> Any:
        return state.update(question="how many?")

    @action(reads=["items"], writes=["items", "n"])
    def take(state: Any, answer: int) -> Any:
        return state.append(items=answer).update(n=answer)

    return _graph({"ask": ask, "take": take}, ("ask", "take"), ("take", "ask"))


def _asked(graph: Any, persister: Any, thread: str) -> None:
    _application(graph, persister, thread, "ask", {"items": [], "n": 0}).run(halt_before=["take"])


def _answered(graph: Any, persister: Any, thread: str, value: int) -> Any:
    application = _application(graph, persister, thread, "ask", {"items": [], "n": 0})
    return application.run(halt_after=["take"], inputs={"answer": value})[2]


def ask(persister: Any, size: int) -> Run:
    graph = _asking()

    def once(thread: str) -> int:
        _asked(graph, persister, thread)
        return int(_answered(graph, persister, thread, 7)["n"])

    return lambda thread: [once(f"{thread}-{i}") for i in range(size)]


def ask_often(persister: Any, size: int) -> Run:
    """An action cannot be left in its middle, so it is a loop of two."""
    graph = _asking()

    def run(thread: str) -> Any:
        state = None
        for i in range(size):
            _asked(graph, persister, thread)
            state = _answered(graph, persister, thread, i)
        return list(state["items"]) if state else []

    return run


def _count_to(persister: Any, size: int) -> None:
    """Fill a thread with the states of a loop that counts."""
    from burr.core import State

    for n in range(size + 1):
        persister.save(None, "long", n, "count", State({"n": n}), "completed")


def get_state(persister: Any, size: int) -> Run:
    _count_to(persister, size)
    return lambda thread: persister.load(None, "long")["state"].get_all()


def history(persister: Any, size: int) -> Run:
    """There is no listing of a thread's states; they are loaded by number."""
    import pandas as pd

    _count_to(persister, size + 1)

    def run(thread: str) -> list[int]:
        loaded = [persister.load(None, "long", n) for n in range(size + 2)]
        frame = pd.DataFrame({
            "step": [one["sequence_id"] - 1 for one in loaded], "ran": [one["position"] for one in loaded],
        })  # fmt: skip
        return [len(frame), int(frame["step"].iloc[-1])]

    return run


def pending(persister: Any, size: int) -> Run:
    """A thread waits if its last state was saved by the action that asks."""
    from burr.core import State

    for i in range(size):
        position = "take" if i % WAITING_EVERY else "ask"
        persister.save(None, f"thread-{i}", 0, position, State({"n": i}), "completed")

    def is_waiting(thread: str) -> bool:
        return bool(persister.load(None, thread)["position"] == "ask")

    return lambda thread: sum(map(is_waiting, persister.list_app_ids(None)))


PROGRAMS: dict[str, Callable[[Any, int], Run]] = {
    program.__name__: program
    for program in (
        chain, wide, build, first_event, grow, chat, fan_out, ask, ask_often, get_state, history, pending
    )
}  # fmt: skip
"""All programs, by name."""
