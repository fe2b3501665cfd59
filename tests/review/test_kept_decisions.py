"""A decision that a node keeps in the state is there when the thread is read again."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from nbhitl import Decision, approve, ask, edit
from nbhitl.checkpoint.bundle import export_thread, import_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.graph import START, StateGraph
from nbhitl.types import MISSING, Command

CONFIG = {"configurable": {"thread_id": "t"}}


class Plain(TypedDict):
    decision: Decision
    told: list


class Model(BaseModel):
    decision: Decision | None = None
    told: list = []


def asking(schema, saver):
    builder = StateGraph(schema)
    builder.add_node("ask", lambda state: {"decision": ask("Delete?", action="delete", args={"rows": 3})})
    builder.add_node("tell", lambda state: {"told": [told_of(state)]})
    return builder.add_edge(START, "ask").add_edge("ask", "tell").compile(checkpointer=saver)


def told_of(state):
    decision = state["decision"] if isinstance(state, dict) else state.decision
    return [decision.kind, dict(decision.args), decision.answer is MISSING]


@pytest.mark.parametrize("schema", [Plain, Model])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_decision_that_ask_returned_is_kept(schema, kind, tmp_path):
    path = str(tmp_path / "threads.db")
    with SqliteSaver.from_conn_string(path) as file:
        saver = InMemorySaver() if kind == "memory" else file
        graph = asking(schema, saver)
        graph.invoke({"told": []}, CONFIG)
        result = graph.invoke(Command(resume={"decision": "edit", "args": {"rows": 2}}), CONFIG)
        assert result["told"] == [["edit", {"rows": 2}, True]]
        bundle = export_thread(saver, "t")
    with SqliteSaver.from_conn_string(path) as again:
        if kind == "memory":
            import_thread(again, bundle)
        decision = asking(schema, again).get_state(CONFIG).values["decision"]
    assert decision == result["decision"]
    assert (decision.kind, dict(decision.args), decision.approved) == ("edit", {"rows": 2}, True)


def test_what_is_not_there_is_the_same_nothing_again():
    serde = Serde()
    assert serde.loads(serde.dumps(MISSING)) is MISSING
    serde.register(Decision)
    for decision in (approve(), edit(rows=2)):
        again = serde.loads(serde.dumps({"kept": [decision]}))["kept"][0]
        assert again == decision
        assert again.answer is MISSING
