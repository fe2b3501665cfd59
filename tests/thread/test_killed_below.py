"""A process is killed when a called graph has saved what it asks next, and its caller has not heard of it."""

from __future__ import annotations

import operator
import sqlite3
from contextlib import closing
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from nbhitl import GraphThread
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

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
