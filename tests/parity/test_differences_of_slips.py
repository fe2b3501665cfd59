"""Differences from LangGraph where a program says something wrong, and in what is shown of a graph."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ValidationError

from .both_engines import CONFIG, State, compiled
from .swap import LANGGRAPH, NBHITL

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace


def test_d1_goto_to_an_unknown_node(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    for by in (lambda on: "nodee", lambda on: [on.Send("nodee", {})]):
        graph = compiled(
            langgraph, lambda state: langgraph.Command(goto=by(langgraph), update={"log": ["went"]})
        )
        assert graph.invoke({"log": []}, CONFIG) == {"log": ["went"]}
        assert graph.get_state(CONFIG).next == ()
        graph = compiled(nbhitl, lambda state: nbhitl.Command(goto=by(nbhitl), update={"log": ["went"]}))
        with pytest.raises(nbhitl.errors.UnknownNodeError, match=r"'nodee'.*'node'"):
            graph.invoke({"log": []}, CONFIG)
        for on, expected in ((langgraph, {"log": ["went"]}), (nbhitl, None)):
            builder = on.StateGraph(State).add_node("node", lambda state: {"log": ["went"]})
            builder.add_edge(on.START, "node").add_conditional_edges("node", lambda state, on=on: by(on))
            if expected is not None:
                assert builder.compile().invoke({"log": []}) == expected
                continue
            with pytest.raises(on.errors.UnknownNodeError, match=r"'nodee'.*'node'"):
                builder.compile().invoke({"log": []})


def test_d5_a_task_tells_its_input(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    tasks = {}
    for on in (langgraph, nbhitl):
        graph = compiled(on, lambda state: {"log": ["ran"]}, interrupt_before=["node"])
        graph.invoke({"log": ["in"]}, CONFIG)
        tasks[on.name] = graph.get_state(CONFIG).tasks[0]
    assert not hasattr(tasks[LANGGRAPH], "input")
    assert tasks[NBHITL].input == {"log": ["in"]}
    assert tasks[NBHITL]._fields == tasks[LANGGRAPH]._fields
    assert len(tasks[NBHITL]) == len(tasks[LANGGRAPH])


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    tried: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> None:
        tried.append(arguments)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


def test_d6_displaying_makes_no_connection(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace, no_network: list[Any]
) -> None:
    # LangGraph may give up, or fall back to text, but it does try to reach the service.
    with pytest.raises(ValueError, match="Failed to reach"):
        compiled(langgraph, lambda state: None)._repr_mimebundle_()
    assert no_network
    no_network.clear()
    bundle = compiled(nbhitl, lambda state: None)._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "node" in data["text/plain"]
    assert not no_network


def test_d8_a_compiled_graph_does_not_derive_from_runnable(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    runnables = pytest.importorskip("langchain_core.runnables")
    graphs = {on.name: compiled(on, lambda state: {"log": ["x"]}) for on in (langgraph, nbhitl)}
    derives = {name: runnables.Runnable in type(graph).__mro__ for name, graph in graphs.items()}
    assert derives == {LANGGRAPH: True, NBHITL: False}
    for graph in graphs.values():
        assert isinstance(graph, runnables.Runnable)
        assert graph.with_config(tags=["t"]).invoke({"log": []}, CONFIG) == {"log": ["x"]}


def test_d14_no_thread_id(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    config = {"configurable": {"user": "ann"}}
    with pytest.raises(KeyError):
        compiled(langgraph, lambda state: {}).invoke({"log": []}, config)
    with pytest.raises(ValueError, match="thread_id"):
        compiled(nbhitl, lambda state: {}).invoke({"log": []}, config)
    config = {"configurable": {"thread_id": None}}
    graph = compiled(langgraph, lambda state: {"log": ["ran"]})
    graph.invoke({"log": []}, config)
    assert graph.invoke({"log": []}, config) == {"log": ["ran", "ran"]}
    with pytest.raises(ValueError, match="thread_id"):
        compiled(nbhitl, lambda state: {}).invoke({"log": []}, config)


@pytest.mark.parametrize("key", ["checkpoint_id", "checkpoint_ns", "checkpoint_map"])
def test_d14_a_checkpoint_named_by_a_number(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace, key: str
) -> None:
    calls: list[Callable[[Any, Any], Any]] = [
        lambda graph, config: graph.invoke({"log": []}, config),
        lambda graph, config: graph.get_state(config),
        lambda graph, config: graph.update_state(config, {"log": ["x"]}, as_node="node"),
        lambda graph, config: list(graph.get_state_history(config)),
        lambda graph, config: list(graph.get_state_history(CONFIG, before=config)),
    ]
    odd = {"configurable": {"thread_id": "t", key: {"": 5} if key == "checkpoint_map" else 5}}
    if key == "checkpoint_id":
        graph = compiled(langgraph, lambda state: {"log": ["ran"]})
        assert graph.invoke({"log": []}, odd) == {"log": ["ran"]}
        assert graph.get_state(odd).values == {}
    graph = compiled(nbhitl, lambda state: pytest.fail("it ran"))
    looked_at = {"checkpoint_id": calls, "checkpoint_ns": calls[:4], "checkpoint_map": calls[1:4]}
    for call in looked_at[key]:
        with pytest.raises(TypeError, match=r"config\['configurable'\].*5 \(int\); it must be a string"):
            call(graph, odd)


def test_d14_durability_sync_without_a_checkpointer(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    graphs = {}
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(State).add_node("node", lambda state: {"log": ["ran"]})
        graphs[on.name] = builder.add_edge(on.START, "node").compile()
    with pytest.raises(AttributeError):
        graphs[LANGGRAPH].invoke({"log": []}, durability="sync")
    assert graphs[NBHITL].invoke({"log": []}, durability="sync") == {"log": ["ran"]}


def test_d14_reading_the_state_after_an_input_that_a_reducer_refused(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    for on in (langgraph, nbhitl):
        graph = compiled(on, lambda state: {"log": ["ran"]})
        with pytest.raises(TypeError):
            graph.invoke({"log": 3}, CONFIG)
        if on is langgraph:
            with pytest.raises(TypeError):
                graph.get_state(CONFIG)
        else:
            assert graph.get_state(CONFIG).values == {"log": []}
            assert graph.get_state(CONFIG).next == ("__start__",)


class Checked(BaseModel):
    n: int


def test_d14_reading_a_state_that_the_next_node_cannot_take(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(Checked).add_node("node", lambda state: {})
        graph = builder.add_edge(on.START, "node").compile(checkpointer=on.InMemorySaver())
        with pytest.raises(ValidationError):
            graph.invoke({"n": "three"}, CONFIG)
        if on is langgraph:
            with pytest.raises(ValidationError):
                graph.get_state(CONFIG)
        else:
            assert graph.get_state(CONFIG).values == {"n": "three"}
            assert graph.get_state(CONFIG).next == ("node",)


def test_d14_an_update_after_a_node_that_an_edge_and_a_barrier_started(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(State)
        for name in "abcd":
            builder.add_node(name, lambda state, name=name: {"log": [name]})
        builder.add_edge(on.START, "a").add_edge(on.START, "b").add_edge("a", "c")
        builder.add_edge(["a", "b"], "c").add_edge("c", "d")
        graph = builder.compile(checkpointer=on.InMemorySaver(), interrupt_before=["d"])
        assert graph.invoke({"log": []}, CONFIG) == {"log": ["a", "b", "c"]}
        if on is langgraph:
            with pytest.raises(on.errors.InvalidUpdateError, match="Ambiguous update"):
                graph.update_state(CONFIG, {"log": ["c again"]})
        else:
            graph.update_state(CONFIG, {"log": ["c again"]})
            assert graph.get_state(CONFIG).next == ("d",)


def test_d14_an_async_path_after_a_hand_over_to_the_parent(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    async def path(state: State) -> str:
        return "then"

    for on in (langgraph, nbhitl):
        up = on.Command(graph=on.Command.PARENT, update={"log": ["up"]})
        child = on.StateGraph(State).add_node("node", lambda state, up=up: up).add_edge(on.START, "node")
        builder = on.StateGraph(State).add_node("child", child.compile())
        builder.add_node("then", lambda state: {"log": ["then"]}).add_edge(on.START, "child")
        graph = builder.add_conditional_edges("child", path, ["then"]).compile()
        if on is langgraph:
            with pytest.raises(TypeError, match="No synchronous function"):
                asyncio.run(graph.ainvoke({"log": []}))
        else:
            assert asyncio.run(graph.ainvoke({"log": []})) == {"log": ["up", "then"]}


def routed(on: SimpleNamespace, path: Any) -> Any:
    builder = on.StateGraph(State).add_node("work", lambda state: {"log": ["worked"]})
    builder.add_node("then", lambda state: {"log": ["then"]})
    builder.add_edge(on.START, "work").add_conditional_edges("work", path, ["then"])
    return builder.compile(checkpointer=on.InMemorySaver())


def test_d16_a_path_function_that_raises(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    after = {}
    for on in (langgraph, nbhitl):
        failures = [LookupError("no way")]

        def path(state: Any, failures: list[Exception] = failures) -> str:
            if failures:
                raise failures.pop()
            return "then"

        graph = routed(on, path)
        with pytest.raises(LookupError):
            graph.invoke({"log": []}, CONFIG)
        state = graph.get_state(CONFIG)
        after[on.name] = state.values, state.next, graph.invoke(None, CONFIG)
    assert after[LANGGRAPH] == ({"log": ["worked"]}, (), {"log": ["worked"]})
    assert after[NBHITL] == ({"log": []}, ("work",), {"log": ["worked", "then"]})


def test_d16_a_path_function_that_asks(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    paused_at = {}
    for on in (langgraph, nbhitl):
        graph = routed(on, lambda state, on=on: on.interrupt("where to?"))
        paused_at[on.name] = graph.invoke({"log": []}, CONFIG)["log"]
        assert graph.invoke(on.Command(resume="then"), CONFIG) == {"log": ["worked", "then"]}
    assert paused_at == {LANGGRAPH: ["worked"], NBHITL: []}


def test_d18_a_breakpoint_at_an_unknown_node(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    graphs = {on.name: compiled(on, lambda state: {"log": ["ran"]}) for on in (langgraph, nbhitl)}
    assert graphs[LANGGRAPH].invoke({"log": []}, CONFIG, interrupt_before=["aks"]) == {"log": ["ran"]}
    with pytest.raises(nbhitl.errors.UnknownNodeError, match="aks"):
        graphs[NBHITL].invoke({"log": []}, CONFIG, interrupt_before=["aks"])
