"""A graph that was edited while a person was asked: the question is answered, or the answer refused; nothing is lost."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver as LangGraphsMemory
from typing_extensions import TypedDict

from nbhitl.errors import UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command

from .asking import CONFIG, State, asking, graph_of, ids, questions, waiting


@pytest.fixture(params=["own", "langgraph"])
def any_saver(request, saver):
    return saver if request.param == "own" else LangGraphsMemory()


@pytest.mark.parametrize("by_id", [False, True], ids=["plain", "by id"])
def test_a_node_that_was_renamed_takes_no_answer_and_loses_none(run, any_saver, by_id):
    before = graph_of(asking("really?", name="old"), saver=any_saver)
    run.invoke(before, {})
    answer = {ids(before)[0]: "yes"} if by_id else "yes"
    renamed = graph_of(asking("really?", name="new"), saver=any_saver)
    with pytest.raises(UnknownInterruptError, match="renamed, removed or put elsewhere") as refused:
        run.invoke(renamed, Command(resume=answer))
    assert refused.value.interrupt_ids == tuple(ids(before))
    assert run.invoke(before, Command(resume=answer)) == {"log": ["yes"]}


def test_a_question_of_a_removed_node_does_not_hold_up_the_others(run, any_saver):
    nodes = [asking(name, name=name) for name in "abc"]
    run.invoke(graph_of(*nodes, saver=any_saver, parallel=True), {})
    fewer = graph_of(*nodes[:2], saver=any_saver, parallel=True)
    whole = graph_of(*nodes, saver=any_saver, parallel=True)
    of_a, _, of_c = ids(whole)
    with pytest.raises(UnknownInterruptError, match="renamed, removed"):
        run.invoke(fewer, Command(resume={of_a: 1, of_c: 3}))
    run.invoke(fewer, Command(resume={of_a: 1}))
    assert questions(fewer) == ["b"]
    assert run.invoke(fewer, Command(resume=2)) == {"log": [1, 2]}


@pytest.mark.parametrize("deferred", [True, False], ids=["not any more", "now"])
def test_a_node_that_was_deferred_or_is_now(run, any_saver, deferred):
    def compiled(defer: bool) -> Any:
        builder = StateGraph(State).add_node("ask", asking("q"), defer=defer).add_edge(START, "ask")
        return builder.compile(checkpointer=any_saver)

    run.invoke(compiled(deferred), {})
    edited = compiled(not deferred)
    assert (edited.get_state(CONFIG).next, questions(edited)) == (("ask",), ["q"])
    assert run.invoke(edited, Command(resume="yes")) == {"log": ["yes"]}


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_what_a_key_held_is_there_when_the_key_is_back(run, any_saver, durability):
    class More(TypedDict, total=False):
        log: Annotated[list[Any], lambda old, new: old + new]
        note: str

    def compiled(schema: type) -> Any:
        return StateGraph(schema).add_node("ask", asking("q")).add_edge(START, "ask").compile(any_saver)

    run.invoke(compiled(More), {"log": [], "note": "kept"}, durability=durability)
    run.invoke(compiled(State), Command(resume="yes"), durability=durability)
    assert compiled(State).get_state(CONFIG).values == {"log": ["yes"]}
    assert compiled(More).get_state(CONFIG).values == {"log": ["yes"], "note": "kept"}


def test_a_question_of_a_renamed_node_is_still_listed(run, saver):
    run.invoke(graph_of(asking("q", name="old"), saver=saver), {})
    with pytest.raises(UnknownInterruptError):
        run.invoke(graph_of(asking("q", name="new"), saver=saver), Command(resume="yes"))
    assert waiting(saver) == ["q"]
