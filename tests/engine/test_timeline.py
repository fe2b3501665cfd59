"""What a fork costs whose child with a state of its own has gone on for long on the branch that is left."""

from __future__ import annotations

from operator import add
from typing import Annotated, Any

import pytest
from typing_extensions import TypedDict

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.graph import START, StateGraph

CONFIG: Any = {"configurable": {"thread_id": "1"}}


class State(TypedDict):
    count: int


class Own(TypedDict):
    turns: Annotated[list, add]


class Counting(InMemorySaver):
    """Counts the checkpoints that are read."""

    reads = 0

    def load(self, *args: Any, **kwargs: Any) -> Any:
        self.reads += 1
        return super().load(*args, **kwargs)

    def load_before(self, *args: Any) -> Any:
        self.reads += 1
        return super().load_before(*args)


@pytest.mark.parametrize("named", [False, True])
def test_what_was_left_behind_is_not_read_one_by_one(named: bool) -> None:
    child = StateGraph(Own).add_node("turn", lambda state: {"turns": ["turn"]}).add_edge(START, "turn")
    remembers = child.compile(checkpointer=True)

    def count(state: State) -> dict[str, int]:
        return {"count": len(remembers.invoke({"turns": []})["turns"])}

    saver = Counting()
    graph = StateGraph(State).add_node("count", count).add_edge(START, "count").compile(checkpointer=saver)
    for turn in range(40):
        assert graph.invoke({"count": 0}, CONFIG) == {"count": turn + 1}
    runs = [snapshot.config for snapshot in graph.get_state_history(CONFIG) if snapshot.next == ("count",)]
    for at, remembered in ((runs[-1], 1), (runs[20], 20)):
        fork = graph.update_state(at, {"count": -1})
        saver.reads = 0
        assert graph.invoke(None, fork if named else CONFIG) == {"count": remembered}
        assert saver.reads < 12
