"""What must hold for every graph: drawn at random, small, and the same in every run of the tests.

A graph is drawn as a plan: steps of parallel nodes, each with its questions, updates and errors to retry. One
plan is run in several ways, which must all lead to the same history.
"""

from __future__ import annotations

import asyncio
import operator
import sqlite3
import threading
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import langgraph.checkpoint.memory
import langgraph.checkpoint.sqlite
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypedDict

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Interrupt, Send, interrupt

from .asking import CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SMALL = {"derandomize": True, "deadline": None, "database": None}


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    total: Annotated[int, operator.add]
    last: str


@dataclass(frozen=True)
class NodePlan:
    """A node: what it asks, how much it adds, and how many Sends it issues."""

    name: str
    asks: tuple[str, ...]
    adds: int
    sends: int


Plan = tuple[tuple[NodePlan, ...], ...]
"""Steps of nodes that run side by side."""


def plans(asks: int = 2, sends: int = 2) -> st.SearchStrategy[Plan]:
    node = st.tuples(st.integers(0, asks), st.integers(0, 3), st.integers(0, sends))

    def named(steps: list[list[tuple[int, int, int]]]) -> Plan:
        return tuple(
            tuple(
                NodePlan(f"n{i}{j}", tuple(f"n{i}{j}.{k}?" for k in range(asked)), adds, sent)
                for j, (asked, adds, sent) in enumerate(step)
            )
            for i, step in enumerate(steps)
        )

    return st.lists(st.lists(node, min_size=1, max_size=3), min_size=1, max_size=3).map(named)


Hook = "Callable[[str], None]"


def nothing(_: str) -> None:
    """Let a node go on."""


def build(
    plan: Plan, ask: Callable[[str], Any], saver: Any, at_start: Hook = nothing, at_end: Hook = nothing
) -> Any:
    """The graph of a plan; `ask` gets the answer to a question, the hooks are called with a node's name."""
    builder = StateGraph(State)
    previous: list[str] = []
    for number, step in enumerate(plan):
        for node in step:
            builder.add_node(node.name, _action(node, ask, at_start, at_end))
            if not previous:
                builder.add_edge(START, node.name)
        if previous:
            # A barrier: the step starts when all of the one before have ended.
            builder.add_node(f"join{number}", lambda state: {"log": ["joined"]})
            builder.add_edge(previous, f"join{number}")
            for node in step:
                builder.add_edge(f"join{number}", node.name)
        previous = [node.name for node in step]
    builder.add_node("sent", lambda given: {"log": [given], "total": 1})
    return builder.compile(checkpointer=saver)


def _action(
    node: NodePlan, ask: Callable[[str], Any], at_start: Hook, at_end: Hook
) -> Callable[[State], Any]:
    def action(state: State) -> Any:
        at_start(node.name)
        answers = [ask(question) for question in node.asks]
        at_end(node.name)
        update: State = {"log": [node.name, *answers], "total": node.adds}
        return Command(update=update, goto=[Send("sent", f"{node.name} sent {n}") for n in range(node.sends)])

    return action


def answer_to(question: str) -> Any:
    """The script: each question has its own answer, and falsy ones are among them."""
    return {0: question, 1: None, 2: {}, 3: False}[sum(map(ord, question)) % 4]


def answered(result: Any, some: int = 0) -> Command[Any]:
    """The script's answers to what a run asked, by id; only the first `some` of them if that is not 0."""
    asked = result["__interrupt__"][: some or None]
    return Command(resume={question.id: answer_to(question.value) for question in asked})


def to_the_end(graph: Any, some: int = 0) -> Any:
    result = graph.invoke({"log": ["in"]}, CONFIG)
    while "__interrupt__" in result:
        result = graph.invoke(answered(result, some), CONFIG)
    return result


async def ato_the_end(graph: Any, some: int = 0) -> Any:
    result = await graph.ainvoke({"log": ["in"]}, CONFIG)
    while "__interrupt__" in result:
        result = await graph.ainvoke(answered(result, some), CONFIG)
    return result


def told(snapshots: Sequence[Any], *, questions: bool = True) -> list[Any]:
    """A history without the names that differ from run to run."""
    return [
        (
            snapshot.values,
            snapshot.next,
            snapshot.metadata["source"],
            snapshot.metadata["step"],
            [
                (t.name, t.path, t.error, t.result, [q.value for q in t.interrupts] if questions else None)
                for t in snapshot.tasks
            ],
        )
        for snapshot in snapshots
    ]


def history(graph: Any, **how: bool) -> list[Any]:
    return told(list(graph.get_state_history(CONFIG)), **how)


class Turns:
    """Makes nodes that run side by side go on in a drawn order."""

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order
        self.gate = threading.Condition()
        self.passed: set[str] = set()

    def wait(self, name: str) -> None:
        """Wait until those of the same step that come earlier in the order have passed."""
        step, number = name[:2], int(name[2:])
        with self.gate:
            earlier = {f"{step}{n}" for n in self.order[: self.order.index(number)]}
            self.gate.wait_for(lambda: earlier <= self.passed, timeout=0.05)
            self.passed.add(name)
            self.gate.notify_all()


@settings(max_examples=12, **SMALL)
@given(plan=plans(asks=0), order=st.permutations(range(3)))
def test_the_order_of_arrival_does_not_matter(plan, order):
    turns = Turns(order)
    one = build(plan, answer_to, InMemorySaver(), turns.wait)
    other = build(plan, answer_to, InMemorySaver())
    assert one.invoke({"log": ["in"]}, CONFIG) == other.invoke({"log": ["in"]}, CONFIG)
    assert history(one) == history(other)


@settings(max_examples=20, **SMALL)
@given(plan=plans(), some=st.integers(0, 1))
def test_stopping_and_going_on_equals_not_stopping(plan, some):
    stops = build(plan, interrupt, InMemorySaver())
    goes_through = build(plan, answer_to, InMemorySaver())
    assert to_the_end(stops, some) == goes_through.invoke({"log": ["in"]}, CONFIG)
    assert history(stops, questions=False) == history(goes_through, questions=False)


@settings(max_examples=15, **SMALL)
@given(plan=plans(asks=0), nodes=st.sets(st.sampled_from(["n00", "n10", "n11", "n20", "sent"]), min_size=1))
def test_stopping_at_breakpoints_equals_not_stopping(plan, nodes):
    graph = build(plan, answer_to, InMemorySaver())
    known = [name for name in nodes if name in graph.nodes]
    result = graph.invoke({"log": ["in"]}, CONFIG, interrupt_before=known)
    while graph.get_state(CONFIG).next:
        result = graph.invoke(None, CONFIG, interrupt_before=known)
    goes_through = build(plan, answer_to, InMemorySaver())
    assert result == goes_through.invoke({"log": ["in"]}, CONFIG)
    assert history(graph) == history(goes_through)


@settings(max_examples=15, **SMALL)
@given(plan=plans(), some=st.integers(0, 1))
def test_a_sync_and_an_async_run_are_the_same(plan, some):
    one, other = (build(plan, interrupt, InMemorySaver()) for _ in range(2))
    assert to_the_end(one, some) == asyncio.run(ato_the_end(other, some))
    assert history(one) == history(other)


@settings(max_examples=20, **SMALL)
@given(plan=plans(), failing=st.sets(st.sampled_from(["n00", "n01", "n10", "n11", "n20"]), min_size=1))
def test_failing_and_going_on_equals_not_failing(plan, failing):
    """Each of the `failing` nodes fails once, after its last answer."""
    left = set(failing)

    def fail(name: str) -> None:
        if name in left:
            left.remove(name)
            raise ConnectionError(name)

    fails = build(plan, interrupt, InMemorySaver(), at_end=fail)
    given: Any = {"log": ["in"]}
    while True:
        try:
            result = fails.invoke(given, CONFIG)
        except ConnectionError:
            given = None
            continue
        if "__interrupt__" not in result:
            break
        given = answered(result)
    goes_through = build(plan, answer_to, InMemorySaver())
    assert result == goes_through.invoke({"log": ["in"]}, CONFIG)
    assert told([fails.get_state(CONFIG)]) == told([goes_through.get_state(CONFIG)])


NAMES = {"id", "timestamp", "config", "parent_config", "created_at", "ns", "state"}


def without_names(chunk: Any) -> Any:
    """A chunk without the ids and times that differ from run to run."""
    if isinstance(chunk, dict):
        return {key: without_names(value) for key, value in chunk.items() if key not in NAMES}
    if isinstance(chunk, (list, tuple)):
        return [without_names(item) for item in chunk]
    return chunk.value if isinstance(chunk, Interrupt) else chunk


def in_any_order(chunks: Sequence[Any]) -> list[str]:
    """Chunks of tasks that run side by side come as they end."""
    return sorted(repr(without_names(chunk)) for chunk in chunks)


@settings(max_examples=10, **SMALL)
@given(plan=plans(asks=1), mode=st.sampled_from(["values", "updates", "tasks", "checkpoints", "debug"]))
def test_a_stream_tells_the_same_sync_and_async(plan, mode):
    async def astream(graph: Any) -> list[Any]:
        return [chunk async for chunk in graph.astream({"log": ["in"]}, CONFIG, stream_mode=mode)]

    one, other = (build(plan, interrupt, InMemorySaver()) for _ in range(2))
    chunks = list(one.stream({"log": ["in"]}, CONFIG, stream_mode=mode))
    assert in_any_order(chunks) == in_any_order(asyncio.run(astream(other)))


@settings(max_examples=8, **SMALL)
@given(plan=plans(), durability=st.sampled_from(["sync", "async", "exit"]))
def test_durability_does_not_change_the_end(plan, durability):
    def end(how: str) -> Any:
        graph = build(plan, interrupt, InMemorySaver())
        result = graph.invoke({"log": ["in"]}, CONFIG, durability=how)
        while "__interrupt__" in result:
            result = graph.invoke(answered(result), CONFIG, durability=how)
        return result, told([graph.get_state(CONFIG)])

    assert end(durability) == end("sync")


@contextmanager
def sync_savers() -> Iterator[dict[str, Any]]:
    with (
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as theirs,
        SqliteSaver.from_conn_string(":memory:") as ours,
    ):
        yield {
            "SqliteSaver": ours,
            "LangGraph's InMemorySaver": langgraph.checkpoint.memory.InMemorySaver(),
            "LangGraph's SqliteSaver": langgraph.checkpoint.sqlite.SqliteSaver(theirs),
        }


@settings(max_examples=12, **SMALL)
@given(plan=plans(), some=st.integers(0, 1))
def test_every_saver_tells_what_the_memory_saver_tells(plan, some):
    expected = build(plan, interrupt, InMemorySaver())
    result = to_the_end(expected, some)
    with sync_savers() as savers:
        for name, saver in savers.items():
            graph = build(plan, interrupt, saver)
            assert to_the_end(graph, some) == result, name
            assert history(graph) == history(expected), name


@settings(max_examples=8, **SMALL)
@given(plan=plans(), some=st.integers(0, 1))
def test_the_async_saver_tells_what_the_memory_saver_tells(plan, some):
    expected = build(plan, interrupt, InMemorySaver())
    result = to_the_end(expected, some)

    async def in_sqlite() -> Any:
        async with AsyncExitStack() as stack:
            saver = await stack.enter_async_context(AsyncSqliteSaver.from_conn_string(":memory:"))
            graph = build(plan, interrupt, saver)
            end = await ato_the_end(graph, some)
            return end, told([snapshot async for snapshot in graph.aget_state_history(CONFIG)])

    assert asyncio.run(in_sqlite()) == (result, history(expected))


@settings(max_examples=10, **SMALL)
@given(plan=plans(asks=1), data=st.data())
def test_a_replay_from_any_checkpoint_leads_to_the_same_end(plan, data):
    graph = build(plan, interrupt, InMemorySaver())
    result = to_the_end(graph)
    past = data.draw(st.sampled_from(list(graph.get_state_history(CONFIG))))
    again = graph.invoke(None, past.config)
    while "__interrupt__" in again:
        again = graph.invoke(answered(again), CONFIG)
    assert again == result
