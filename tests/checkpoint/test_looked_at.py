"""Looking at a thread again and again: quick, and what one reader does to what it got nobody else sees."""

from __future__ import annotations

import operator
import sqlite3
from contextlib import closing
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from typing_extensions import TypedDict

from nbhitl.checkpoint._recall import Recall
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.graph import START, StateGraph, add_messages

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class Chat(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    facts: dict[str, Any]
    mixed: Annotated[list[Any], operator.add]


def answer(state: Chat) -> dict[str, Any]:
    turn = len(state["messages"])
    call = {"name": "look", "args": {"where": ["here"]}, "id": f"c{turn}", "type": "tool_call"}
    said = AIMessage("", id=f"a{turn}", tool_calls=[call], response_metadata={"model": {"name": "m"}})
    found = ToolMessage("found", tool_call_id=f"c{turn}", id=f"t{turn}", artifact={"rows": [1]})
    return {
        "messages": [said, found],
        "facts": {"turn": {"is": [turn]}},
        "mixed": [turn, AIMessage("x", id=f"m{turn}", note="kept beside")],
    }


def chat(saver: Any) -> Any:
    return StateGraph(Chat).add_node("bot", answer).add_edge(START, "bot").compile(checkpointer=saver)


def turn(graph: Any, text: str) -> None:
    graph.invoke({"messages": [HumanMessage(text, id=text)]}, CONFIG)


def plain(state: dict[str, Any]) -> Any:
    """A state as data, to be compared with itself after somebody has changed it."""
    messages = [message.model_dump() for message in state["messages"]]
    mixed = [item if isinstance(item, int) else item.model_dump() for item in state["mixed"]]
    return repr((messages, state["facts"], mixed))


def spoil(state: dict[str, Any]) -> None:
    """Change everything in a state that can be changed."""
    for message in [*state["messages"], *(item for item in state["mixed"] if not isinstance(item, int))]:
        message.content = "spoiled"
        message.additional_kwargs["spoiled"] = True
        message.response_metadata.setdefault("model", {})["name"] = "spoiled"
        for call in getattr(message, "tool_calls", ()):
            call["args"]["where"].append("spoiled")
        if getattr(message, "artifact", None):
            message.artifact["rows"].append("spoiled")
        message.__pydantic_extra__["note"] = "spoiled"
    state["facts"]["turn"]["is"].append("spoiled")
    state["messages"].clear()
    state["mixed"].clear()


@pytest.fixture(params=["memory", "sqlite"])
def savers(request):
    """Two savers on one store; in memory they are one."""
    if request.param == "memory":
        saver = InMemorySaver()
        yield saver, saver
        return
    with closing(sqlite3.connect("file:looked?mode=memory&cache=shared", uri=True)) as conn:
        yield SqliteSaver(conn), SqliteSaver(conn)


def test_what_one_reader_does_to_a_state_no_other_sees(savers):
    graph, elsewhere = chat(savers[0]), chat(savers[1])
    for text in ("one", "two", "three"):
        turn(graph, text)
        fresh = plain(elsewhere.get_state(CONFIG).values)
        for _ in range(3):
            state = graph.get_state(CONFIG).values
            assert plain(state) == fresh
            spoil(state)
    turn(graph, "four")
    last = graph.get_state(CONFIG).values
    assert [m.content for m in last["messages"]].count("spoiled") == 0
    assert [m.id for m in last["messages"]][:4] == ["one", "a1", "t1", "two"]
    assert last["facts"] == {"turn": {"is": [10]}}


def test_a_reader_that_runs_nothing_gets_a_state_of_its_own_each_time(savers):
    turn(chat(savers[0]), "one")
    reader = chat(savers[1])
    fresh = plain(reader.get_state(CONFIG).values)
    for _ in range(4):
        state = reader.get_state(CONFIG).values
        assert plain(state) == fresh
        spoil(state)
        turn(chat(savers[0]), "one")
        fresh = plain(reader.get_state(CONFIG).values)


def test_an_update_from_outside_reads_on_from_what_is_kept(savers):
    graph = chat(savers[0])
    turn(graph, "one")
    for number in range(3):
        state = graph.get_state(CONFIG).values
        said = HumanMessage(f"more {number}", id="one")
        graph.update_state(CONFIG, {"messages": [said]}, as_node="bot")
        spoil(state)
        assert [m.content for m in graph.get_state(CONFIG).values["messages"]] == [
            f"more {number}",
            "",
            "found",
        ]


def test_a_state_that_is_looked_at_again_is_not_folded_again(savers, monkeypatch):
    graph, elsewhere = chat(savers[0]), chat(savers[1])
    turn(graph, "one")
    turn(graph, "two")
    for reader in (graph, elsewhere):
        reader.get_state(CONFIG)
        reader.get_state(CONFIG)
        with monkeypatch.context() as patch:
            patch.setattr(Recall, "keep", None)  # it would be called if the state was read anew
            assert len(reader.get_state(CONFIG).values["messages"]) == 6
