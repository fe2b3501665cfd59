"""A plain answer after an `update_state` above the graph that asks: never for a question that it was not given for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import StoreError, UnknownInterruptError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Interrupt, interrupt

from .asking import CONFIG, State, asking, graph_of, questions

if TYPE_CHECKING:
    from collections.abc import Callable


def child(*nodes: Callable[..., Any], parallel: bool = False, checkpointer: Any = None) -> Any:
    graph = graph_of(*nodes, parallel=parallel)
    graph.checkpointer = checkpointer
    return graph


def above(inner: Any, saver: Any = None) -> Any:
    """A graph of two nodes; the second one is `inner`, or calls it."""
    builder = StateGraph(State).add_node("before", lambda state: {"log": ["before"]})
    builder.add_node("below", inner).add_edge(START, "before").add_edge("before", "below")
    return builder.compile(checkpointer=saver or InMemorySaver())


def paused(graph: Any, *answers: Any) -> Any:
    graph.invoke({"log": []}, CONFIG)
    for answer in answers:
        graph.invoke(Command(resume=answer), CONFIG)
    return graph


def test_another_node_that_asks_the_same_is_not_answered() -> None:
    first, second = asking("ok?", name="first"), asking("ok?", name="second")
    builder = StateGraph(State).add_node("first", first).add_node("second", second)
    builder.add_conditional_edges(START, lambda state: "first" if "changed" in state["log"] else "second")
    graph = paused(above(builder.compile()))
    graph.update_state(CONFIG, {"log": ["changed"]})
    result = graph.invoke(Command(resume="to second"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["ok?"]
    assert "to first" in graph.invoke(Command(resume="to first"), CONFIG)["log"]


def test_another_send_that_asks_the_same_is_not_answered() -> None:
    from nbhitl.types import Send

    def ask(state: Any) -> Any:
        return {"log": [interrupt("ok?")] if state["number"] in state["asking"] else []}

    builder = StateGraph(State).add_node("ask", ask)
    builder.add_conditional_edges(
        START,
        lambda state: [
            Send("ask", {"number": n, "asking": [0] if "changed" in state["log"] else [1]}) for n in range(2)
        ],
    )
    graph = paused(above(builder.compile()))
    graph.update_state(CONFIG, {"log": ["changed"]})
    assert questions(graph) == []
    result = graph.invoke(Command(resume="to the second"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["ok?"]


def test_another_call_that_asks_the_same_is_not_answered() -> None:
    inner = child(asking("ok?"))
    silent = child(lambda state: {"log": []})

    def calls(state: State) -> Any:
        first = inner if "changed" in state["log"] else silent
        return {"log": [*first.invoke({"log": []})["log"], *inner.invoke({"log": []})["log"]]}

    graph = paused(above(calls))
    graph.update_state(CONFIG, {"log": ["changed"]})
    result = graph.invoke(Command(resume="to the second"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["ok?"]
    result = graph.invoke(Command(resume="to the first"), CONFIG)
    assert result["log"] == ["before", "changed", "to the first", "to the second"]


@pytest.mark.parametrize("checkpointer", [None, False])
def test_the_second_question_of_a_child_that_starts_anew_is_asked_after_the_first(checkpointer: Any) -> None:
    graph = paused(above(child(asking("1", "2"), checkpointer=checkpointer)), "one")
    graph.update_state(CONFIG, {"log": []})
    result = graph.invoke(Command(resume="two"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["1"]


def test_what_a_later_node_of_a_child_asked_waits_for_no_answer_when_the_child_starts_anew() -> None:
    graph = paused(above(child(asking("1", name="first"), asking("2", name="second"))), "one")
    assert questions(graph) == ["2"]
    graph.update_state(CONFIG, {"log": ["changed"]})
    result = graph.invoke(Command(resume="two"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["1"]
    result = graph.invoke(Command(resume="one again"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["2"]


def test_the_next_question_of_the_same_words_is_another_one() -> None:
    """What was answered before the change was the first of them."""
    graph = paused(above(child(asking("sure?", "sure?"))))
    graph.update_state(CONFIG, {"log": ["changed"]})
    result = graph.invoke(Command(resume="once"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["sure?"]
    assert graph.invoke(Command(resume="twice"), CONFIG)["log"][-2:] == ["once", "twice"]


def test_a_node_that_asks_before_it_calls_is_asked_first() -> None:
    inner = child(asking("inner"), checkpointer=True)

    def own(state: State) -> Any:
        return {"log": [interrupt("own"), *inner.invoke({"log": []})["log"]]}

    graph = paused(above(own), "mine")
    graph.update_state(CONFIG, {"log": ["changed"]})
    result = graph.invoke(Command(resume="for inner"), CONFIG)
    assert [question.value for question in result["__interrupt__"]] == ["own"]
    assert graph.invoke(Command(resume="mine again"), CONFIG)["log"][-2:] == ["mine again", "for inner"]


@pytest.mark.parametrize("checkpointer", [None, True, False])
def test_of_several_open_questions_none_is_meant(checkpointer: Any) -> None:
    both = child(asking("a?", name="a"), asking("b?", name="b"), parallel=True, checkpointer=checkpointer)
    graph = paused(above(both))
    graph.update_state(CONFIG, {"log": ["changed"]})
    result = graph.invoke(Command(resume="to whom?"), CONFIG)
    assert sorted(question.value for question in result["__interrupt__"]) == ["a?", "b?"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_something_else_is_asked_anew(kind: str, tmp_path: Any) -> None:
    def ask(state: State) -> Any:
        return {"log": [interrupt(len(state["log"]))]}

    with SqliteSaver.from_conn_string(str(tmp_path / "t.db")) as sqlite:
        graph = paused(above(child(ask), sqlite if kind == "sqlite" else None))
        graph.update_state(CONFIG, {"log": ["changed"]})
        result = graph.invoke(Command(resume="yes"), CONFIG)
        assert [question.value for question in result["__interrupt__"]] == [2]
        assert questions(graph) == [2]
        assert graph.invoke(Command(resume="now"), CONFIG)["log"][-1] == "now"
        with pytest.raises(UnknownInterruptError):
            graph.invoke(Command(resume="now"), CONFIG)


def test_a_node_below_that_fails_after_the_answer_is_tried_again_with_it() -> None:
    failing = [True]

    def ask(state: State) -> Any:
        answer = interrupt("ok?")
        if failing.pop() if failing else False:
            raise OSError("no network")
        return {"log": [answer]}

    graph = paused(above(child(ask)))
    graph.update_state(CONFIG, {"log": ["changed"]})
    with pytest.raises(OSError, match="no network"):
        graph.invoke(Command(resume="yes"), CONFIG)
    assert graph.invoke(None, CONFIG)["log"][-1] == "yes"


def test_after_a_store_that_failed_and_another_change_the_answer_finds_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(request: Any) -> Any:
        raise StoreError("the disk is full")

    saver = InMemorySaver()
    graph = paused(above(child(asking("ok?")), saver))
    graph.update_state(CONFIG, {"log": ["changed"]})
    with monkeypatch.context() as patched:
        patched.setattr(saver, "claim", fails)
        with pytest.raises(StoreError, match="the disk is full"):
            graph.invoke(Command(resume="lost"), CONFIG)
    graph.update_state(CONFIG, {"log": ["again"]})
    result = graph.invoke(Command(resume="yes"), CONFIG)
    assert (result["log"][-1], "__interrupt__" in result, "lost" in result["log"]) == ("yes", False, False)


def test_a_child_that_was_changed_itself_asks_again_where_nothing_was_answered() -> None:
    graph = paused(above(child(asking("ok?"))))
    (task,) = graph.get_state(CONFIG, subgraphs=True).tasks
    graph.update_state(task.state.config, {"log": ["below"]})
    assert [question.value for question in graph.invoke(None, CONFIG)["__interrupt__"]] == ["ok?"]
    assert graph.invoke(Command(resume="yes"), CONFIG)["log"][-2:] == ["below", "yes"]


def test_asynchronously() -> None:
    async def ask(state: State) -> Any:
        return {"log": [interrupt("1"), interrupt("2")]}

    async def answered() -> Any:
        graph = above(child(ask))
        await graph.ainvoke({"log": []}, CONFIG)
        await graph.aupdate_state(CONFIG, {"log": ["changed"]})
        await graph.ainvoke(Command(resume="one"), CONFIG)
        return await graph.ainvoke(Command(resume="two"), CONFIG)

    assert asyncio.run(answered())["log"][-2:] == ["one", "two"]


def test_the_place_of_a_question_is_no_field() -> None:
    graph = above(child(asking("ok?")))
    (question,) = graph.invoke({"log": []}, CONFIG)["__interrupt__"]
    assert question.place == "below|ask"
    assert question == Interrupt("ok?", question.id)
    assert "below" not in repr(question)
    (top,) = paused(graph_of(asking("ok?"))).get_state(CONFIG).interrupts
    assert top.place is None
