"""Differences from LangGraph in questions and their answers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from .both_engines import CONFIG, State, compiled
from .swap import LANGGRAPH, NBHITL

if TYPE_CHECKING:
    from types import SimpleNamespace

A_WRONG_ID = "a" * 32


def asking(on: SimpleNamespace, *questions: str) -> Any:
    return compiled(on, lambda state: {"log": [on.interrupt(question) for question in questions]})


def paused(on: SimpleNamespace, *questions: str) -> Any:
    graph = asking(on, *questions)
    graph.invoke({"log": []}, CONFIG)
    return graph


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


def test_d4_several_tasks_with_a_saver_that_keeps_no_writes(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    """Nobody can tell which of them asked: the answer has to name the question."""

    def asking(on: SimpleNamespace) -> Any:
        class KeepsNoWrites(on.InMemorySaver):  # type: ignore[misc, name-defined]
            def put_writes(self, *_: Any) -> None:
                pass

        builder = on.StateGraph(State).add_node("node", lambda state: {"log": [on.interrupt("q")]})
        builder.add_node("other", lambda state: {"log": ["other"]}).add_edge(on.START, "other")
        return builder.add_edge(on.START, "node").compile(checkpointer=KeepsNoWrites())

    graph = asking(langgraph)
    graph.invoke({"log": []}, CONFIG)
    assert graph.invoke(langgraph.Command(resume="yes"), CONFIG) == {"log": ["yes", "other"]}
    graph = asking(nbhitl)
    question = graph.invoke({"log": []}, CONFIG)["__interrupt__"][0]
    with pytest.raises(RuntimeError, match=rf"(?s)you must specify the interrupt id.*{question.id} \(node\)"):
        graph.invoke(nbhitl.Command(resume="yes"), CONFIG)
    assert graph.invoke(nbhitl.Command(resume={question.id: "yes"}), CONFIG) == {"log": ["yes", "other"]}


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


def test_d13_a_node_interrupt_has_an_id(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    ids = {}
    for on in (langgraph, nbhitl):

        def ask(state: Any, on: SimpleNamespace = on) -> None:
            raise on.errors.NodeInterrupt("set a name first")

        ids[on.name] = compiled(on, ask).invoke({"log": []}, CONFIG)["__interrupt__"][0].id
    assert ids[LANGGRAPH] == "placeholder-id"
    assert len(ids[NBHITL]) == 32


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


def _noting(handled: list[str], node_error: Any) -> Any:
    def handle(state: Any, error: Any) -> Any:
        handled.append(error.node)
        return {"log": ["handled"]}

    handle.__annotations__["error"] = node_error  # each engine has its own
    return handle


def test_d17_an_error_that_was_handled_beside_a_question(
    langgraph: SimpleNamespace, nbhitl: SimpleNamespace
) -> None:
    seen = {}
    for on in (langgraph, nbhitl):
        handled: list[str] = []
        handles = _noting(handled, on.errors.NodeError)
        builder = on.StateGraph(State).add_node("fail", lambda state: 1 / 0, error_handler=handles)
        builder.add_node("ask", lambda state, on=on: {"log": [on.interrupt("q")]})
        graph = builder.add_edge(on.START, "fail").add_edge(on.START, "ask").compile(on.InMemorySaver())
        graph.invoke({"log": []}, CONFIG)
        state = graph.get_state(CONFIG)
        result = graph.invoke(on.Command(resume="yes"), CONFIG)
        assert sorted(result["log"]) == ["handled", "yes"]
        seen[on.name] = (state.values["log"], state.next, len(handled))
    assert seen == {LANGGRAPH: ([], ("fail", "ask"), 2), NBHITL: (["handled"], ("ask",), 1)}


def _asking_what_now(on: SimpleNamespace) -> Any:
    def handle(state: Any, error: Any) -> Any:
        return {"log": [on.interrupt("what now?")]}

    handle.__annotations__["error"] = on.errors.NodeError
    return handle


def test_d22_a_question_of_an_error_handler(langgraph: SimpleNamespace, nbhitl: SimpleNamespace) -> None:
    listed = {}
    for on in (langgraph, nbhitl):
        handle = _asking_what_now(on)
        builder = on.StateGraph(State).add_node("node", lambda state: 1 / 0, error_handler=handle)
        graph = builder.add_edge(on.START, "node").compile(on.InMemorySaver())
        assert [question.value for question in graph.invoke({"log": []}, CONFIG)["__interrupt__"]] == [
            "what now?"
        ]
        listed[on.name] = len(graph.get_state(CONFIG).interrupts)
        assert graph.invoke(on.Command(resume="go on"), CONFIG) == {"log": ["go on"]}
    assert listed == {LANGGRAPH: 0, NBHITL: 1}


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
