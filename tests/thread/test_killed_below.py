"""A process is killed while a called graph goes on with an answer: at what it asks next, or at what it does then."""

from __future__ import annotations

import operator
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from nbhitl import GraphThread
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Send, interrupt

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    log: Annotated[list[str], operator.add]


def ask_twice(state: State) -> dict[str, Any]:
    return {"log": [interrupt("first?"), interrupt("second?")]}


def calling(saver: Any) -> Any:
    child = StateGraph(State).add_node("ask", ask_twice).add_edge(START, "ask").compile(checkpointer=True)
    return StateGraph(State).add_node("child", child).add_edge(START, "child").compile(checkpointer=saver)


@pytest.fixture
def left():
    """What the store has at that moment."""
    with (
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn,
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as copy,
    ):
        saver = SqliteSaver(conn)
        graph, put_pause = calling(saver), saver.put_pause
        graph.invoke({"log": []}, CONFIG)

        def stopped_in(pause: Any) -> None:
            if pause.ns == "":
                conn.backup(copy)
            put_pause(pause)

        saver.put_pause = stopped_in
        assert graph.invoke(Command(resume="one"), CONFIG)["__interrupt__"][0].value == "second?"
        yield SqliteSaver(copy)


def test_the_answer_is_in_doubt_and_what_nobody_can_answer_is_not_shown(left):
    thread = GraphThread(calling(left), "t")
    assert thread.questions == []
    (card,) = thread.session.cards
    assert card.question.payload == "first?"
    assert "in doubt" in str(card.question.doubt)


def test_asked_again_the_caller_hears_of_what_is_asked_next(left):
    (doubt,) = left.pending(states=("delivered",))
    left.release("t", doubt.ns, doubt.checkpoint_id, [doubt.interrupt_id])
    graph = calling(left)
    asked = []
    for answer in ("anew", "two"):
        card = GraphThread(graph, "t").question
        asked.append(card.question.payload)
        card.answer(answer)
    assert asked == ["first?", "second?"]
    assert graph.get_state(CONFIG).values["log"] == ["anew", "two"]


def asks_then_acts(saver: Any, keeps: bool | None, act: Any) -> Any:
    """Two tasks that call a graph, one if it keeps a state of its own: it asks in one node, and acts in the next."""
    child = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt(f"{state['log'][0]}?")]})
    child.add_node("act", act).add_edge(START, "ask").add_edge("ask", "act")
    builder = StateGraph(State).add_node("child", child.compile(checkpointer=keeps))
    if keeps:
        return builder.add_edge(START, "child").compile(checkpointer=saver)
    builder.add_conditional_edges(START, lambda state: [Send("child", {"log": [n]}) for n in "ab"], ["child"])
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("keeps", [None, True])
@pytest.mark.parametrize("how", ["retry", "ask_again"])
def test_a_called_graph_that_has_gone_on_with_the_answer_is_in_doubt_too(keeps, how):
    acted: list[Any] = []
    with (
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as conn,
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as copy,
    ):

        def act_and_copy(state: State) -> None:
            acted.append(state["log"])
            conn.backup(copy)

        graph = asks_then_acts(SqliteSaver(conn), keeps, act_and_copy)
        asked = graph.invoke({"log": ["a"]}, CONFIG)["__interrupt__"]
        graph.invoke(Command(resume={asked[0].id: "yes"}), CONFIG)
        assert len(acted) == 1

        after = asks_then_acts(SqliteSaver(copy), keeps, lambda state: acted.append(state["log"]))
        thread = GraphThread(after, "t", clock=lambda: datetime.now(UTC) + timedelta(hours=1))
        assert [card.question.payload for card in thread.questions] == [i.value for i in asked[1:]]
        (card,) = (card for card in thread.session.cards if card.question.doubt)
        assert (card.question.payload, card.question.node) == (asked[0].value, "child")
        getattr(thread, how)()
        if how == "ask_again":
            assert len(thread.questions) == len(asked)
        for question in thread.questions:
            question.answer("yes")
        assert thread.result["log"].count("yes") == len(asked)
        assert len(acted) == 1 + len(asked)
