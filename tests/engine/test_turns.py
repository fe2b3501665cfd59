"""An async run does not keep the event loop to itself."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.graph import START, StateGraph


class State(TypedDict):
    n: Annotated[int, operator.add]


def endless(saver: Any) -> Any:
    """A graph that runs in circles, and never waits for anything."""

    async def again(state: State) -> dict[str, int]:
        return {"n": 1}

    builder = StateGraph(State)
    builder.add_node("again", again)
    builder.add_edge(START, "again")
    builder.add_edge("again", "again")
    return builder.compile(checkpointer=saver)


@pytest.mark.parametrize("make_saver", [lambda: None, InMemorySaver])
def test_a_run_that_never_waits_can_be_cancelled(make_saver):
    saver = make_saver()
    graph = endless(saver)
    config = {"configurable": {"thread_id": "1"}, "recursion_limit": 20_000}

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(graph.ainvoke({"n": 0}, config), 0.02)

    asyncio.run(main())
    if saver is not None:
        state = graph.get_state(config)
        assert state.values["n"] == state.metadata["step"]
        assert state.next == ("again",)


def test_runs_side_by_side_take_turns():
    graph = endless(None)
    done: list[str] = []

    async def one(name: str) -> None:
        with pytest.raises(RecursionError):
            await graph.ainvoke({"n": 0}, {"recursion_limit": 2_000})
        done.append(name)

    async def main() -> None:
        other = asyncio.create_task(one("short"))
        with pytest.raises(RecursionError):
            await graph.ainvoke({"n": 0}, {"recursion_limit": 8_000})
        done.append("long")
        await other

    asyncio.run(main())
    assert done == ["short", "long"]
