"""Effects that failed, were broken off or are under way elsewhere: what is in doubt waits for a person."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from nbhitl import once
from nbhitl.checkpoint.journal import journal_of
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import EffectInDoubt, EffectRunning, StoreError, UnsupportedValue

from .effects import Effect, started_and_done
from .graphs import CONFIG, Engine, State


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
