"""A pause that user code catches is an error, never an approval."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from typing import Any

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import GraphBubbleUp, SwallowedInterrupt
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, RetryPolicy, interrupt

from .asking import CONFIG, State, graph_of


def in_try_except(state: State) -> State:
    try:
        interrupt("delete?")
    except Exception as error:
        print("ignored:", error)
    return {"log": ["deleted"]}


def in_suppress(state: State) -> State:
    with contextlib.suppress(Exception):
        interrupt("delete?")
    return {"log": ["deleted"]}


def retried(function: Any) -> Any:
    for _ in range(3):
        try:
            return function()
        except Exception as error:
            last = error
    return f"gave up: {last}"


def in_a_retry_wrapper(state: State) -> State:
    return {"log": [retried(lambda: interrupt("delete?"))]}


def turned_into_another_error(state: State) -> State:
    try:
        interrupt("delete?")
    except Exception:
        return {"log": ["tool failed, going on"]}
    return {}


async def in_gather(state: State) -> State:
    async def tool() -> Any:
        return interrupt("delete?")

    answers = await asyncio.gather(tool(), return_exceptions=True)
    return {"log": [str(answer) for answer in answers]}


def line_of(node: Any) -> str:
    lines, first = inspect.getsourcelines(node)
    return f"{__file__}:{first + next(n for n, line in enumerate(lines) if 'interrupt(' in line)}"


@pytest.mark.parametrize("node", [in_try_except, in_suppress, in_a_retry_wrapper, turned_into_another_error])
def test_a_swallowed_pause_is_an_error_that_names_the_place(run, saver, node):
    graph = graph_of(node, saver=saver)
    with pytest.raises(SwallowedInterrupt) as caught:
        run.invoke(graph, {})
    assert f"Node {node.__name__!r}" in str(caught.value)
    assert line_of(node) in str(caught.value)
    snapshot = graph.get_state(CONFIG)
    assert snapshot.values == {"log": []}
    assert snapshot.next == (node.__name__,)


async def test_a_pause_swallowed_by_gather():
    graph = graph_of(in_gather)
    with pytest.raises(SwallowedInterrupt, match="'in_gather'") as caught:
        await graph.ainvoke({}, CONFIG)
    assert line_of(in_gather) in str(caught.value)


def test_a_pause_swallowed_by_a_path_function(run):
    def route(state: State) -> str:
        with contextlib.suppress(Exception):
            interrupt("where?")
        return "__end__"

    builder = StateGraph(State)
    builder.add_node("node", lambda state: {"log": ["ran"]})
    builder.add_edge(START, "node").add_conditional_edges("node", route)
    with pytest.raises(SwallowedInterrupt, match="'node'"):
        run.invoke(builder.compile(checkpointer=InMemorySaver()), {})


def test_a_pause_of_a_called_graph_that_its_caller_swallows(run):
    def asks(state: State) -> State:
        return {"log": [interrupt("delete?")]}

    builder = StateGraph(State)
    builder.add_node("asks", asks)
    builder.add_edge(START, "asks")
    inner = builder.compile()

    def calls(state: State) -> State:
        try:
            return inner.invoke({"log": []})
        except Exception:
            return {"log": ["went on"]}

    with pytest.raises(SwallowedInterrupt, match="'calls'"):
        run.invoke(graph_of(calls), {})


def test_a_retry_policy_does_not_ask_three_times(run):
    asked = []

    def ask(state: State) -> State:
        asked.append(1)
        return {"log": [interrupt("q")]}

    builder = StateGraph(State)
    builder.add_node(
        "ask", ask, retry_policy=RetryPolicy(max_attempts=3, initial_interval=0.0, retry_on=Exception)
    )
    builder.add_edge(START, "ask")
    graph = builder.compile(checkpointer=InMemorySaver())
    assert [q.value for q in run.invoke(graph, {})["__interrupt__"]] == ["q"]
    assert run.invoke(graph, Command(resume="a")) == {"log": ["a"]}
    assert len(asked) == 2


def test_a_pause_that_is_raised_again_pauses(run):
    def careful(state: State) -> State:
        try:
            return {"log": [interrupt("q")]}
        except GraphBubbleUp:
            raise
        except Exception:
            return {"log": ["failed"]}

    graph = graph_of(careful)
    assert "__interrupt__" in run.invoke(graph, {})
    assert run.invoke(graph, Command(resume="a")) == {"log": ["a"]}


def test_cleaning_up_is_no_swallowing(run):
    cleaned = []

    def node(state: State) -> State:
        try:
            return {"log": [interrupt("q")]}
        finally:
            cleaned.append(1)

    graph = graph_of(node)
    run.invoke(graph, {})
    assert run.invoke(graph, Command(resume="a")) == {"log": ["a"]}
    assert cleaned == [1, 1]


def test_the_place_that_caught_the_pause_is_named(run, saver):
    with pytest.raises(SwallowedInterrupt) as caught:
        run.invoke(graph_of(in_a_retry_wrapper, saver=saver), {})
    lines, first = inspect.getsourcelines(retried)
    line = first + next(n for n, line in enumerate(lines) if "return function()" in line)
    assert f"{__file__}:{line} (in 'retried')" in str(caught.value)


def test_a_question_after_a_swallowed_one(run, saver):
    """Its answer would be taken by nobody: when the node starts again, the first question stops it."""

    def node(state: State) -> State:
        with contextlib.suppress(Exception):
            interrupt("first")
        return {"log": [interrupt("second")]}

    graph = graph_of(node, saver=saver)
    with pytest.raises(SwallowedInterrupt) as caught:
        run.invoke(graph, {})
    assert line_of(node) in str(caught.value)
    assert graph.get_state(CONFIG).interrupts == ()


async def test_questions_side_by_side_are_not_swallowed(saver):
    async def ask(what: str) -> Any:
        return interrupt(what)

    async def node(state: State) -> State:
        return {"log": await asyncio.gather(ask("a"), ask("b"))}

    graph = graph_of(node, saver=saver)
    for asked in ("a", "b"):
        result = await graph.ainvoke({} if asked == "a" else Command(resume="A"), CONFIG)
        assert [question.value for question in result["__interrupt__"]] == [asked]
    assert (await graph.ainvoke(Command(resume="B"), CONFIG))["log"] == ["A", "B"]


def test_the_first_of_collected_pauses_may_be_raised(run, saver):
    def node(state: State) -> State:
        answers, pauses = [], []
        for what in ("a", "b"):
            try:
                answers.append(interrupt(what))
            except GraphBubbleUp as pause:
                pauses.append(pause)
        if pauses:
            raise pauses[0]
        return {"log": answers}

    graph = graph_of(node, saver=saver)
    for given, asked in (({}, "a"), (Command(resume="A"), "b")):
        assert [question.value for question in run.invoke(graph, given)["__interrupt__"]] == [asked]
    assert run.invoke(graph, Command(resume="B"))["log"] == ["A", "B"]


def test_a_caller_cannot_swallow_what_a_called_graph_swallowed(run, saver):
    child = StateGraph(State).add_node("in_suppress", in_suppress).add_edge(START, "in_suppress").compile()

    def node(state: State) -> State:
        with contextlib.suppress(Exception):
            child.invoke({})
        return {"log": ["went on"]}

    with pytest.raises(SwallowedInterrupt):
        run.invoke(graph_of(node, saver=saver), {})


def test_an_error_tells_of_the_pause_that_was_caught_before(run, saver):
    def node(state: State) -> State:
        try:
            interrupt("delete?")
        except Exception as error:
            raise ValueError("wrapped") from error
        return {}

    with pytest.raises(ValueError, match="wrapped") as caught:
        run.invoke(graph_of(node, saver=saver), {})
    assert any(line_of(node) in note for note in caught.value.__notes__)
