"""Cancellation, failures and events of async runs."""

import asyncio
import operator
from contextlib import aclosing
from typing import Annotated

from langgraph.errors import NodeCancelledError
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


CONFIG = {"configurable": {"thread_id": "1"}}


async def program_cancel_from_outside(record, saver):
    started, cleaned = asyncio.Event(), []

    async def slow(state):
        started.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cleaned.append(True)
            raise

    builder = StateGraph(State).add_node("quick", lambda state: {"path": ["quick"]}).add_node(slow)
    graph = builder.add_edge(START, "quick").add_edge("quick", "slow").compile(checkpointer=saver)
    task = asyncio.create_task(graph.ainvoke({"path": []}, CONFIG))
    await started.wait()
    task.cancel()
    await record.aerror("cancelled", task)
    record("the node was told", cleaned)
    state = await graph.aget_state(CONFIG)
    record("saved", (state.values, state.next, state.tasks))


async def program_error_cancels_the_others(record):
    cancelled = []

    async def fail(state):
        await asyncio.sleep(0.01)
        raise ValueError("first")

    async def slow(state):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    graph = (
        StateGraph(State)
        .add_node(fail)
        .add_node(slow)
        .add_edge(START, "fail")
        .add_edge(START, "slow")
        .compile()
    )
    await record.aerror("error", graph.ainvoke({"path": []}), "first")
    record("other", cancelled)


async def program_error_beside_others_that_end(record, saver):
    """Those that have ended when the error is noticed are streamed and saved, whichever of them comes first."""

    def graph_of(turns, first):
        async def other(state):
            for _ in range(turns):
                await asyncio.sleep(0)
            return {"path": ["other"]}

        async def fails(state):
            raise ValueError("no")

        async def asks(state):
            return {"path": [interrupt("ok?")]}

        builder = StateGraph(State).add_node("fails", fails).add_node(first, other).add_node("q", asks)
        builder.add_edge(START, first).add_edge(START, "fails").add_edge(START, "q")
        return builder.compile(checkpointer=saver)

    for first in ("a", "z"):
        for turns in (0, 1) if first == "a" else (0,):
            graph = graph_of(turns, first)
            for mode in ("updates", "tasks", "values"):
                config = {"configurable": {"thread_id": f"{first}{turns}{mode}"}}
                shown = []
                try:
                    async for chunk in graph.astream({"path": []}, config, stream_mode=mode):
                        shown.append(chunk)
                except ValueError as error:
                    shown.append(str(error))
                record(f"{first} {turns} {mode}", sorted(map(str, map(without_ids, shown))))
                state = await graph.aget_state(config)
                record("kept", (state.next, [(task.name, task.result, task.error) for task in state.tasks]))


def without_ids(chunk):
    if not isinstance(chunk, dict):
        return chunk
    left = {key: value for key, value in chunk.items() if key != "id"}
    asked = left.get("__interrupt__", ())
    return {**left, "__interrupt__": [question.value for question in asked]} if asked else left


async def program_node_raises_cancelled(record):
    async def node(state):
        raise asyncio.CancelledError

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile()
    try:
        await graph.ainvoke({"path": []})
    except NodeCancelledError as error:
        record("node", error.node)


async def program_interrupt_beside_a_slow_node(record, saver):
    async def ask(state):
        return {"path": [interrupt("q")]}

    async def slow(state):
        await asyncio.sleep(0.03)
        return {"path": ["slow is not cancelled"]}

    graph = (
        StateGraph(State)
        .add_node(ask)
        .add_node(slow)
        .add_edge(START, "ask")
        .add_edge(START, "slow")
        .compile(checkpointer=saver)
    )
    record("pause", await graph.ainvoke({"path": []}, CONFIG))
    record("next", (await graph.aget_state(CONFIG)).next)
    record("done", await graph.ainvoke(Command(resume="A"), CONFIG))


async def program_events(record):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_node("b", lambda state: {"path": ["b"]})
    )
    graph = graph.add_edge(START, "a").add_edge("a", "b").compile()
    events = [event async for event in graph.astream_events({"path": ["in"]}, version="v2")]
    record(
        "events",
        [
            (event["event"], event["name"])
            for event in events
            if event["event"] in ("on_chain_start", "on_chain_end")
        ],
    )
    record("final output", events[-1]["data"])
    record("input", events[0]["data"])
    record(
        "chunks",
        [
            event["data"]["chunk"]
            for event in events
            if event["event"] == "on_chain_stream" and event["name"] == "LangGraph"
        ],
    )
    record(
        "nodes",
        [event["metadata"].get("langgraph_node") for event in events if event["event"] == "on_chain_start"],
    )


async def program_sync_saver_methods_in_async_nodes(record, saver):
    inner = (
        StateGraph(State)
        .add_node("n", lambda state: {"path": [interrupt("inner")]})
        .add_edge(START, "n")
        .compile()
    )

    def outer(state):
        return {"path": inner.invoke({"path": []})["path"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("pause", await graph.ainvoke({"path": []}, CONFIG))
    record("resume", await graph.ainvoke(Command(resume="A"), CONFIG))


async def program_bulk_update(record, saver):
    from langgraph.types import StateUpdate

    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_node("b", lambda state: {"path": ["b"]})
    )
    graph = graph.add_edge(START, "a").add_edge("a", "b").compile(checkpointer=saver)
    await graph.abulk_update_state(
        CONFIG, [[StateUpdate({"path": ["in"]}, "__start__")], [StateUpdate({"path": ["A"]}, "a")]]
    )
    record("state", await graph.aget_state(CONFIG))
    record("go on", await graph.ainvoke(None, CONFIG))


async def program_durability(record, saver):
    for kind in ("sync", "async", "exit"):
        graph = (
            StateGraph(State)
            .add_node("a", lambda state: {"path": ["a"]})
            .add_edge(START, "a")
            .compile(checkpointer=saver)
        )
        config = {"configurable": {"thread_id": kind}}
        record(kind, await graph.ainvoke({"path": []}, config, durability=kind))
        record(f"{kind} history", [(s.values, s.metadata) async for s in graph.aget_state_history(config)])


async def program_wait_for(record, saver):
    async def slow(state):
        await asyncio.sleep(10)

    graph = StateGraph(State).add_node(slow).add_edge(START, "slow").compile(checkpointer=saver)
    await record.aerror("timeout", asyncio.wait_for(graph.ainvoke({"path": []}, CONFIG), 0.3))
    record("state", (await graph.aget_state(CONFIG)).next)


async def program_leaving_the_events_stops_the_node(record, saver):
    told = []

    async def quick(state):
        return {"path": ["quick"]}

    async def slow(state):
        told.append("started")
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    builder = StateGraph(State).add_node(quick).add_node(slow)
    graph = builder.add_edge(START, "quick").add_edge("quick", "slow").compile(checkpointer=saver)
    async with aclosing(graph.astream_events({"path": []}, CONFIG, version="v2")) as events:
        async for event in events:
            if event["event"] == "on_chain_stream" and not event["parent_ids"]:
                await asyncio.sleep(0.05)
                break
    record("the node was told", told)
    state = await graph.aget_state(CONFIG)
    record("saved", (state.values, state.next, state.tasks))


async def program_a_called_graph_is_asked_itself(record, saver):
    child = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("q")]})
    child = child.add_edge(START, "ask").compile(checkpointer=True)
    builder = StateGraph(State).add_node("call", child).add_edge(START, "call")
    graph = builder.compile(checkpointer=saver)
    await graph.ainvoke({"path": ["in"]}, CONFIG)
    (task,) = (await graph.aget_state(CONFIG, subgraphs=True)).tasks
    below = {"configurable": {"thread_id": "1", "checkpoint_ns": "call"}}
    record("its namespace", task.state.config["configurable"]["checkpoint_ns"])
    alone = child.copy({"checkpointer": saver})
    record("state", [(s.values, s.next) for s in [await alone.aget_state(below)]])
    record("history", [(s.values, s.next, s.metadata) async for s in alone.aget_state_history(below)])
