"""An effect of a node happens once for a thread, whatever makes the node start again."""

from __future__ import annotations

from typing import Any

import pytest

from nbhitl import once
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import EffectRunning

from .effects import started_and_done
from .graphs import CONFIG, Engine, State

OTHER: Any = {"configurable": {"thread_id": "other"}}


# -- once for a thread ---------------------------------------------------------------------------------------
def test_a_node_that_starts_again_does_not_do_it_again(pair, effect):
    engine, saver = pair

    def ask(state: State) -> State:
        row = once("row", effect, 1, two=2)
        answers = [engine.interrupt("first"), engine.interrupt("second")]
        return {"got": [row, *answers]}

    graph = engine.graph(ask, saver=saver)
    graph.invoke({}, CONFIG)
    graph.invoke(engine.command(resume="a"), CONFIG)
    assert graph.invoke(engine.command(resume="b"), CONFIG) == {"got": [{"number": 1}, "a", "b"]}
    assert effect.seen == [((1,), {"two": 2})]


def test_another_thread_and_another_key_are_other_effects(engine, effect):
    def node(state: State) -> State:
        return {"got": [once("a", effect), once("b", effect), once("a", effect)]}

    graph = engine.graph(node, saver=engine.memory())
    first, second, third, fourth = ({"number": n} for n in (1, 2, 3, 4))
    assert graph.invoke({}, CONFIG) == {"got": [first, second, first]}
    assert graph.invoke({}, OTHER) == {"got": [third, fourth, third]}
    assert graph.invoke({}, CONFIG) == {"got": [first, second, first]}


def test_the_result_is_data_that_nobody_can_change_afterwards(engine):
    def node(state: State) -> State:
        once("list", lambda: [1, {"a": (2, None, b"3")}])
        once("list", list).append("changed")
        return {"got": once("list", list)}

    graph = engine.graph(node, saver=engine.memory())
    assert graph.invoke({}, CONFIG) == {"got": [1, {"a": (2, None, b"3")}]}


@pytest.mark.parametrize("result", [None, False, 0, "", [], {}])
def test_an_empty_result_counts_as_done(engine, effect, result):
    def node(state: State) -> State:
        def fn() -> Any:
            effect()
            return result

        return {"got": [once("k", fn), once("k", fn)]}

    assert engine.graph(node, saver=engine.memory()).invoke({}, CONFIG) == {"got": [result, result]}
    assert len(effect.seen) == 1


def test_a_fork_on_the_same_thread_sees_what_was_done(engine, effect):
    def before(state: State) -> State:
        return {}

    def node(state: State) -> State:
        return {"got": once("k", effect)}

    graph = engine.graph(before, node, saver=engine.memory())
    graph.invoke({}, CONFIG)
    (past,) = [s for s in graph.get_state_history(CONFIG) if s.next == ("node",)]
    assert graph.invoke(None, past.config) == {"got": {"number": 1}}
    assert len(effect.seen) == 1


def test_a_key_belongs_to_called_graphs_and_their_caller_alike(engine, effect):
    def inside(state: State) -> State:
        return {"got": once("k", effect)}

    inner = engine.graph(inside)

    def outside(state: State) -> State:
        row = once("k", effect)
        assert inner.invoke({}) == {"got": row}
        return {"got": row}

    assert engine.graph(outside, saver=engine.memory()).invoke({}, CONFIG) == {"got": {"number": 1}}
    assert len(effect.seen) == 1


def test_a_key_in_a_tool_belongs_to_the_thread(effect):
    from nbhitl.graph import START, MessagesState, StateGraph
    from nbhitl.messages import AIMessage
    from nbhitl.prebuilt import ToolNode
    from nbhitl.types import Command, interrupt

    def mail(to: str) -> str:
        """Mail somebody."""
        draft = once(f"draft-{to}", effect, to)
        return f"{to} {draft['number']} {interrupt(to)}"

    calls = [{"name": "mail", "args": {"to": to}, "id": to, "type": "tool_call"} for to in ("ann", "bob")]
    builder = StateGraph(MessagesState).add_node("tools", ToolNode([mail])).add_edge(START, "tools")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.invoke({"messages": [AIMessage(content="", tool_calls=calls)]}, CONFIG)
    asked = {i.value: i.id for i in graph.get_state(CONFIG).interrupts}
    for to in ("ann", "bob"):
        if to in asked:
            graph.invoke(Command(resume={asked[to]: "yes"}), CONFIG)
            asked |= {i.value: i.id for i in graph.get_state(CONFIG).interrupts}
    told = sorted(message.content for message in graph.get_state(CONFIG).values["messages"][1:])
    assert [text.split()[0] for text in told] == ["ann", "bob"]
    assert sorted(args[0] for args, _ in effect.seen) == ["ann", "bob"]


# -- no saver ------------------------------------------------------------------------------------------------
def test_without_a_saver_it_is_once_for_a_run(effect):
    engine = Engine("nbhitl")

    def first(state: State) -> State:
        return {"got": [once("k", effect)]}

    def second(state: State) -> State:
        return {"got": [*state["got"], once("k", effect)]}

    graph = engine.graph(first, second)
    assert graph.invoke({}) == {"got": [{"number": 1}, {"number": 1}]}
    assert graph.invoke({}) == {"got": [{"number": 2}, {"number": 2}]}


def test_without_a_saver_langgraphs_graphs_are_refused(effect):
    def node(state: State) -> State:
        return {"got": once("k", effect)}

    with pytest.raises(RuntimeError, match=r"needs a checkpointer"):
        Engine("langgraph").graph(node).invoke({}, CONFIG)
    assert effect.seen == []


def test_outside_of_a_node(effect):
    with pytest.raises(RuntimeError, match="needs a running node"):
        once("k", effect)
    assert effect.seen == []


@pytest.mark.parametrize("key", ["", None, 3])
def test_a_key_is_text(key, effect):
    with pytest.raises(ValueError, match="needs a key"):
        once(key, effect)


@pytest.mark.parametrize("not_called", [3, None, {"n": 1}])
def test_what_runs_is_a_function(engine, not_called):
    def node(state):
        return {"log": [once("k", not_called)]}

    with pytest.raises(
        TypeError, match=r"once\('k', \.\.\.\) needs a function to call.*Give the function itself"
    ):
        engine.graph(node).invoke({}, CONFIG)


def test_a_question_inside_the_effect_does_not_count_as_done(engine, effect):
    def fn() -> Any:
        return [engine.interrupt("sure?"), effect()]

    def node(state: State) -> State:
        return {"got": once("k", fn)}

    graph = engine.graph(node, saver=engine.memory())
    graph.invoke({}, CONFIG)
    assert effect.seen == []
    assert graph.invoke(engine.command(resume="yes"), CONFIG) == {"got": ["yes", {"number": 1}]}


def test_the_same_key_inside_itself_is_refused(effect):
    def node(state: State) -> State:
        return {"got": once("k", lambda: once("k", effect))}

    with pytest.raises(EffectRunning, match="running there now"):
        Engine("nbhitl").graph(node, saver=InMemorySaver()).invoke({}, CONFIG)
    assert effect.seen == []


def test_entries_can_be_read(own_saver):
    started_and_done(own_saver)
    assert [tuple(entry) for entry in own_saver.once_entries("t")] == [
        ("t", "done", "done", [1], "ann", "2026-11-20T12:00:00.000000+00:00", "2026-11-20T12:00:01.000000+00:00"),
        ("t", "doubt", "started", None, "ann", "2026-11-20T12:00:02.000000+00:00", None),
    ]  # fmt: skip
    assert own_saver.once_entries("other") == []


def test_deleting_a_thread_forgets_its_effects(own_saver):
    started_and_done(own_saver)
    own_saver.delete_thread("t")
    assert own_saver.once_entries("t") == []


def test_a_copied_thread_knows_what_is_done_and_not_what_is_under_way(own_saver):
    started_and_done(own_saver)
    own_saver.copy_thread("t", "copy")
    assert [(entry.key, entry.result) for entry in own_saver.once_entries("copy")] == [("done", [1])]
    assert len(own_saver.once_entries("t")) == 2
