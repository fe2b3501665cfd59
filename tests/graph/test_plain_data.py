"""What the engine hands to savers of others is plain data: their serializers need not know nbhitl's classes."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from typing_extensions import TypedDict

from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Overwrite, Send, interrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph.checkpoint.base import BaseCheckpointSaver

CONFIG = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    log: Annotated[list, operator.add]


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest) -> Iterator[BaseCheckpointSaver]:
    if request.param == "memory":
        yield InMemorySaver()
        return
    with SqliteSaver.from_conn_string(":memory:") as sqlite:
        yield sqlite


def test_results_beside_a_question(saver: BaseCheckpointSaver, caplog: pytest.LogCaptureFixture) -> None:
    builder = StateGraph(State).add_node("ask", lambda state: {"log": [interrupt("sure?")]})
    builder.add_node("anew", lambda state: {"log": Overwrite(["anew"])})
    builder.add_node("send", lambda state: Command(goto=Send("sent", {"log": []})))
    builder.add_node("sent", lambda state: {"log": ["sent"]})
    for name in ("ask", "anew", "send"):
        builder.add_edge(START, name)
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"log": ["in"]}, CONFIG)
    found = {task.name: task.result for task in graph.get_state(CONFIG).tasks}
    assert found == {"ask": None, "anew": {"log": Overwrite(["anew"])}, "send": {}}
    kept = [value for stored in saver.list(CONFIG) for _, _, value in stored.pending_writes or ()]
    assert {"value": ["anew"], "type": "__overwrite__"} in kept
    assert not any(type(value).__module__.startswith("nbhitl") for value in kept)
    assert graph.invoke(Command(resume="yes"), CONFIG) == {"log": ["anew", "sent"]}
    assert "unregistered" not in caplog.text
