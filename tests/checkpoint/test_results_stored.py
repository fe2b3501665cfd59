"""What tasks wrote, as steps store it: what is a value of the state anyway is stored once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from nbhitl.checkpoint._body_parts import result_data
from nbhitl.checkpoint.records import TaskWrites
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.constants import PULL
from nbhitl.graph import START, MessagesState, StateGraph

CONFIG: Any = {"configurable": {"thread_id": "t"}}


@pytest.mark.parametrize("given", [1, 3])
def test_the_first_turn_of_a_chat_stores_its_messages_once_beside_the_input(given):
    with closing(sqlite3.connect(":memory:")) as conn:
        saver = SqliteSaver(conn)
        builder = StateGraph(MessagesState)
        builder.add_node("bot", lambda state: {"messages": [AIMessage("the answer", id="a")]})
        builder.add_edge(START, "bot")
        graph = builder.compile(checkpointer=saver)
        asked = [HumanMessage(f"question {n}", id=f"q{n}") for n in range(given)]
        graph.invoke({"messages": asked}, CONFIG)

        bodies = [body for (body,) in conn.execute("SELECT body FROM nbhitl_steps ORDER BY checkpoint_id")]
        assert [body.count(b"question 0") for body in bodies] == [1, 1, 0]
        before, _, _ = reversed([*graph.get_state_history(CONFIG)])
        assert before.tasks[0].result == {"messages": asked}
        first = graph.get_state({"configurable": {"thread_id": "t", "checkpoint_id": _second(graph)}})
        assert first.values == {"messages": asked}


def _second(graph: Any) -> str:
    return [*graph.get_state_history(CONFIG)][1].config["configurable"]["checkpoint_id"]


def test_a_result_and_the_value_that_it_became_are_lists_of_their_own():
    """Who changes one of them, in a snapshot, leaves the other as it is."""
    with closing(sqlite3.connect(":memory:")) as conn:
        graph = StateGraph(MessagesState).add_node("bot", lambda state: {}).add_edge(START, "bot")
        app = graph.compile(checkpointer=SqliteSaver(conn))
        app.invoke({"messages": [HumanMessage("hi", id="h")]}, CONFIG)
        _, after, before = app.get_state_history(CONFIG)
        before.tasks[0].result["messages"].append("more")
        assert len(after.values["messages"]) == 1


def test_a_list_is_referred_to_only_where_the_value_has_its_very_items():
    one, two, equal = [1], [2], [1]

    def stored(written: Any, value: Any) -> Any:
        return result_data(
            TaskWrites("", "n", (PULL, "n"), [("k", written)]), 1, {"k": value, "l": 0}, {}, {}
        )[3]

    assert stored([one, two], [one, two]) == [["k", 0, 2]]
    assert stored([one, two], [two, one]) == [["k", [one, two]]]
    assert stored([equal], [one]) == [["k", [equal]]]
    assert stored([one], [one, two]) == [["k", [one]]]
    assert stored([], []) == [["k", []]]
    assert stored((one,), [one]) == [["k", (one,)]]
