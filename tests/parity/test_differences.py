"""The closed list of docs/differences.md: each entry shown on both engines."""

from __future__ import annotations

import http
import operator
import socket
import sqlite3
import warnings
from contextlib import closing, nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from langchain_core.runnables import RunnablePassthrough
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from .swap import ENGINES, LANGGRAPH, NBHITL

CONFIG = {"configurable": {"thread_id": "1"}}
A_WRONG_ID = "a" * 32


class State(TypedDict):
    log: Annotated[list, operator.add]


def engine(name: str) -> SimpleNamespace:
    """The names of one engine that these tests use."""
    graph, types = import_module(f"{name}.graph"), import_module(f"{name}.types")
    return SimpleNamespace(
        name=name,
        StateGraph=graph.StateGraph,
        START=graph.START,
        Command=types.Command,
        Send=types.Send,
        interrupt=types.interrupt,
        errors=import_module(f"{name}.errors"),
        InMemorySaver=import_module(f"{name}.checkpoint.memory").InMemorySaver,
    )


@pytest.fixture
def langgraph() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield engine(LANGGRAPH)


@pytest.fixture
def nbhitl() -> SimpleNamespace:
    return engine(NBHITL)


def compiled(on: SimpleNamespace, node: Any, **options: Any) -> Any:
    builder = on.StateGraph(State).add_node("node", node).add_edge(on.START, "node")
    return builder.compile(checkpointer=on.InMemorySaver(), **options)


def asking(on: SimpleNamespace, *questions: str) -> Any:
    return compiled(on, lambda state: {"log": [on.interrupt(question) for question in questions]})


def paused(on: SimpleNamespace, *questions: str) -> Any:
    graph = asking(on, *questions)
    graph.invoke({"log": []}, CONFIG)
    return graph


def test_the_list_is_closed() -> None:
    """Every entry of the document has a test here, and the other way round."""
    document = (Path(__file__).parents[2] / "docs" / "differences.md").read_text()
    listed = {line.split("**")[1] for line in document.splitlines() if line.startswith("| **D")}
    tested = {
        name.split("_")[1].upper() for name in globals() if name.startswith("test_d") and name[6].isdigit()
    }
    assert listed == tested


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


def test_d2_a_resume_where_nothing_is_open(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    for resume in ("yes", {A_WRONG_ID: "yes"}):
        finished = compiled(langgraph, lambda state: {"log": ["done"]})
        finished.invoke({"log": []}, CONFIG)
        assert finished.invoke(langgraph.Command(resume=resume), CONFIG) == {"log": ["done"]}
        finished = compiled(nbhitl, lambda state: {"log": ["done"]})
        finished.invoke({"log": []}, CONFIG)
        before = list(finished.get_state_history(CONFIG))
        with pytest.raises(nbhitl.errors.UnknownInterruptError) as caught:
            finished.invoke(nbhitl.Command(resume=resume), CONFIG)
        assert caught.value.reason == "not_pending"
        assert list(finished.get_state_history(CONFIG)) == before


def test_d2_an_id_that_is_not_open(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    result = paused(langgraph, "q").invoke(langgraph.Command(resume={A_WRONG_ID: "yes"}), CONFIG)
    assert [item.value for item in result["__interrupt__"]] == ["q"]
    graph = paused(nbhitl, "q")
    with pytest.raises(nbhitl.errors.UnknownInterruptError) as caught:
        graph.invoke(nbhitl.Command(resume={A_WRONG_ID: "yes"}), CONFIG)
    assert caught.value.interrupt_ids == (A_WRONG_ID,)
    assert caught.value.pending_ids == (graph.get_state(CONFIG).interrupts[0].id,)


def test_d3_an_empty_dict_is_an_answer(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    result = paused(langgraph, "q").invoke(langgraph.Command(resume={}), CONFIG)
    assert "__interrupt__" in result
    assert paused(nbhitl, "q").invoke(nbhitl.Command(resume={}), CONFIG) == {"log": [{}]}


def test_d3_none_is_an_answer(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    with pytest.raises(UnboundLocalError):
        paused(langgraph, "q").invoke(langgraph.Command(resume=None), CONFIG)
    assert paused(nbhitl, "q").invoke(nbhitl.Command(resume=None), CONFIG) == {"log": [None]}


def test_d3_a_dict_with_other_keys_is_an_answer(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    with pytest.raises(TypeError):
        paused(langgraph, "q").invoke(langgraph.Command(resume={1: 2}), CONFIG)
    assert paused(nbhitl, "q").invoke(nbhitl.Command(resume={1: 2}), CONFIG) == {"log": [{1: 2}]}


def test_d4_an_answer_is_delivered_once(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    graph = paused(langgraph, "drafts?", "production?")
    graph.invoke(langgraph.Command(resume="yes"), CONFIG)
    assert graph.invoke(None, CONFIG) == {"log": ["yes", "yes"]}
    graph = paused(nbhitl, "drafts?", "production?")
    graph.invoke(nbhitl.Command(resume="yes"), CONFIG)
    result = graph.invoke(None, CONFIG)
    assert [item.value for item in result["__interrupt__"]] == ["production?"]
    assert graph.invoke(nbhitl.Command(resume="no"), CONFIG) == {"log": ["yes", "no"]}


def test_d4_the_id_of_an_answered_question_opens_no_other(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    results = {}
    for on in (langgraph, nbhitl):
        graph = asking(on, "drafts?", "production?")
        first = graph.invoke({"log": []}, CONFIG)["__interrupt__"][0].id
        graph.invoke(on.Command(resume={first: "yes"}), CONFIG)
        results[on.name] = graph, first
    graph, first = results[LANGGRAPH]
    assert graph.invoke(langgraph.Command(resume={first: "again"}), CONFIG) == {"log": ["yes", "again"]}
    graph, first = results[NBHITL]
    with pytest.raises(nbhitl.errors.UnknownInterruptError):
        graph.invoke(nbhitl.Command(resume={first: "again"}), CONFIG)
    assert [item.value for item in graph.get_state(CONFIG).interrupts] == ["production?"]


def test_d4_an_answer_where_nothing_is_open(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    """It reaches a question that a change of the state left as it was; parity programs show that."""
    after = {}
    for on in (langgraph, nbhitl):
        changed = compiled(on, lambda state, on=on: {"log": [on.interrupt(len(state["log"]))]})
        changed.invoke({"log": []}, CONFIG)
        changed.update_state(CONFIG, {"log": ["more"]}, as_node=on.START)
        gated = compiled(on, lambda state, on=on: {"log": [on.interrupt("q")]}, interrupt_before=["node"])
        gated.invoke({"log": []}, CONFIG)
        after[on.name] = [graph.invoke(on.Command(resume="yes"), CONFIG) for graph in (changed, gated)]
    assert after[LANGGRAPH] == [{"log": ["more", "yes"]}, {"log": ["yes"]}]
    assert [[item.value for item in result["__interrupt__"]] for result in after[NBHITL]] == [[1], ["q"]]


def test_d4_at_a_breakpoint_with_a_saver_that_keeps_no_writes(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    last = []
    for on in (langgraph, nbhitl):

        class KeepsNoWrites(on.InMemorySaver):  # type: ignore[misc, name-defined]
            def put_writes(self, *_: Any) -> None:
                pass

        builder = on.StateGraph(State).add_node("node", lambda state, on=on: {"log": [on.interrupt("q")]})
        graph = builder.add_edge(on.START, "node").compile(
            checkpointer=KeepsNoWrites(), interrupt_before=["node"]
        )
        graph.invoke({"log": []}, CONFIG)
        last.append(graph.invoke(on.Command(resume="yes"), CONFIG))
    assert last[0] == {"log": ["yes"]}
    assert [question.value for question in last[1]["__interrupt__"]] == ["q"]


def test_d4_a_named_branch_where_an_answer_was_given(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    """It branches once more, so that the question has an id of its own and can be seen and answered."""
    after = {}
    for on in (langgraph, nbhitl):
        graph = paused(on, "first", "second")
        graph.invoke(None, graph.get_state(CONFIG).config)
        graph.invoke(on.Command(resume={graph.get_state(CONFIG).interrupts[0].id: "yes"}), CONFIG)
        graph.invoke(None, graph.get_state(CONFIG).config)
        state = graph.get_state(CONFIG)
        after[on.name] = [q.value for q in state.interrupts], state.metadata["source"], state.metadata["step"]
    assert after == {LANGGRAPH: (["first"], "fork", 1), NBHITL: (["first"], "fork", 2)}


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


def test_d7_a_swallowed_pause(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    def swallowing(on: SimpleNamespace) -> Any:
        def node(state: Any) -> Any:
            try:
                on.interrupt("delete everything?")
            except Exception:
                return {"log": ["went on"]}

        return compiled(on, node)

    assert swallowing(langgraph).invoke({"log": []}, CONFIG) == {"log": ["went on"]}
    with pytest.raises(nbhitl.errors.SwallowedInterrupt, match="node"):
        swallowing(nbhitl).invoke({"log": []}, CONFIG)


def test_d7_a_retried_pause(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    runnables = pytest.importorskip("langchain_core.runnables")

    def retrying(on: SimpleNamespace) -> tuple[Any, list[str]]:
        tries: list[str] = []

        def ask(_: Any) -> Any:
            tries.append("asks")
            return on.interrupt("delete everything?")

        patient = runnables.RunnableLambda(ask).with_retry(
            wait_exponential_jitter=False, stop_after_attempt=2
        )
        return compiled(on, lambda state, config: {"log": [patient.invoke(0, config)]}), tries

    graph, tries = retrying(langgraph)
    assert "__interrupt__" in graph.invoke({"log": []}, CONFIG)
    assert tries == ["asks"] * 2
    with pytest.raises(nbhitl.errors.SwallowedInterrupt, match="retry"):
        retrying(nbhitl)[0].invoke({"log": []}, CONFIG)


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


def test_d9_a_node_that_asks_something_else(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    def unsteady(on: SimpleNamespace) -> Any:
        drafts = iter(range(10))
        return compiled(on, lambda state: {"log": [on.interrupt({"draft": next(drafts)})]})

    graph = unsteady(langgraph)
    graph.invoke({"log": []}, CONFIG)
    assert graph.invoke(langgraph.Command(resume="send it"), CONFIG) == {"log": ["send it"]}
    graph = unsteady(nbhitl)
    graph.invoke({"log": []}, CONFIG)
    with pytest.raises(nbhitl.errors.QuestionChanged) as caught:
        graph.invoke(nbhitl.Command(resume="send it"), CONFIG)
    assert caught.value.asked == {"draft": 1}
    for check in ("site", "off"):
        graph = unsteady(nbhitl)
        unchecked = {"configurable": {**CONFIG["configurable"], "replay_check": check}}
        graph.invoke({"log": []}, unchecked)
        assert graph.invoke(nbhitl.Command(resume="send it"), unchecked) == {"log": ["send it"]}


def test_d10_tuples_stay_tuples(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    stored = {}
    for on in (langgraph, nbhitl):
        graph = compiled(on, lambda state: {"log": [("a", 1)]})
        assert graph.invoke({"log": []}, CONFIG) == {"log": [("a", 1)]}
        stored[on.name] = graph.get_state(CONFIG).values["log"][0]
    assert stored == {LANGGRAPH: ["a", 1], NBHITL: ("a", 1)}


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


def test_d13_a_node_interrupt_has_an_id(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    ids = {}
    for on in (langgraph, nbhitl):

        def ask(state: Any, on: SimpleNamespace = on) -> None:
            raise on.errors.NodeInterrupt("set a name first")

        ids[on.name] = compiled(on, ask).invoke({"log": []}, CONFIG)["__interrupt__"][0].id
    assert ids[LANGGRAPH] == "placeholder-id"
    assert len(ids[NBHITL]) == 32


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


JSON_SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


def test_d15_a_json_schema_judges(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    graphs = {}
    for on in (langgraph, nbhitl):
        graph = compiled(on, lambda state, on=on: {"log": [on.interrupt("q", response_schema=JSON_SCHEMA)]})
        graph.invoke({"log": []}, CONFIG)
        graphs[on.name] = graph
    assert graphs[LANGGRAPH].invoke(langgraph.Command(resume={"ok": 3}), CONFIG) == {"log": [{"ok": 3}]}
    with pytest.raises(Exception, match="boolean") as caught:
        graphs[NBHITL].invoke(nbhitl.Command(resume={"ok": 3}), CONFIG)
    assert nbhitl.errors.is_invalid_resume(caught.value)
    assert len(graphs[NBHITL].get_state(CONFIG).interrupts) == 1
    assert graphs[NBHITL].invoke(nbhitl.Command(resume={"ok": True}), CONFIG) == {"log": [{"ok": True}]}


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


def test_d17_a_node_that_fails_after_its_answer(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    graphs = {}
    for on in (langgraph, nbhitl):
        failures = [ValueError("cannot use this")]

        def ask(state: Any, on: SimpleNamespace = on, failures: list[Exception] = failures) -> Any:
            answer = on.interrupt("q")
            if failures:
                raise failures.pop()
            return {"log": [answer]}

        graph = graphs[on.name] = compiled(on, ask)
        graph.invoke({"log": []}, CONFIG)
        with pytest.raises(ValueError, match="cannot use this"):
            graph.invoke(on.Command(resume="first"), CONFIG)
    assert len(graphs[LANGGRAPH].get_state(CONFIG).interrupts) == 1
    assert graphs[LANGGRAPH].invoke(langgraph.Command(resume="second"), CONFIG) == {"log": ["first"]}
    assert graphs[NBHITL].get_state(CONFIG).interrupts == ()
    with pytest.raises(nbhitl.errors.AlreadyAnswered):
        graphs[NBHITL].invoke(nbhitl.Command(resume="second"), CONFIG)
    assert graphs[NBHITL].invoke(None, CONFIG) == {"log": ["first"]}


def test_d17_a_node_that_is_stopped_after_its_answer(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    graphs, effects = {}, {LANGGRAPH: 0, NBHITL: 0}
    for on in (langgraph, nbhitl):

        def ask(state: Any, on: SimpleNamespace = on) -> Any:
            answer = on.interrupt("q")
            effects[on.name] += 1
            if effects[on.name] == 1:
                raise KeyboardInterrupt
            return {"log": [answer]}

        graph = graphs[on.name] = compiled(on, ask)
        graph.invoke({"log": []}, CONFIG)
        with pytest.raises(KeyboardInterrupt):
            graph.invoke(on.Command(resume="first"), CONFIG)
    assert graphs[LANGGRAPH].invoke(None, CONFIG) == {"log": ["first"]}
    assert effects[LANGGRAPH] == 2
    ours = graphs[NBHITL]
    with pytest.raises(nbhitl.errors.AnswerInDoubt) as caught:
        ours.invoke(None, CONFIG)
    assert effects[NBHITL] == 1
    eval(str(caught.value).rpartition("again: ")[2].rstrip("."), {"graph": ours})
    assert len(ours.get_state(CONFIG).interrupts) == 1
    assert ours.invoke(nbhitl.Command(resume="again"), CONFIG) == {"log": ["again"]}


def test_d18_a_breakpoint_at_an_unknown_node(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    graphs = {on.name: compiled(on, lambda state: {"log": ["ran"]}) for on in (langgraph, nbhitl)}
    assert graphs[LANGGRAPH].invoke({"log": []}, CONFIG, interrupt_before=["aks"]) == {"log": ["ran"]}
    with pytest.raises(nbhitl.errors.UnknownNodeError, match="aks"):
        graphs[NBHITL].invoke({"log": []}, CONFIG, interrupt_before=["aks"])


def test_d19_a_step_that_cannot_be_applied_at_exit(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    class Plain(State):
        one: str

    left: dict[str, Any] = {}
    goes_on: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(Plain).add_node("start", lambda state: {"log": ["start"]})
        for name in "ab":
            builder.add_node(name, lambda state, name=name: {"log": [name], "one": name})
            builder.add_edge("start", name)
        graph = builder.add_edge(on.START, "start").compile(checkpointer=on.InMemorySaver())
        with pytest.raises(on.errors.InvalidUpdateError, match="At key 'one'"):
            graph.invoke({"log": []}, CONFIG, durability="exit")
        snapshot = graph.get_state(CONFIG)
        left[on.name] = (snapshot.next, [task.result for task in snapshot.tasks])
        try:
            graph.invoke(None, CONFIG)
            goes_on[on.name] = "as if it had ended"
        except on.errors.InvalidUpdateError:
            goes_on[on.name] = "told again"
    results = [{"log": [name], "one": name} for name in "ab"]
    assert left == {LANGGRAPH: ((), []), NBHITL: (("a", "b"), results)}
    assert goes_on == {LANGGRAPH: "as if it had ended", NBHITL: "told again"}


def test_d20_a_class_of_a_library_that_no_schema_names(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    class Loose(TypedDict):
        value: Any

    ended: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        builder = (
            on.StateGraph(Loose)
            .add_node("n", lambda state: {"value": http.HTTPStatus.OK})
            .add_edge(on.START, "n")
        )
        in_memory = builder.compile(checkpointer=on.InMemorySaver())
        in_memory.invoke({"value": None}, CONFIG)
        assert in_memory.get_state(CONFIG).values == {"value": http.HTTPStatus.OK}
        with import_module(f"{on.name}.checkpoint.sqlite").SqliteSaver.from_conn_string(":memory:") as saver:
            graph = builder.compile(checkpointer=saver)
            try:
                graph.invoke({"value": None}, CONFIG)
                ended[on.name] = graph.get_state(CONFIG).values
            except TypeError as error:
                ended[on.name] = str(error).partition(" cannot")[0]
                saver.serde.register(http.HTTPStatus)
                assert graph.invoke({"value": None}, CONFIG) == {"value": http.HTTPStatus.OK}
    assert ended == {
        LANGGRAPH: {"value": http.HTTPStatus.OK},
        NBHITL: "state key 'value', written by node 'n', (thread '1')",
    }


def test_d21_what_is_changed_in_place(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    def change(state: Any) -> Any:
        state["log"][0]["done"] = True
        return {"log": [{"said": True}]}

    saved: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(State).add_node("first", lambda state: {"log": [{"done": False}, *"x" * 200]})
        builder.add_node("second", lambda state: {"log": ["the whole state is saved with this step"]})
        builder.add_node("change", change)
        builder.add_node("look", lambda state: {"log": [dict(state["log"][0])]})
        for pair in ((on.START, "first"), ("first", "second"), ("second", "change"), ("change", "look")):
            builder.add_edge(*pair)
        with import_module(f"{on.name}.checkpoint.sqlite").SqliteSaver.from_conn_string(":memory:") as saver:
            builder.compile(checkpointer=saver).invoke({"log": []}, CONFIG)
            log = builder.compile(checkpointer=saver).get_state(CONFIG).values["log"]
            saved[on.name] = (log[0], log[-2:])
    seen = [{"said": True}, {"done": True}]
    assert saved == {LANGGRAPH: ({"done": True}, seen), NBHITL: ({"done": False}, seen)}


def test_d22_a_question_of_a_node_that_a_goto_started(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    seen = {}
    for on in (langgraph, nbhitl):
        builder = on.StateGraph(State).add_node("work", lambda state: {"log": ["worked"]})
        builder.add_node("ask", lambda state, on=on: {"log": [on.interrupt("really?")]})
        graph = builder.add_edge(on.START, "work").compile(checkpointer=on.InMemorySaver())
        graph.invoke({"log": []}, CONFIG)
        assert graph.invoke(on.Command(goto="ask"), CONFIG)["__interrupt__"][0].value == "really?"
        state = graph.get_state(CONFIG)
        seen[on.name] = (state.next, [question.value for question in state.interrupts])
        assert graph.invoke(on.Command(resume="yes"), CONFIG) == {"log": ["worked", "yes"]}
    assert seen == {LANGGRAPH: ((), []), NBHITL: (("ask",), ["really?"])}


def test_d22_a_run_that_stopped_before_its_checkpoint(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    following = {}
    for on in (langgraph, nbhitl):

        class Full(on.InMemorySaver):  # type: ignore[name-defined, misc]
            def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
                if metadata["step"] == 1:
                    raise OSError("disk full")
                return super().put(config, checkpoint, metadata, new_versions)

        builder = on.StateGraph(State)
        for name in ("first", "second"):
            builder.add_node(name, lambda state, name=name: {"log": [name]})
        builder.add_edge(on.START, "first").add_edge("first", "second")
        graph = builder.compile(checkpointer=Full())
        with pytest.raises(OSError, match="disk full"):
            graph.invoke({"log": []}, CONFIG, durability="sync")
        following[on.name] = graph.get_state(CONFIG).next
    assert following == {LANGGRAPH: (), NBHITL: ("second",)}


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


def test_d24_a_cached_answer(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    asked = {}
    for on in (langgraph, nbhitl):
        policy = import_module(f"{on.name}.types").CachePolicy()
        builder = on.StateGraph(State).add_edge(on.START, "ask")
        builder.add_node("ask", lambda state, on=on: {"log": [on.interrupt("delete?")]}, cache_policy=policy)
        cache = import_module(f"{on.name}.cache.memory").InMemoryCache()
        graph = builder.compile(checkpointer=on.InMemorySaver(), cache=cache)
        graph.invoke({"log": []}, CONFIG)
        assert graph.invoke(on.Command(resume="yes"), CONFIG) == {"log": ["yes"]}
        asked[on.name] = graph.invoke({"log": []}, {"configurable": {"thread_id": "2"}})
    assert asked[LANGGRAPH] == {"log": ["yes"]}
    assert [question.value for question in asked[NBHITL]["__interrupt__"]] == ["delete?"]


def test_d24_one_key_for_several_tasks(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    calls: dict[str, list[str]] = {LANGGRAPH: [], NBHITL: []}
    for on in (langgraph, nbhitl):
        policy = import_module(f"{on.name}.types").CachePolicy(key_func=str)

        def work(state: Any, on: SimpleNamespace = on) -> Any:
            calls[on.name].append(state["log"][0])
            return {"log": ["done"]}

        builder = on.StateGraph(State).add_node("work", work, cache_policy=policy)
        builder.add_conditional_edges(on.START, lambda state, on=on: [on.Send("work", {"log": ["same"]})] * 3)
        graph = builder.compile(cache=import_module(f"{on.name}.cache.memory").InMemoryCache())
        for _ in range(2):
            assert graph.invoke({"log": []})["log"] == ["done"] * 3
    assert {name: len(found) for name, found in calls.items()} == {LANGGRAPH: 5, NBHITL: 3}


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


def test_d26_tables_of_their_own(tmp_path: Path) -> None:
    found = {}
    for on in ENGINES:
        savers, graphs = import_module(f"{on}.checkpoint.sqlite"), engine(on)
        builder = graphs.StateGraph(State).add_node("node", lambda state: {"log": ["a"]})
        with savers.SqliteSaver.from_conn_string(str(tmp_path / f"{on}.db")) as saver:
            builder.add_edge(graphs.START, "node").compile(checkpointer=saver).invoke({"log": []}, CONFIG)
            assert {stored.config["configurable"]["thread_id"] for stored in saver.list(None)} == {"1"}
            threads = "SELECT DISTINCT thread_id FROM checkpoints"
            assert saver.conn.execute(threads).fetchall() == [("1",)]
            with closing(sqlite3.connect(tmp_path / f"{on}.db")) as elsewhere:
                found_there = on == LANGGRAPH
                with (
                    nullcontext() if found_there else pytest.raises(sqlite3.OperationalError, match="no such")
                ):
                    assert elsewhere.execute(threads).fetchall() == [("1",)]
            saver.delete_thread("1")
            assert saver.conn.execute(threads).fetchall() == []
            assert not list(saver.list(None))
            tables = saver.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            found[on] = {name for (name,) in tables}
    assert found[LANGGRAPH] == {"checkpoints", "writes"}
    assert "nbhitl_steps" in found[NBHITL]
    assert "checkpoints" not in found[NBHITL]


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


def test_d30_checkpoints_of_a_delta_channel(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    for on in (langgraph, nbhitl):
        delta = import_module(f"{on.name}.channels").DeltaChannel
        keys = {"log": Annotated[list, delta(lambda old, new: sum(new, old))]}
        builder = on.StateGraph(TypedDict("Kept", keys)).add_node("note", lambda state: {"log": ["note"]})
        graph = builder.add_edge(on.START, "note").compile(checkpointer=on.InMemorySaver())
        assert graph.invoke({"log": ["in"]}, CONFIG, durability="exit") == {"log": ["in", "note"]}
        newest, *before = graph.checkpointer.list(CONFIG)
        if on is nbhitl:
            assert newest.checkpoint["channel_values"]["log"] == ["in", "note"]
            assert before == []
        else:
            assert newest.checkpoint["channel_values"].get("log") is None
            assert [(old.metadata["step"], old.metadata.get("source")) for old in before] == [(-2, None)]


def test_d29_the_result_of_what_was_answered_and_written(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    for on, shown in ((langgraph, {"$writes": [["hand"], ["yes"]]}), (nbhitl, ["yes"])):
        builder = on.StateGraph(State)
        for name in ("first", "second"):
            builder.add_node(name, lambda state, on=on: {"log": [on.interrupt("sure?")]})
            builder.add_edge(on.START, name)
        graph = builder.add_node("end", lambda state: None).add_edge("first", "end")
        graph = graph.compile(checkpointer=on.InMemorySaver())
        graph.invoke({"log": []}, CONFIG)
        first = graph.get_state(CONFIG).tasks[0]
        assert first.name == "first"
        graph.invoke(on.Command(resume={first.interrupts[0].id: "yes"}), CONFIG)
        graph.update_state(CONFIG, {"log": ["hand"]}, as_node="first")
        before = list(graph.get_state_history(CONFIG))[1]
        assert before.tasks[0].result == {"log": shown}


def test_d15_the_error_of_an_answer_that_does_not_fit(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    for on, starts in ((langgraph, 2), (nbhitl, 1)):
        started = []

        def node(state: Any, on: SimpleNamespace = on, started: list[int] = started) -> Any:
            started.append(1)
            return {"log": [on.interrupt("how many?", response_schema=int)]}

        graph = compiled(on, node)
        graph.invoke({"log": []}, CONFIG)
        with pytest.raises(ValueError, match="valid integer"):
            graph.invoke(on.Command(resume="many"), CONFIG)
        assert len(started) == starts
        assert (graph.get_state(CONFIG).tasks[0].error is None) is (on is nbhitl)
        assert graph.invoke(on.Command(resume=3), CONFIG)["log"] == [3]


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


def test_both_engines_are_compared() -> None:
    assert ENGINES == (LANGGRAPH, NBHITL)


def test_d31_a_key_that_is_not_tracked(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    found: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        untracked = import_module(f"{on.name}.channels").UntrackedValue
        keys = {"log": Annotated[list, operator.add], "connection": Annotated[Any, untracked]}
        builder = on.StateGraph(TypedDict("Connected", keys)).add_node(
            "connect", lambda state: {"connection": "secret"}
        )
        builder.add_node("ask", lambda state, on=on: {"log": [on.interrupt("go on?")]})
        builder.add_edge(on.START, "connect").add_edge(on.START, "ask")
        saver = on.InMemorySaver()
        graph = builder.compile(checkpointer=saver)
        graph.invoke({"log": []}, CONFIG, durability="exit")
        graph.update_state(CONFIG, {"connection": "by hand"}, as_node="ask")
        saved = [write[1:] for kept in saver.list(None) for write in kept.pending_writes]
        found[on.name] = sorted(value for channel, value in saved if channel == "connection")
    assert found == {LANGGRAPH: ["by hand", "secret"], NBHITL: []}


def test_d31_what_was_answered_and_is_not_tracked(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    seen: dict[str, Any] = {}
    for on in (langgraph, nbhitl):
        untracked = import_module(f"{on.name}.channels").UntrackedValue
        keys = {"log": Annotated[list, operator.add], "connection": Annotated[Any, untracked]}
        runs: list[Any] = []

        def connect(state: Any, on: SimpleNamespace = on, runs: list[Any] = runs) -> Any:
            runs.append(on.interrupt("connect?"))
            return {"connection": runs[-1]}

        builder = on.StateGraph(TypedDict("Connected", keys)).add_node("connect", connect)
        builder.add_node("ask", lambda state, on=on: {"log": [on.interrupt("go on?")]})
        builder.add_edge(on.START, "connect").add_edge(on.START, "ask")
        graph = builder.compile(checkpointer=on.InMemorySaver())
        asked = {i.value: i.id for i in graph.invoke({"log": []}, CONFIG)["__interrupt__"]}
        graph.invoke(on.Command(resume={asked["connect?"]: "yes"}), CONFIG)
        listed = [question.value for question in graph.get_state(CONFIG).interrupts]
        assert graph.invoke(on.Command(resume={asked["go on?"]: "yes"}), CONFIG)["log"] == ["yes"]
        seen[on.name] = (listed, runs)
    assert seen == {LANGGRAPH: (["connect?", "go on?"], ["yes", "yes"]), NBHITL: (["go on?"], ["yes"])}
