"""Differences from LangGraph where a node is or calls a graph."""

from __future__ import annotations

import operator
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from langchain_core.runnables import RunnablePassthrough
from typing_extensions import TypedDict

from .both_engines import CONFIG, State, compiled
from .swap import LANGGRAPH, NBHITL

if TYPE_CHECKING:
    from types import SimpleNamespace


def with_child(on: SimpleNamespace, child: Any, checkpointer: bool | None = None, **options: Any) -> Any:
    inner = on.StateGraph(State).add_node("inner", child).add_edge(on.START, "inner")
    builder = on.StateGraph(State).add_node("child", inner.compile(checkpointer=checkpointer))
    return builder.add_edge(on.START, "child").compile(checkpointer=on.InMemorySaver(), **options)


def test_d11_an_answer_by_id_reaches_a_stateless_child(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    results = {}
    for on in (langgraph, nbhitl):
        graph = with_child(on, lambda state, on=on: {"log": [on.interrupt("q")]}, checkpointer=False)
        question = graph.invoke({"log": []}, CONFIG)["__interrupt__"][0]
        results[on.name] = graph.invoke(on.Command(resume={question.id: "yes"}), CONFIG)
    assert [item.value for item in results[LANGGRAPH]["__interrupt__"]] == ["q"]
    assert results[NBHITL] == {"log": ["yes"]}


def test_d11_an_answer_by_id_reaches_a_child_that_was_changed_by_hand(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    results = {}
    for on in (langgraph, nbhitl):
        graph = with_child(on, lambda state, on=on: {"log": [on.interrupt("q")]})
        question = graph.invoke({"log": []}, CONFIG)["__interrupt__"][0]
        graph.update_state(graph.get_state(CONFIG).tasks[0].state, {"log": ["by hand"]})
        results[on.name] = graph.invoke(on.Command(resume={question.id: "yes"}), CONFIG)
    assert [item.value for item in results[LANGGRAPH]["__interrupt__"]] == ["q"]
    assert results[NBHITL] == {"log": ["by hand", "yes"]}


def test_d11_a_graph_with_state_below_a_child_without(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    memories = {}
    for on in (langgraph, nbhitl):
        lowest = on.StateGraph(State).add_node("x", lambda state: {"log": ["x"]})
        lowest.add_node("y", lambda state, on=on: {"log": [on.interrupt("y")]}).add_edge("x", "y")
        lowest = lowest.add_edge(on.START, "x").compile(checkpointer=True)
        child = on.StateGraph(State).add_node("m", lambda state, graph=lowest: graph.invoke({"log": []}))
        child = child.add_edge(on.START, "m").compile(checkpointer=False)
        graph = compiled(on, lambda state, graph=child: graph.invoke({"log": []}))
        for answer in ("one", "two"):
            graph.invoke({"log": []}, CONFIG)
            result = graph.invoke(on.Command(resume=answer), CONFIG)
        memories[on.name] = result["log"][-6:] if on is langgraph else result["log"][-4:]
    assert memories == {LANGGRAPH: ["x", "x", "one", "x", "x", "two"], NBHITL: ["x", "one", "x", "two"]}


def test_d12_a_stateful_child_runs_after_a_breakpoint(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    runs: dict[str, list[str]] = {LANGGRAPH: [], NBHITL: []}
    for on in (langgraph, nbhitl):
        graph = with_child(
            on,
            lambda state, on=on: runs[on.name].append("ran"),
            checkpointer=True,
            interrupt_before=["child"],
        )
        for _ in range(2):
            graph.invoke({"log": []}, CONFIG)
            graph.invoke(None, CONFIG)
    assert runs == {LANGGRAPH: ["ran"], NBHITL: ["ran", "ran"]}


def test_d12_a_stateful_child_runs_after_a_change_or_a_goto(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    for go_on in ("update", "goto"):
        runs: dict[str, list[str]] = {LANGGRAPH: [], NBHITL: []}
        for on in (langgraph, nbhitl):
            graph = with_child(on, lambda state, on=on: runs[on.name].append("ran"), checkpointer=True)
            graph.invoke({"log": []}, CONFIG)
            if go_on == "update":
                graph.update_state(CONFIG, {"log": ["changed"]}, as_node=on.START)
            graph.invoke(None if go_on == "update" else on.Command(goto="child"), CONFIG)
        assert runs == {LANGGRAPH: ["ran"], NBHITL: ["ran", "ran"]}


def _retried(on: SimpleNamespace, child: Any) -> Any:
    policy = import_module(f"{on.name}.types").RetryPolicy(initial_interval=0.001, retry_on=ConnectionError)
    builder = on.StateGraph(State).add_node("child", child, retry_policy=policy)
    return builder.add_edge(on.START, "child").compile(checkpointer=on.InMemorySaver())


def test_d23_an_answer_outlives_an_attempt(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    asks_again = {}
    for on in (langgraph, nbhitl):
        attempts: list[int] = []

        def fails_once(state: State, attempts: list[int] = attempts) -> dict[str, Any]:
            attempts.append(1)
            if len(attempts) == 1:
                raise ConnectionError
            return {"log": ["sent"]}

        builder = on.StateGraph(State).add_node("ask", lambda state, on=on: {"log": [on.interrupt("send?")]})
        builder.add_node("send", fails_once).add_edge(on.START, "ask").add_edge("ask", "send")
        graph = _retried(on, builder.compile())
        graph.invoke({"log": []}, CONFIG)
        asks_again[on.name] = "__interrupt__" in graph.invoke(on.Command(resume="yes"), CONFIG)
    assert asks_again == {LANGGRAPH: True, NBHITL: False}


def test_d23_what_a_child_remembers_of_attempts(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    remembered = {}
    for on in (langgraph, nbhitl):
        states: list[list[str]] = []

        def fails_once(state: State, states: list[list[str]] = states) -> dict[str, Any]:
            states.append(list(state["log"]))
            if len(states) == 1:
                raise ConnectionError
            return {"log": ["sent"]}

        builder = on.StateGraph(State).add_node("send", fails_once).add_edge(on.START, "send")
        graph = _retried(on, builder.compile(checkpointer=True))
        assert graph.invoke({"log": ["a"]}, CONFIG) == {"log": ["a", "a", "sent"]}
        graph.invoke({"log": ["b"]}, CONFIG)
        remembered[on.name] = states[-1][: -len(["a", "a", "sent", "b"])]
    assert remembered == {LANGGRAPH: ["a"], NBHITL: ["a", "sent"]}


def forked_before_its_child(on: SimpleNamespace) -> tuple[Any, Any]:
    """A graph whose child, with a state of its own, has asked and ended twice; and a fork before its first run."""
    child = on.StateGraph(State).add_node("ask", lambda state: {"log": [on.interrupt("delete?")]})
    child = child.add_edge(on.START, "ask").compile(checkpointer=True)
    builder = on.StateGraph(State).add_node("child", lambda state: {"log": child.invoke({"log": []})["log"]})
    graph = builder.add_edge(on.START, "child").compile(checkpointer=on.InMemorySaver())
    for answer in ("yes", "no"):
        graph.invoke({"log": []}, CONFIG)
        graph.invoke(on.Command(resume=answer), CONFIG)
    *_, before, _ = graph.get_state_history(CONFIG)
    return graph, graph.update_state(before.config, {"log": ["forked"]})


def test_d25_a_child_after_a_fork(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    for on in (langgraph, nbhitl):
        graph, fork = forked_before_its_child(on)
        assert "__interrupt__" in graph.invoke(None, fork)
        assert graph.invoke(on.Command(resume="sure"), CONFIG) == {"log": ["forked", "sure"]}
    graph, _ = forked_before_its_child(langgraph)
    assert graph.invoke(None, CONFIG) == {"log": ["forked", "yes", "no"]}
    graph, _ = forked_before_its_child(nbhitl)
    assert [question.value for question in graph.invoke(None, CONFIG)["__interrupt__"]] == ["delete?"]
    assert graph.invoke(nbhitl.Command(resume="sure"), CONFIG) == {"log": ["forked", "sure"]}


def test_d25_a_child_run_again_on_a_fork(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    for on, remembered in ((langgraph, ["yes", "no", "sure"]), (nbhitl, ["sure"])):
        graph, _ = forked_before_its_child(on)
        (*_, first) = graph.get_state_history(CONFIG)
        assert "__interrupt__" in graph.invoke(None, first.config)
        # Where that has asked is run once more: nothing has been answered on this branch.
        assert "__interrupt__" in graph.invoke(None, graph.get_state(CONFIG).config)
        assert graph.invoke(on.Command(resume="sure"), CONFIG) == {"log": remembered}


def test_d25_an_answer_to_what_a_child_asked_before(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    """It is for what was asked there, although the child has asked something else since, and been answered."""
    for on, expected in ((langgraph, ["late"]), (nbhitl, ["first"])):
        child = on.StateGraph(State).add_node("ask", lambda state, on=on: {"log": [on.interrupt("delete?")]})
        child = child.add_edge(on.START, "ask").compile(checkpointer=True)
        graph = compiled(on, lambda state, child=child: {"log": child.invoke({"log": []})["log"][-1:]})
        (question,) = graph.invoke({"log": []}, CONFIG)["__interrupt__"]
        then = graph.get_state(CONFIG).config
        graph.invoke({"log": []}, CONFIG)
        graph.invoke(on.Command(resume="late"), CONFIG)
        assert graph.invoke(on.Command(resume={question.id: "first"}), then) == {"log": expected}


def test_d27_two_sends_that_ask_by_one_state(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    def sending(on: SimpleNamespace) -> Any:
        def ask(state: Any) -> Any:
            return {"log": [f"{state['log'][-1]}: {on.interrupt(state['log'][-1])}"]}

        child = on.StateGraph(State).add_node("ask", ask).add_edge(on.START, "ask").compile(checkpointer=True)
        builder = on.StateGraph(State).add_node(
            "send", lambda state: {"log": child.invoke(state)["log"][-1:]}
        )
        builder.add_conditional_edges(
            on.START, lambda state: [on.Send("send", {"log": [what]}) for what in "ab"], ["send"]
        )
        return builder.compile(checkpointer=on.InMemorySaver())

    graph = sending(langgraph)
    asked = graph.invoke({"log": []}, CONFIG)["__interrupt__"]
    result = graph.invoke(langgraph.Command(resume={q.id: f"for {q.value}" for q in asked}), CONFIG)
    assert len(set(result["log"])) == 1, "one of two answers, twice"
    graph = sending(nbhitl)
    with pytest.raises(RuntimeError, match=r"node 'send', ask by a graph with checkpointer=True"):
        graph.invoke({"log": []}, CONFIG)
    assert graph.get_state(CONFIG).interrupts == ()
    assert graph.checkpointer.pending() == []


def test_d28_a_runnable_with_settings_of_its_own(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    for on in (langgraph, nbhitl):
        child = on.StateGraph(State).add_node("ask", lambda state, on=on: {"log": [on.interrupt("sure?")]})
        chain = RunnablePassthrough() | child.add_edge(on.START, "ask").compile()
        bound = chain.with_config(configurable={"a": 1})
        given = partial(chain.invoke, config={"configurable": {"a": 1}})
        for call in (bound.invoke, given):
            graph = compiled(on, lambda state, call=call: call(state))
            asked = graph.invoke({"log": ["in"]}, CONFIG)
            if on is langgraph:
                assert "__interrupt__" not in asked, "nobody is asked"
                assert graph.get_state(CONFIG).next == ()
            else:
                assert [question.value for question in asked["__interrupt__"]] == ["sure?"]
                answered = graph.invoke(on.Command(resume="yes"), CONFIG)
                assert answered["log"] == ["in", "in", "yes"]


def test_d12_what_the_same_node_called_before_it_was_answered(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    logs = {}
    for on in (langgraph, nbhitl):
        child = on.StateGraph(State).add_node("ask", lambda state, on=on: {"log": [on.interrupt("q")]})
        child = child.add_edge(on.START, "ask").compile(checkpointer=True)

        def twice(state: Any, child: Any = child) -> Any:
            return {"log": [child.invoke({"log": []})["log"][-1] for _ in range(2)]}

        graph = compiled(on, twice)
        for turn in ("first", "second"):
            result = graph.invoke({"log": []}, CONFIG)
            while "__interrupt__" in result and len(logs.setdefault((on.name, turn), [])) < 2:
                logs[on.name, turn].append(result["__interrupt__"][0].value)
                answer = f"{turn} {len(logs[on.name, turn])}"
                result = graph.invoke(on.Command(resume=answer), CONFIG)
        logs[on.name, "end"] = result["log"]
    assert logs[LANGGRAPH, "end"] == ["first 1", "first 2", "second 1", "first 2"]
    assert logs[NBHITL, "end"] == ["first 1", "first 2", "second 1", "second 2"]


async def test_d33_what_a_graph_returns_while_somebody_hears_its_events(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    class Answer(TypedDict):
        answer: str

    class Asked(Answer):
        log: Annotated[list, operator.add]

    results = {}
    for on in (langgraph, nbhitl):
        child = on.StateGraph(Asked, output_schema=Answer).add_node(
            "inner", lambda _: {"answer": "a", "log": ["in"]}
        )
        builder = on.StateGraph(Asked).add_node("child", child.add_edge(on.START, "inner").compile())
        graph = builder.add_edge(on.START, "child").compile(checkpointer=on.InMemorySaver())
        assert await graph.ainvoke({"log": ["q"]}, CONFIG) == {"answer": "a", "log": ["q"]}
        heard = {"configurable": {"thread_id": "heard"}}
        async for _ in graph.astream_events({"log": ["q"]}, heard, version="v2"):
            pass
        results[on.name] = (await graph.aget_state(heard)).values
    assert results[LANGGRAPH] == {"answer": "a", "log": ["q", "q", "in"]}
    assert results[NBHITL] == {"answer": "a", "log": ["q"]}
