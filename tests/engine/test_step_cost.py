"""A step does the same work in a small graph and in a large one: instructions are counted, not time."""

from __future__ import annotations

import operator
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import pytest

from nbhitl.checkpoint import _metadata
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.stamps import new_stamp
from nbhitl.engine import prepare
from nbhitl.graph import END, START, StateGraph

if TYPE_CHECKING:
    from types import FrameType

WINDOW = 8
"""So many steps are counted, of which the cheapest tells: a snapshot of the state is due now and then."""

SLACK = 60
"""Instructions, of some 2000, by which the caches of a process may make a step dearer than another."""


class Meter:
    """Counts the bytecode instructions that pass from one call of `lap` to the next."""

    def __init__(self) -> None:
        self.laps: list[int] = []
        self._count = 0

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self._count += event == "opcode"
        return self._trace

    def lap(self) -> None:
        """Begin to count, in the frames that are running too; note what has passed since the last call."""
        if len(self.laps) > WINDOW:
            sys.settrace(None)
            return
        self.laps.append(self._count)
        self._count = 0
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and "nbhitl" in frame.f_code.co_filename:
            frame.f_trace, frame.f_trace_opcodes, frame.f_trace_lines = self._trace, True, False
            frame = frame.f_back
        sys.settrace(self._trace)

    def step(self) -> int:
        """Return the instructions of the cheapest step."""
        assert len(self.laps) > WINDOW
        return min(self.laps[1:])


class Number(TypedDict):
    n: int


class Log(TypedDict):
    n: int
    log: Annotated[list[int], operator.add]


@pytest.fixture(params=["none", "memory", "sqlite"])
def saver(request, tmp_path):
    if request.param == "sqlite":
        with SqliteSaver.from_conn_string(str(tmp_path / "x.db")) as saver:
            yield saver
    else:
        yield InMemorySaver() if request.param == "memory" else None


@pytest.fixture
def untraced(monkeypatch):
    before = sys.gettrace()
    # To tell the time costs more where a unit of it begins: no step comes upon that, however slow it is to be counted.
    # Metadata of the first thousand steps are remembered by the process: a short run would find its own there.
    monkeypatch.setattr(_metadata, "_known_metadata", _metadata._known_metadata.__wrapped__)
    now = time.time_ns()
    monkeypatch.setattr(prepare.CLOCK, "stamp", partial(new_stamp, now))
    monkeypatch.setattr(prepare.CLOCK, "now", lambda: "2026-01-01T00:00:00.000000+00:00")
    # The first time that a process counts, Python 3.12 can miss the frames that are running already.
    meter = Meter()
    for _ in range(2):
        meter.lap()
    sys.settrace(before)
    yield
    sys.settrace(before)


def run(graph: Any, input: Any, meter: Meter, thread: str) -> Any:
    try:
        # Whether quick steps are committed together depends on the time that has passed: here each is by itself.
        config = {"configurable": {"thread_id": thread}, "recursion_limit": 100_000}
        how = {} if graph.checkpointer is None else {"durability": "sync"}
        return graph.invoke(input, config, **how)
    finally:
        sys.settrace(None)


def step_in_a_chain(size: int, saver: Any) -> int:
    """The cost of a step in a chain of so many nodes."""
    meter = Meter()

    def add(state: Number) -> dict[str, int]:
        if state["n"] >= size // 2:
            meter.lap()
        return {"n": state["n"] + 1}

    builder = StateGraph(Number)
    for i in range(size):
        builder.add_node(f"n{i}", add)
        builder.add_edge(f"n{i - 1}" if i else START, f"n{i}")
    assert run(builder.compile(checkpointer=saver), {"n": 0}, meter, f"chain of {size}") == {"n": size}
    return meter.step()


def step_of_a_wide_state(width: int, saver: Any) -> int:
    """The cost of a step that writes one key of so many."""
    meter = Meter()
    keys = [f"k{i}" for i in range(width)]

    def count(state: Any) -> dict[str, int]:
        meter.lap()
        return {"k3": state["k3"] + 1}

    builder = StateGraph(TypedDict("Wide", dict.fromkeys(keys, int)))  # type: ignore[operator]
    builder.add_node("count", count)
    builder.add_edge(START, "count")
    builder.add_conditional_edges("count", lambda state: END if state["k3"] == 12 else "count")
    graph = builder.compile(checkpointer=saver)
    assert run(graph, dict.fromkeys(keys, 0), meter, f"{width} keys")["k3"] == 12
    return meter.step()


def step_that_fills_a_key(width: int, saver: Any) -> int:
    """The cost of a step that writes one of so many keys for the first time, in the order of the schema."""
    meter = Meter()
    keys = [f"k{i}" for i in range(width)]

    def fill(state: Any) -> dict[str, int]:
        meter.lap()
        return {keys[len(state)]: 1}

    builder = StateGraph(TypedDict("Filling", dict.fromkeys(keys, int)))  # type: ignore[operator]
    builder.add_node("fill", fill)
    builder.add_edge(START, "fill")
    builder.add_conditional_edges("fill", lambda state: END if len(state) == width else "fill")
    graph = builder.compile(checkpointer=saver)
    filled = run(graph, dict.fromkeys(keys[:-12], 0), meter, f"{width} keys")
    assert list(filled) == keys
    return meter.step()


def step_after(length: int, saver: Any) -> int:
    """The cost of a step that appends to a list, after so many such steps."""
    meter = Meter()

    def grow(state: Log) -> dict[str, Any]:
        if state["n"] >= length:
            meter.lap()
        return {"n": state["n"] + 1, "log": [state["n"]]}

    builder = StateGraph(Log)
    builder.add_node("grow", grow)
    builder.add_edge(START, "grow")
    builder.add_conditional_edges("grow", lambda state: END if state["n"] == length + 10 else "grow")
    state = run(builder.compile(checkpointer=saver), {"n": 0}, meter, f"{length} steps")
    assert len(state["log"]) == length + 10
    return meter.step()


@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize(
    ("step", "small", "large"),
    [
        pytest.param(step_in_a_chain, 20, 1000, id="nodes"),
        pytest.param(step_of_a_wide_state, 10, 3000, id="keys"),
        pytest.param(step_that_fills_a_key, 20, 3000, id="new keys"),
        pytest.param(step_after, 10, 1000, id="history"),
        pytest.param(step_after, 10, 10_000, id="long history", marks=pytest.mark.slow),
    ],
)
def test_a_step_does_the_same_work(step, small, large, saver):
    assert step(large, saver) <= step(small, saver) + SLACK
