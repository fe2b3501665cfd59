"""Threads of real graphs after pruning and copying: they go on as if nothing had happened."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt


class State(TypedDict):
    items: Annotated[list[Any], operator.add]


def inner(state: State) -> dict[str, Any]:
    return {"items": [interrupt("inner?")]}


def asking(state: State) -> dict[str, Any]:
    return {"items": [interrupt("first?"), interrupt("second?")]}


def compiled(saver: Any, **how: Any) -> Any:
    child = StateGraph(State)
    child.add_node("inner", inner)
    child.add_edge(START, "inner")
    graph = StateGraph(State)
    graph.add_node("start", lambda state: {"items": ["start"]})
    graph.add_node("asking", asking)
    graph.add_node("child", child.compile())
    graph.add_node("end", lambda state: {"items": ["end"]})
    for pair in ((START, "start"), ("start", "asking"), ("asking", "child"), ("child", "end")):
        graph.add_edge(*pair)
    return graph.compile(checkpointer=saver, **how)


def on(thread: str) -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}}


@pytest.fixture(params=["memory", "sqlite"])
def saver(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
        return
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as opened:
        yield opened


@pytest.mark.parametrize("strategy", ["keep_latest", "keep_answered"])
def test_a_thread_pruned_at_every_pause_ends_the_same(saver, strategy):
    graph = compiled(saver)
    for thread in ("whole", "pruned"):
        graph.invoke({"items": []}, on(thread))
        for answer in ("a", "b", "c"):
            if thread == "pruned":
                saver.prune(["pruned"], strategy=strategy)
            assert len(saver.pending(thread_prefix=thread)) == 1
            graph.invoke(Command(resume=answer), on(thread))
    whole, pruned = (graph.get_state(on(thread)) for thread in ("whole", "pruned"))
    assert pruned.values == whole.values
    assert len(pruned.values["items"]) > 4
    assert pruned.next == whole.next == ()
    assert [c.answer for c in saver.claims("pruned")] == [c.answer for c in saver.claims("whole")]


@pytest.mark.parametrize("changed", [False, True])
def test_what_stays_after_answers_is_shown_with_its_results(saver, changed):
    graph = compiled(saver)
    graph.invoke({"items": []}, on("t"))
    for answer in ("a", "b"):
        graph.invoke(Command(resume=answer), on("t"))
    then = graph.get_state(on("t"))
    if changed:  # a branch, before the answer leads on from where it was asked
        graph.update_state(on("t"), {"items": ["by hand"]}, as_node="start")
    graph.invoke(Command(resume={then.interrupts[0].id: "c"}), then.config)
    before = {s.config["configurable"]["checkpoint_id"]: s for s in graph.get_state_history(on("t"))}
    saver.prune(["t"], strategy="keep_answered")
    after = {s.config["configurable"]["checkpoint_id"]: s for s in graph.get_state_history(on("t"))}
    assert 2 < len(after) < len(before)
    for key, snapshot in after.items():
        assert snapshot.values == before[key].values
        assert snapshot.next == before[key].next
        assert [task.result for task in snapshot.tasks] == [task.result for task in before[key].tasks]


def test_a_copy_asks_once_where_the_original_stopped(saver):
    graph = compiled(saver, interrupt_before=["end"])
    graph.invoke({"items": []}, on("t"))
    graph.invoke(Command(resume="a"), on("t"))
    saver.copy_thread("t", "copy")
    for thread in ("t", "copy"):
        for answer in ("b", "c"):
            graph.invoke(Command(resume=answer), on(thread))
    saver.copy_thread("t", "third")
    assert len(saver.pending(thread_prefix="third")) == 1
    states = []
    for thread in ("t", "copy", "third"):
        graph.invoke(None, on(thread))
        states.append(graph.get_state(on(thread)).values)
    assert states[0] == states[1] == states[2]
    assert saver.pending() == []


def test_the_breakpoint_of_a_copy_is_one_question(saver):
    graph = compiled(saver, interrupt_before=["start"])
    graph.invoke({"items": []}, on("t"))
    saver.copy_thread("t", "copy")
    original, copied = saver.pending()
    assert original.interrupt_id != copied.interrupt_id
    graph.invoke({"items": []}, on("copy"))
    asked_again = [question.task_id for question in saver.pending(thread_prefix="copy")]
    assert len(asked_again) == len(set(asked_again)) == 1
