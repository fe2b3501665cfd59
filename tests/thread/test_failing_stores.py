"""A store that fails while an answer is delivered: the question stays open if nothing ran, and no error hides another."""

from __future__ import annotations

from typing import Any

import pytest

from nbhitl import GraphThread
from nbhitl.checkpoint.companion import companion_of
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.errors import StoreError


def store_of(graph: Any) -> Any:
    """Where the claims of a graph's questions are."""
    saver = graph.checkpointer
    return saver if isinstance(saver, InMemorySaver) else companion_of(saver)


def fails(*_: Any, **__: Any) -> Any:
    raise StoreError("the disk is gone")


@pytest.mark.parametrize("breaks", ["interrupt", "breakpoint"])
def test_a_question_whose_answer_could_not_be_claimed_is_open(lib, build, monkeypatch, breaks):
    ran = []

    def pay(state):
        ran.append(lib.interrupt("pay?") if breaks == "interrupt" else "passed")
        return {"log": ran}

    stops = {"interrupt_before": ["pay"]} if breaks == "breakpoint" else {}
    graph = build(stops, pay=pay)
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    card = thread.question
    with monkeypatch.context() as patched:
        patched.setattr(store_of(graph), "claim", fails)
        with pytest.raises(StoreError, match="the disk is gone"):
            card.approve() if breaks == "breakpoint" else card.respond("yes")
    assert (card.state, ran) == ("open", [])
    card.approve() if breaks == "breakpoint" else card.respond("now")
    assert ran == (["passed"] if breaks == "breakpoint" else ["now"])
    assert thread.result == {"log": ran}


def test_what_a_node_raised_is_told_although_the_thread_cannot_be_read_after_it(lib, build, monkeypatch):
    def pay(state):
        lib.interrupt("pay?")
        for method in ("claims", "load"):
            monkeypatch.setattr(store_of(graph), method, fails)
        raise ValueError("no money")

    graph = build({}, pay=pay)
    thread = GraphThread(graph, "t")
    thread.run({"log": []})
    card = thread.question
    with pytest.raises(ValueError, match="no money") as raised:
        card.respond("yes")
    assert any("the disk is gone" in note for note in raised.value.__notes__)
    assert card.state == "failed"
    monkeypatch.undo()
    assert [claim.state for claim in store_of(graph).claims("t")] == ["delivered"]
