"""Async tasks that are stopped on their way: by a sibling's failure, from outside, by a timeout."""

import asyncio
import operator
from typing import Annotated

from langgraph.graph import START, StateGraph
from langgraph.types import interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1"}}


begun = []


async def quick(state):
    begun.append("quick")
    return {"path": ["quick"]}


async def slow(state):
    begun.append("slow")
    await asyncio.sleep(10)


async def stubborn(state):
    begun.append("stubborn")
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        return {"path": ["went on"]}


async def ask(state):
    begun.append("ask")
    return {"path": [interrupt("which?")]}


async def fail(state):
    await asyncio.sleep(0.02)
    raise ValueError("no")


def side_by_side(*nodes):
    builder = StateGraph(State)
    for node in nodes:
        builder.add_node(node).add_edge(START, node.__name__)
    return builder


async def look(record, label, graph):
    state = await graph.aget_state(CONFIG, subgraphs=True)
    record(label, (state.values, state.next, state.tasks, state.interrupts))


async def stopped(record, graph, *names, **options):
    """Run a graph, and cancel it a moment after nodes of these names have begun."""
    begun.clear()
    task = asyncio.create_task(graph.ainvoke({"path": []}, CONFIG, **options))
    while set(begun) != set(names):
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    task.cancel()
    await record.aerror("cancelled", task)


async def program_stopped_by_a_failure(record, saver):
    graph = side_by_side(slow, fail, quick, stubborn, ask).compile(checkpointer=saver)
    await record.aerror("fails", graph.ainvoke({"path": []}, CONFIG))
    await look(record, "state", graph)
    await record.aerror("fails again", graph.ainvoke(None, CONFIG))
    await look(record, "again", graph)


async def program_stopped_from_outside(record, saver):
    graph = side_by_side(slow, quick, ask).compile(checkpointer=saver)
    await stopped(record, graph, "slow", "quick", "ask")
    await look(record, "state", graph)


async def program_stopped_below(record, saver):
    child = side_by_side(slow, quick, ask).compile()

    async def call(state):
        return await child.ainvoke(state)

    graph = side_by_side(call, stubborn).compile(checkpointer=saver)
    await stopped(record, graph, "slow", "quick", "ask", "stubborn")
    await look(record, "state", graph)


async def program_stopped_by_a_timeout(record, saver):
    graph = side_by_side(slow, quick).compile(checkpointer=saver)
    graph.step_timeout = 0.3  # enough for the steps before, on a busy machine too
    await record.aerror("too slow", graph.ainvoke({"path": []}, CONFIG))
    await look(record, "state", graph)


async def program_cancelled_with_durability_exit(record, saver):
    """Then nothing is said of what was cancelled."""
    graph = side_by_side(quick, slow, fail).compile(checkpointer=saver)
    await record.aerror("failed", graph.ainvoke({"path": []}, CONFIG, durability="exit"), "no")
    await look(record, "beside a failure", graph)
    graph = side_by_side(quick, slow).compile(checkpointer=saver)
    await stopped(record, graph, "quick", "slow", durability="exit")
    await look(record, "from outside", graph)
