"""The async twins."""

import asyncio
import operator
from typing import Annotated

from langgraph.config import get_config, get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}
MODES = ["values", "updates", "custom", "tasks", "checkpoints", "debug"]


def chain(saver, **options):
    async def a(state):
        await asyncio.sleep(0)
        get_stream_writer()("a writes")
        return {"path": ["a"]}

    def b(state):
        get_stream_writer()("b writes")
        return {"path": ["b"], "n": 1}

    async def c(state):
        return {"path": ["c"]}

    return (
        StateGraph(State).add_sequence([a, b, c]).add_edge(START, "a").compile(checkpointer=saver, **options)
    )


def asker(saver):
    async def ask(state):
        await asyncio.sleep(0)
        first = interrupt("first")
        await asyncio.sleep(0)
        second = interrupt({"after": first})
        return {"path": [first, second]}

    return StateGraph(State).add_node(ask).add_edge(START, "ask").compile(checkpointer=saver)


async def program_ainvoke(record, any_saver):
    graph = chain(any_saver)
    record("result", await graph.ainvoke({"path": ["in"]}, CONFIG))
    if any_saver:
        record("state", await graph.aget_state(CONFIG))
        record("history", [snapshot async for snapshot in graph.aget_state_history(CONFIG)])


async def program_astream(record, any_saver):
    graph = chain(any_saver)
    for mode in MODES:
        record.separate_run()
        await record.achunks(
            mode, graph.astream({"path": ["in"]}, {"configurable": {"thread_id": mode}}, stream_mode=mode)
        )
    record.separate_run()
    await record.achunks(
        "all", graph.astream({"path": ["in"]}, {"configurable": {"thread_id": "all"}}, stream_mode=MODES)
    )
    await record.achunks("default", graph.astream({"path": []}, {"configurable": {"thread_id": "d"}}))


async def program_interrupts(record, saver):
    graph = asker(saver)
    record("first", await graph.ainvoke({"path": []}, CONFIG))
    record("state", await graph.aget_state(CONFIG))
    await record.achunks("second", graph.astream(Command(resume="one"), CONFIG, stream_mode=MODES))
    await record.achunks("end", graph.astream(Command(resume="two"), CONFIG, stream_mode=MODES))
    record("history", [snapshot async for snapshot in graph.aget_state_history(CONFIG)])


async def program_parallel_interrupts(record, saver):
    def node(name):
        async def run(state):
            return {"path": [f"{name}:{interrupt(name)}"]}

        return run

    builder = StateGraph(State)
    for name in "abc":
        builder.add_node(name, node(name)).add_edge(START, name)
    graph = builder.compile(checkpointer=saver)
    await graph.ainvoke({"path": []}, CONFIG)
    state = await graph.aget_state(CONFIG)
    ids = {item.value: item.id for item in state.interrupts}
    record("asked", sorted(ids))
    record("some", (await graph.ainvoke(Command(resume={ids["b"]: 0}), CONFIG))["path"])
    await record.aerror("scalar", graph.ainvoke(Command(resume=1), CONFIG), "multiple pending interrupts")
    record("rest", await graph.ainvoke(Command(resume={ids["a"]: False, ids["c"]: ""}), CONFIG))


async def program_breakpoints(record, saver):
    graph = chain(saver, interrupt_before=["b"], interrupt_after=["b"])
    record("before b", await graph.ainvoke({"path": []}, CONFIG))
    record("next", (await graph.aget_state(CONFIG)).next)
    record("after b", await graph.ainvoke(None, CONFIG))
    record("next", (await graph.aget_state(CONFIG)).next)
    record("end", await graph.ainvoke(None, CONFIG))
    other = {"configurable": {"thread_id": "2"}}
    record("at call", await chain(saver).ainvoke({"path": []}, other, interrupt_after=["a"]))
    await record.achunks("updates", chain(saver).astream(None, other, interrupt_before="*"))


async def program_update_state(record, saver):
    graph = chain(saver, interrupt_before=["b"])
    await graph.ainvoke({"path": []}, CONFIG)
    record("config", sorted((await graph.aupdate_state(CONFIG, {"path": ["x"]}))["configurable"]))
    await graph.aupdate_state(CONFIG, {"path": ["as b"]}, as_node="b")
    record("state", await graph.aget_state(CONFIG))
    record("go on", await graph.ainvoke(None, CONFIG))
    limited = [snapshot.metadata async for snapshot in graph.aget_state_history(CONFIG, limit=2)]
    record("history", limited)


async def program_fork(record, saver):
    graph = chain(saver)
    await graph.ainvoke({"path": ["in"]}, CONFIG)
    old = [s async for s in graph.aget_state_history(CONFIG) if s.next == ("b",)][0]
    record("replay", await graph.ainvoke(None, old.config))
    forked = await graph.aupdate_state(old.config, {"path": ["fork"]})
    record("fork", await graph.ainvoke(None, forked))
    record("history", [(s.values, s.next, s.metadata) async for s in graph.aget_state_history(CONFIG)])


async def program_sync_nodes_run_elsewhere(record):
    import threading

    main = threading.get_ident()

    def sync(state):
        return {
            "path": [
                "sync in another thread" if threading.get_ident() != main else "sync in the loop's thread"
            ]
        }

    async def native(state):
        return {
            "path": ["async in the loop's thread" if threading.get_ident() == main else "async elsewhere"]
        }

    graph = StateGraph(State).add_sequence([sync, native]).add_edge(START, "sync").compile()
    record("result", await graph.ainvoke({"path": []}))


async def program_parallel_nodes_overlap(record):
    started = []
    both = asyncio.Event()

    def node(name):
        async def run(state):
            started.append(name)
            if len(started) == 2:
                both.set()
            await asyncio.wait_for(both.wait(), 5)
            return {"path": [name]}

        return run

    builder = StateGraph(State)
    for name in "ab":
        builder.add_node(name, node(name)).add_edge(START, name)
    record("result", await builder.compile().ainvoke({"path": []}))


async def program_async_conditional_edges(record):
    async def route(state):
        await asyncio.sleep(0)
        return "b" if state["n"] else END

    builder = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["a"]})
        .add_node("b", lambda state: {"path": ["b"]})
    )
    builder.add_edge(START, "a").add_conditional_edges("a", route)
    graph = builder.compile()
    record("1", await graph.ainvoke({"path": [], "n": 1}))
    record("0", await graph.ainvoke({"path": [], "n": 0}))


async def program_errors(record, saver):
    async def fail(state):
        await asyncio.sleep(0)
        raise ValueError("async trouble")

    graph = StateGraph(State).add_node(fail).add_edge(START, "fail").compile(checkpointer=saver)
    await record.aerror("error", graph.ainvoke({"path": []}, CONFIG), "async trouble")
    record("state", await graph.aget_state(CONFIG))
    await record.aerror("no thread", graph.ainvoke({"path": []}), "thread_id")


async def program_config_in_async_nodes(record):
    async def node(state, config):
        await asyncio.sleep(0)
        return {"path": [config["configurable"]["user"], get_config()["configurable"]["user"]]}

    graph = StateGraph(State).add_node(node).add_edge(START, "node").compile()
    record("result", await graph.ainvoke({"path": []}, {"configurable": {"user": "ann"}}))


async def program_nested_async(record, saver):
    async def inner_ask(state):
        return {"path": [interrupt("inner")]}

    inner = StateGraph(State).add_node(inner_ask).add_edge(START, "inner_ask").compile()
    runs = []

    async def outer(state):
        runs.append("outer")
        result = await inner.ainvoke({"path": ["sub"]})
        return {"path": result["path"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile(checkpointer=saver)
    record("pause", await graph.ainvoke({"path": []}, CONFIG))
    record("resume", await graph.ainvoke(Command(resume="yes"), CONFIG))
    record("runs", runs)


async def program_many_threads_at_once(record, saver):
    graph = asker(saver)
    configs = [{"configurable": {"thread_id": str(number)}} for number in range(5)]
    await asyncio.gather(*(graph.ainvoke({"path": []}, config) for config in configs))
    await asyncio.gather(
        *(
            graph.ainvoke(Command(resume=f"one {config['configurable']['thread_id']}"), config)
            for config in configs
        )
    )
    done = await asyncio.gather(*(graph.ainvoke(Command(resume="two"), config) for config in configs))
    record("done", done)


async def program_abatch(record):
    graph = (
        StateGraph(State).add_node("n", lambda state: {"n": state["n"] + 1}).add_edge(START, "n").compile()
    )
    record("abatch", await graph.abatch([{"n": 1}, {"n": 2}]))


async def program_closing_early(record, saver):
    graph = chain(saver)
    stream = graph.astream({"path": ["in"]}, CONFIG)
    record("first", await stream.__anext__())
    await stream.aclose()
    record("goes on", await graph.ainvoke(None, CONFIG))


async def program_sync_call_in_async_node(record, saver):
    inner = StateGraph(State).add_node("n", lambda state: {"path": ["inner"]}).add_edge(START, "n").compile()

    async def outer(state):
        return {"path": inner.invoke({"path": []})["path"]}

    graph = StateGraph(State).add_node(outer).add_edge(START, "outer").compile()
    record("result", await graph.ainvoke({"path": []}, CONFIG))
