"""An effect of a node happens once for a thread, whatever makes the node start again."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from nbhitl import once
from nbhitl.checkpoint.journal import journal_of
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import EffectInDoubt, EffectRunning, StoreError, UnsupportedValue

from .graphs import CONFIG, Engine, State


class Effect:
    """Counts how often it happened; each time it returns another value."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.seen.append((args, kwargs))
        return {"number": len(self.seen)}


@pytest.fixture
def effect():
    return Effect()


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


# -- what goes wrong -----------------------------------------------------------------------------------------
def test_after_an_error_it_runs_again(pair):
    engine, saver = pair
    tries: list[int] = []

    def fails_once() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no network")
        return len(tries)

    def node(state: State) -> State:
        return {"got": once("k", fails_once)}

    graph = engine.graph(node, saver=saver)
    with pytest.raises(OSError, match="no network"):
        graph.invoke({}, CONFIG)
    assert journal_of(saver).once_entries("t") == []
    assert graph.invoke(None, CONFIG) == {"got": 2}
    assert len(tries) == 2


class Pulled(BaseException):
    """Stands for a kernel's stop button."""


def interrupted(engine: Engine, saver: Any, effect: Effect) -> Any:
    """A graph whose effect was interrupted half way."""
    stop = [True]

    def half() -> Any:
        done = effect()
        if stop.pop() if stop else False:
            raise Pulled
        return done

    def node(state: State) -> State:
        return {"got": once("mail", half)}

    graph = engine.graph(node, saver=saver)
    with pytest.raises(Pulled):
        graph.invoke({}, CONFIG)
    return graph


def test_interrupted_half_way_it_is_in_doubt_until_a_person_says_what_happened(own_saver, effect):
    graph = interrupted(Engine("nbhitl"), own_saver, effect)
    with pytest.raises(EffectInDoubt) as raised:
        graph.invoke(None, CONFIG)
    assert not isinstance(raised.value, EffectRunning)
    (entry,) = own_saver.once_entries("t")
    assert (entry.key, entry.state, entry.result, entry.done_at) == ("mail", "started", None, None)
    error = raised.value
    assert (error.key, error.thread_id) == ("mail", "t")
    assert (error.owner, error.started_at) == (entry.owner, entry.started_at)
    for part in ("'mail'", "'t'", entry.started_at, entry.owner, "settle_once", "forget_once"):
        assert part in str(error)
    assert len(effect.seen) == 1
    own_saver.settle_once("t", "mail", {"sent": True})
    assert graph.invoke(None, CONFIG) == {"got": {"sent": True}}
    assert len(effect.seen) == 1


def test_interrupted_half_way_it_can_be_forgotten_and_run_again(saver, effect):
    graph = interrupted(Engine("nbhitl"), saver, effect)
    with pytest.raises(EffectInDoubt):
        graph.invoke(None, CONFIG)
    journal_of(saver).forget_once("t", "mail")
    assert graph.invoke(None, CONFIG) == {"got": {"number": 2}}


def test_a_result_that_cannot_be_stored_leaves_the_effect_in_doubt(effect):
    class Unknown:
        pass

    def fn() -> Any:
        effect()
        return {"object": object()}

    def node(state: State) -> State:
        return {"got": once("k", fn)}

    saver = InMemorySaver()
    graph = Engine("nbhitl").graph(node, saver=saver)
    with pytest.raises(UnsupportedValue, match=r"once\('k'\).*It has run.*settle_once\('t', 'k', result\)"):
        graph.invoke({}, CONFIG)
    with pytest.raises(EffectInDoubt):
        graph.invoke(None, CONFIG)
    assert len(effect.seen) == 1


def test_a_question_inside_the_effect_does_not_count_as_done(engine, effect):
    def fn() -> Any:
        return [engine.interrupt("sure?"), effect()]

    def node(state: State) -> State:
        return {"got": once("k", fn)}

    graph = engine.graph(node, saver=engine.memory())
    graph.invoke({}, CONFIG)
    assert effect.seen == []
    assert graph.invoke(engine.command(resume="yes"), CONFIG) == {"got": ["yes", {"number": 1}]}


def test_forgotten_while_it_runs_is_said(effect):
    saver = InMemorySaver()

    def fn() -> Any:
        saver.forget_once("t", "k")
        return effect()

    def node(state: State) -> State:
        return {"got": once("k", fn)}

    with pytest.raises(
        EffectInDoubt, match=r"has run here and returned .*number.*forgotten or settled meanwhile"
    ):
        Engine("nbhitl").graph(node, saver=saver).invoke({}, CONFIG)
    assert saver.once_entries("t") == []


def test_the_same_key_inside_itself_is_refused(effect):
    def node(state: State) -> State:
        return {"got": once("k", lambda: once("k", effect))}

    with pytest.raises(EffectRunning, match="running there now"):
        Engine("nbhitl").graph(node, saver=InMemorySaver()).invoke({}, CONFIG)
    assert effect.seen == []


# -- at once -------------------------------------------------------------------------------------------------
def test_of_threads_at_once_one_runs_it_and_the_others_are_told_who(own_saver):
    ran: list[str] = []
    told: list[EffectRunning] = []
    everybody = threading.Barrier(8)
    all_told = threading.Event()

    def slow() -> str:
        ran.append("ran")
        assert all_told.wait(30)
        return "done"

    def racer(name: str) -> Any:
        def node(state: State) -> State:
            everybody.wait(30)
            try:
                assert once("k", slow) == "done"
            except EffectRunning as error:
                told.append(error)
                if len(told) == 7:
                    all_told.set()
            return {}

        node.__name__ = name
        return node

    graph = Engine("nbhitl").graph(*(racer(f"n{i}") for i in range(8)), saver=own_saver, parallel=True)
    graph.invoke({}, {**CONFIG, "max_concurrency": 8})
    assert ran == ["ran"]
    assert len(told) == 7
    (entry,) = own_saver.once_entries("t")
    assert {error.owner for error in told} == {entry.owner}
    assert (entry.state, entry.result) == ("done", "done")


def test_of_threads_one_after_another_the_later_ones_get_the_result(own_saver, effect):
    def racer(name: str) -> Any:
        lock = locks

        def node(state: State) -> State:
            with lock:
                assert once("k", effect) == {"number": 1}
            return {}

        node.__name__ = name
        return node

    locks = threading.Lock()
    graph = Engine("nbhitl").graph(*(racer(f"n{i}") for i in range(4)), saver=own_saver, parallel=True)
    graph.invoke({}, CONFIG)
    assert len(effect.seen) == 1


# -- upkeep --------------------------------------------------------------------------------------------------
def started_and_done(saver: Any) -> None:
    assert saver.begin_once("t", "done", "ann", "2026-11-20T12:00:00.000000+00:00") is None
    assert saver.end_once("t", "done", "ann", [1], "2026-11-20T12:00:01.000000+00:00")
    assert saver.begin_once("t", "doubt", "ann", "2026-11-20T12:00:02.000000+00:00") is None


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


def test_only_who_started_it_can_end_or_cancel_it(own_saver):
    started_and_done(own_saver)
    assert own_saver.end_once("t", "doubt", "bob", 1, "now") is False
    assert own_saver.cancel_once("t", "doubt", "bob") is False
    assert own_saver.cancel_once("t", "done", "ann") is False
    assert [entry.state for entry in own_saver.once_entries("t")] == ["done", "started"]
    assert own_saver.cancel_once("t", "doubt", "ann") is True
    assert [entry.key for entry in own_saver.once_entries("t")] == ["done"]


def test_what_is_done_or_unknown_cannot_be_settled(own_saver):
    started_and_done(own_saver)
    with pytest.raises(StoreError, match=r"was done at .*its result stands"):
        own_saver.settle_once("t", "done", 2)
    with pytest.raises(StoreError, match=r"no effect 'nope' in its journal; it has: 'done', 'doubt'"):
        own_saver.settle_once("t", "nope", 2)
    with pytest.raises(StoreError, match="no effect 'nope'"):
        own_saver.forget_once("t", "nope")
    assert own_saver.once_entries("t")[0].result == [1]
