"""Ctrl-C in memory, wherever it comes: a thread that is rewritten is as before or after, and one that runs can go on."""

import sys
from operator import add
from pathlib import Path
from typing import Annotated, TypedDict

import pytest

from nbhitl.checkpoint import memory
from nbhitl.checkpoint.bundle import export_thread, import_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

STORE = str(Path(memory.__file__).with_name("_memory_"))
CONFIG = {"configurable": {"thread_id": "t"}}


class CtrlC:
    """Raises KeyboardInterrupt where Python lets a signal do so, in the store: at the beginning of a function, or after
    the call of one that is written in C.
    """

    def __init__(self, number):
        self.left = number

    def __call__(self, frame, event, argument):
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(STORE):
            self.left -= 1
            if self.left == -1:
                sys.setprofile(None)
                raise KeyboardInterrupt


def broken_off(act, number):
    """Act, broken off at a point; return whether there are so many."""
    sys.setprofile(CtrlC(number))
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


class State(TypedDict, total=False):
    log: Annotated[list, add]


def graph_on(saver):
    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"log": [interrupt(len(state["log"]))]})
    builder.add_node("beside", lambda state: {"log": ["beside"]})
    builder.add_node("last", lambda state: {"log": ["last"]})
    builder.add_edge(START, "ask").add_edge(START, "beside").add_edge(["ask", "beside"], "last")
    return builder.compile(checkpointer=saver)


def finish(graph):
    """Go on until the thread has ended; an answer that is in doubt is given anew."""
    for _ in range(4):
        state = graph.get_state(CONFIG)
        if state.values and not state.next:
            return state.values["log"]
        for doubt in graph.checkpointer.pending(states="delivered"):
            graph.checkpointer.release(*doubt[:3], [doubt.interrupt_id])
        given = None if state.next else {"log": ["in"]}
        graph.invoke(Command(resume="yes") if state.interrupts else given, CONFIG)
    raise AssertionError("the thread does not end")


REWRITINGS = {
    "prune": lambda saver, bundle: saver.prune(["t"]),
    "keep answered": lambda saver, bundle: saver.prune(["t"], strategy="keep_answered"),
    "copy": lambda saver, bundle: saver.copy_thread("t", "u"),
    "replace": lambda saver, bundle: import_thread(saver, bundle, replace=True),
    "delete": lambda saver, bundle: saver.delete_thread("t"),
}


def told(saver):
    threads = [thread.thread_id for thread in saver.threads()]
    return threads, [[*saver.history(each, "")] for each in "tu"], saver.pending(), [*map(saver.claims, "tu")]


@pytest.fixture(scope="module")
def bundle():
    """A thread that has asked twice, and was answered once."""
    saver = InMemorySaver()
    graph = graph_on(saver)
    for given in ({"log": ["in"]}, Command(resume="yes"), {"log": ["again"]}):
        graph.invoke(given, CONFIG)
    return export_thread(saver, "t")


def seen_wherever_broken_off(bundle, prepare, see):
    """What is seen of the thread after the call that `prepare` makes was broken off at each place; last: at none."""
    number, is_broken_off, seen = 0, True, []
    while is_broken_off:
        saver = InMemorySaver()
        import_thread(saver, bundle)
        is_broken_off = broken_off(prepare(saver), number)
        seen.append(see(saver))
        number += 1
    return seen


@pytest.mark.parametrize("how", REWRITINGS)
def test_a_thread_that_is_rewritten_is_as_before_or_after(how, bundle):
    outcomes = seen_wherever_broken_off(bundle, lambda saver: lambda: REWRITINGS[how](saver, bundle), told)
    before, after = outcomes[0], outcomes[-1]
    assert len(outcomes) > 10
    assert all(outcome in (before, after) for outcome in outcomes)


CHANGES = {
    "an update": lambda graph: graph.update_state(CONFIG, {"log": ["by hand"]}, as_node="ask"),
    "a fork": lambda graph: graph.update_state(CONFIG, None, as_node="__copy__"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_question_is_closed_with_the_change_that_closes_it_or_not_at_all(how, bundle):
    def prepare(saver):
        graph = graph_on(saver)
        return lambda: CHANGES[how](graph)

    def see(saver):
        states = [claim.state for claim in saver.claims("t")]
        return len([*saver.history("t", "")]), states.count("open"), len(saver.pending())

    outcomes = seen_wherever_broken_off(bundle, prepare, see)
    assert len(outcomes) > 5
    assert {outcomes[0], outcomes[-1]} == {*outcomes}
    assert (outcomes[0][1:], outcomes[-1][1:]) == ((1, 1), (0, 0))


@pytest.mark.parametrize("answers", [False, True])
def test_a_run_that_is_broken_off_can_go_on(answers):
    number = 0
    while True:
        graph = graph_on(InMemorySaver())
        given = {"log": ["in"]}
        if answers:
            graph.invoke(given, CONFIG)
            given = Command(resume="yes")
        if not broken_off(lambda: graph.invoke(given, CONFIG), number):
            break
        assert finish(graph) == ["in", "yes", "beside", "last"], number
        number += 1
    assert number > 20
