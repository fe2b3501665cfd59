"""An answer that is refused after a change by hand leaves nothing open: nobody has asked anything on that branch."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import AlreadyAnswered, UnsupportedValue
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class Approval(BaseModel):
    ok: bool


class State(TypedDict):
    log: Annotated[list, operator.add]


class Odd:
    """What no store keeps."""


@pytest.fixture(params=["memory", "sqlite"])
def saver(request, tmp_path):
    if request.param == "memory":
        yield InMemorySaver()
        return
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as opened:
        yield opened


def changed(saver: Any, schema: Any = None) -> Any:
    """A graph that has asked, and whose state was changed by hand then."""
    builder = StateGraph(State).add_node("before", lambda state: {"log": ["before"]})
    builder.add_node("ask", lambda state: {"log": [interrupt("delete?", response_schema=schema)]})
    builder.add_edge(START, "before").add_edge("before", "ask")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"log": []}, CONFIG)
    assert len(saver.pending()) == 1
    graph.update_state(CONFIG, {"log": ["by hand"]}, as_node="before")
    return graph


def open_at(graph: Any) -> list[str]:
    return [question.id for question in graph.get_state(CONFIG).interrupts]


REFUSED = {
    "by its schema": (Approval, "perhaps", ValidationError),
    "by the store": (None, Odd(), UnsupportedValue),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refused_answer(saver, why):
    schema, answer, error = REFUSED[why]
    graph = changed(saver, schema)
    with pytest.raises(error):
        graph.invoke(Command(resume=answer), CONFIG)
    assert [q.interrupt_id for q in saver.pending()] == open_at(graph) == []
    result = graph.invoke(Command(resume={"ok": True}), CONFIG)
    assert result["log"][-1] in ({"ok": True}, Approval(ok=True))


@pytest.mark.parametrize("why", REFUSED)
async def test_a_refused_answer_in_asyncio(why):
    schema, answer, error = REFUSED[why]
    saver = InMemorySaver()
    graph = changed(saver, schema)
    with pytest.raises(error):
        await graph.ainvoke(Command(resume=answer), CONFIG)
    assert [q.interrupt_id for q in saver.pending()] == open_at(graph) == []
    assert "__interrupt__" not in await graph.ainvoke(Command(resume={"ok": True}), CONFIG)


def test_what_somebody_else_has_answered_stays_answered(saver, monkeypatch):
    """Who comes second is refused; the first answer goes on."""
    graph = changed(saver)
    claim, first = saver.claim, []

    def after_somebody_else(request: Any) -> Any:
        first.extend(claim(request))
        return claim(request)

    monkeypatch.setattr(saver, "claim", after_somebody_else)
    with pytest.raises(AlreadyAnswered):
        graph.invoke(Command(resume="mine"), CONFIG)
    states = {question.interrupt_id: question.state for question in saver.claims("t")}
    assert states[first[0].interrupt_id] == "delivered"
