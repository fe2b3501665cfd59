"""How runs go: side by side, one inside another, left early, cancelled, and what nodes do to their input."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Send, interrupt

from .asking import CONFIG, State, asking, graph_of, questions


class Crowd:
    """Counts how many are inside at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = self.most = 0

    def __enter__(self) -> None:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1


def fan_of(count: int, work: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("split", lambda state: Command(goto=[Send("work", n) for n in range(count)]))
    builder.add_node("work", work)
    builder.add_edge(START, "split")
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("limit", [1, 3])
def test_max_concurrency_bounds_how_many_run_at_once(run, limit):
    crowd = Crowd()

    def work(n: int) -> State:
        with crowd:
            time.sleep(0.002)
        return {"log": [n]}

    result = run.invoke(fan_of(12, work), {}, {**CONFIG, "max_concurrency": limit})
    assert result == {"log": list(range(12))}
    assert 1 <= crowd.most <= limit


def test_tasks_of_a_step_run_side_by_side(run):
    gate = threading.Barrier(4)

    def work(n: int) -> State:
        gate.wait(10)
        return {"log": [n]}

    assert run.invoke(fan_of(4, work), {}) == {"log": [0, 1, 2, 3]}


def test_what_ends_beside_a_failing_task_is_shown_and_kept_whichever_thread_is_first():
    def work(n: int) -> State:
        if n == 0:
            raise ValueError("no")
        return {"log": [n]}

    graph, shown = fan_of(4, work), []
    with pytest.raises(ValueError, match="no"):
        shown.extend(graph.stream({}, CONFIG))
    assert [chunk for chunk in shown if "work" in chunk] == [{"work": {"log": [n]}} for n in (1, 2, 3)]
    assert [task.result for task in graph.get_state(CONFIG).tasks] == [
        None,
        *({"log": [n]} for n in (1, 2, 3)),
    ]


def test_tasks_that_go_at_once_are_all_done_beside_one_that_fails():
    """None of them waits for a thread when the first one fails at once; those beyond the limit do not begin."""
    began: list[int] = []

    def work(n: int) -> State:
        began.append(n)
        if n == 0:
            raise ValueError("no")
        time.sleep(0.02)
        return {"log": [n]}

    with pytest.raises(ValueError, match="no"):
        fan_of(9, work).invoke({}, {**CONFIG, "max_concurrency": 4})
    assert {0, 1, 2, 3} <= {*began} < {*range(9)}


def test_a_step_shows_nothing_of_a_task_that_ends_long_after_another_failed():
    def work(n: int) -> State:
        if n == 0:
            raise ValueError("no")
        time.sleep(0.1)
        return {"log": [n]}

    graph, shown = fan_of(2, work), []
    with pytest.raises(ValueError, match="no"):
        shown.extend(graph.stream({}, CONFIG))
    assert not [chunk for chunk in shown if "work" in chunk]
    assert graph.get_state(CONFIG).tasks[1].result == {"log": [1]}


def test_many_tasks_that_call_graphs_do_not_wait_for_each_others_threads(run):
    inner = fan_of(3, lambda n: {"log": [n]})
    inner.checkpointer = None

    def work(n: int) -> State:
        return {"log": [sum(inner.invoke({})["log"])]}

    assert run.invoke(fan_of(70, work), {}) == {"log": [3] * 70}


def test_a_reader_that_leaves_early_keeps_what_was_done():
    ran: list[str] = []

    def step(name: str) -> Any:
        def node(state: State) -> State:
            ran.append(name)
            return {"log": [name]}

        node.__name__ = name
        return node

    graph = graph_of(step("a"), step("b"), step("c"))
    for chunk in graph.stream({}, CONFIG):
        assert chunk == {"a": {"log": ["a"]}}
        break
    assert ran == ["a"]
    assert graph.get_state(CONFIG).values == {"log": ["a"]}
    assert graph.get_state(CONFIG).next == ("b",)
    assert graph.invoke(None, CONFIG) == {"log": ["a", "b", "c"]}
    assert ran == ["a", "b", "c"]


async def test_a_cancelled_run_keeps_what_was_done():
    waits = asyncio.Event()
    cancelled: list[str] = []

    async def first(state: State) -> State:
        return {"log": ["first"]}

    async def second(state: State) -> State:
        waits.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append("second")
            raise
        return {"log": ["second"]}

    graph = graph_of(first, second)
    running = asyncio.create_task(graph.ainvoke({}, CONFIG))
    await asyncio.wait_for(waits.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert cancelled == ["second"]
    assert graph.get_state(CONFIG).values == {"log": ["first"]}
    assert graph.get_state(CONFIG).next == ("second",)


def test_an_error_of_one_keeps_what_the_others_did(run, saver):
    tries: list[str] = []

    def fails(state: State) -> State:
        tries.append("fails")
        if len(tries) == 1:
            time.sleep(0.2)  # till the other's result is in
            raise ConnectionError("once")
        return {"log": ["fails"]}

    def works(state: State) -> State:
        works_ran.append(1)
        return {"log": ["works"]}

    works_ran: list[int] = []
    graph = graph_of(fails, works, saver=saver, parallel=True)
    with pytest.raises(ConnectionError):
        run.invoke(graph, {})
    snapshot = graph.get_state(CONFIG)
    assert snapshot.next == ("fails",)
    assert [(task.name, task.error) for task in snapshot.tasks] == [
        ("fails", "ConnectionError('once')"),
        ("works", None),
    ]
    assert run.invoke(graph, None) == {"log": ["fails", "works"]}
    assert works_ran == [1]


# -- what nodes do to their input --------------------------------------------------------------------


class Notes(State):
    notes: dict[str, Any]


def test_a_node_that_changes_its_input_changes_nothing_that_is_stored(run, saver):
    seen = []

    def scribble(state: Notes) -> Notes:
        seen.append((list(state["log"]), dict(state["notes"])))
        state["log"].append("scribbled")
        state["notes"]["scribbled"] = True
        return {"log": [interrupt("q")]}  # type: ignore[typeddict-item]

    builder = StateGraph(Notes).add_node("scribble", scribble).add_edge(START, "scribble")
    graph = builder.compile(checkpointer=saver)
    run.invoke(graph, {"log": ["in" * 1000], "notes": {}})
    for _ in range(3):
        run.invoke(graph, None)
        assert graph.get_state(CONFIG).values == {"log": ["in" * 1000], "notes": {}}
    assert seen == [(["in" * 1000], {})] * 4


def test_what_is_returned_can_be_changed_without_harm(run, saver):
    graph = graph_of(asking("q"), asking("r", name="again"), saver=saver)
    run.invoke(graph, {"log": [["deep"]]})
    result = run.invoke(graph, Command(resume=["answer"]))
    result["log"][0].append("changed")
    result["log"].append("changed")
    graph.get_state(CONFIG).values["log"].append("changed")
    assert graph.get_state(CONFIG).values == {"log": [["deep"], ["answer"]]}
    assert run.invoke(graph, Command(resume=1)) == {"log": [["deep"], ["answer"], 1]}


# -- graphs that nodes call --------------------------------------------------------------------------


def inner_graph(*names: str, saver: Any = None) -> Any:
    builder = StateGraph(State)
    for name in names:
        builder.add_node(name, asking(f"{name}?", name=name))
        builder.add_edge(START, name)
    return builder.compile(checkpointer=saver)


def test_questions_of_called_graphs_are_answered_by_id_from_above(run, saver):
    outer = StateGraph(State)
    for name in ("left", "right"):
        outer.add_node(name, inner_graph(f"{name}_a", f"{name}_b"))
        outer.add_edge(START, name)
    graph = outer.compile(checkpointer=saver)
    asked = {q.value: q.id for q in run.invoke(graph, {})["__interrupt__"]}
    assert list(asked) == ["left_a?", "left_b?", "right_a?", "right_b?"]
    assert len(set(asked.values())) == 4
    left = run.invoke(graph, Command(resume={asked["right_b?"]: None, asked["left_a?"]: {}}))
    assert [q.value for q in left["__interrupt__"]] == ["left_b?", "right_a?"]
    assert {q.value: q.id for q in left["__interrupt__"]}.items() <= asked.items()
    result = run.invoke(graph, Command(resume={asked["left_b?"]: 0, asked["right_a?"]: False}))
    assert result == {"log": [{}, 0, False, None]}


def test_a_node_that_calls_a_graph_and_asks_itself(run, saver):
    inner = inner_graph("inner")

    def both(state: State) -> State:
        first = interrupt("before?")
        below = inner.invoke({"log": []})["log"]
        return {"log": [first, *below, interrupt("after?")]}

    graph = graph_of(both, saver=saver)
    run.invoke(graph, {})
    for question, answer in (("before?", 1), ("inner?", None), ("after?", 3)):
        assert questions(graph) == [question]
        result = run.invoke(graph, Command(resume=answer))
    assert result == {"log": [1, None, 3]}


def test_one_graph_called_twice_in_a_node_asks_two_questions(run, saver):
    inner = inner_graph("ask")

    def twice(state: State) -> State:
        return {"log": [inner.invoke({"log": []})["log"], inner.invoke({"log": []})["log"]]}

    graph = graph_of(twice, saver=saver)
    (first,) = run.invoke(graph, {})["__interrupt__"]
    (second,) = run.invoke(graph, Command(resume="1"))["__interrupt__"]
    assert first.id != second.id
    assert run.invoke(graph, Command(resume="2")) == {"log": [["1"], ["2"]]}
