"""LangGraph's interface of a saver shows the pending writes that LangGraph has, and no counts of the engine's own."""

import operator
from typing import Annotated

import pytest
from typing_extensions import TypedDict

from tests.engine.engines import BOTH, OURS

CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    items: Annotated[list, operator.add]


def asked_three_times(e, saver):
    def node(state):
        return {"items": [e.interrupt(n) for n in range(4)]}

    graph = e.StateGraph(State).add_node("n", node).add_edge(e.START, "n").compile(checkpointer=saver)
    graph.invoke({"items": []}, CONFIG)
    for answer in ("a", "b"):
        graph.invoke(e.Command(resume=answer), CONFIG)
    return graph


@BOTH
@pytest.mark.parametrize("read", ["get_tuple", "list"])
def test_no_counts_of_starts(e, read):
    saver = e.InMemorySaver()
    asked_three_times(e, saver)
    found = saver.get_tuple(CONFIG) if read == "get_tuple" else next(iter(saver.list(CONFIG)))
    assert {channel for _, channel, _ in found.pending_writes} == {"__interrupt__", "__resume__"}


def test_a_saver_that_is_reached_through_the_interface_keeps_the_count():
    class Wrapped(OURS.InMemorySaver):
        def put(self, *args):
            return super().put(*args)

    saver = Wrapped()
    asked_three_times(OURS, saver)
    assert "__scheduled__" in {channel for _, channel, _ in saver.get_tuple(CONFIG).pending_writes}
