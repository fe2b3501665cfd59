"""Timeouts, caches, step timeout, the limit of steps."""

import asyncio
import operator
import time
from typing import Annotated

from langgraph.cache.memory import InMemoryCache
from langgraph.errors import GraphRecursionError, NodeTimeoutError
from langgraph.graph import END, START, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.managed.base import ManagedValue
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, TimeoutPolicy, interrupt
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}
QUICK = {"initial_interval": 0.001, "jitter": False}


def one(node, any_saver=None, **options):
    return (
        StateGraph(State)
        .add_node("node", node, **options)
        .add_edge(START, "node")
        .compile(checkpointer=any_saver)
    )


def counting_cache_graph(calls, cache, **policy):
    def node(state):
        calls.append(state["n"])
        return {"path": [state["n"]]}

    return (
        StateGraph(State)
        .add_node("node", node, cache_policy=CachePolicy(**policy))
        .add_edge(START, "node")
        .compile(cache=cache)
    )


def program_cache(record):
    calls = []
    graph = counting_cache_graph(calls, InMemoryCache())
    record("miss", list(graph.stream({"n": 1, "path": []})))
    record("hit", list(graph.stream({"n": 1, "path": []})))
    record("other input", list(graph.stream({"n": 2, "path": []})))
    record("calls", calls)
    graph.clear_cache()
    record("cleared", list(graph.stream({"n": 1, "path": []})))
    record("invoke", graph.invoke({"n": 1, "path": []}))
    record("calls", calls)


def program_cache_key(record):
    calls = []
    graph = counting_cache_graph(calls, InMemoryCache(), key_func=lambda state: str(state["n"] % 2))
    record("1", graph.invoke({"n": 1, "path": []}))
    record("3 like 1", graph.invoke({"n": 3, "path": []}))
    record("2", graph.invoke({"n": 2, "path": []}))
    record("calls", calls)


def program_cache_ttl(record):
    calls = []
    graph = counting_cache_graph(calls, InMemoryCache(), ttl=1)
    graph.invoke({"n": 1, "path": []})
    graph.invoke({"n": 1, "path": []})
    record("in time", list(calls))
    time.sleep(1.1)
    graph.invoke({"n": 1, "path": []})
    record("too late", list(calls))


def program_no_cache_given(record):
    calls = []
    graph = counting_cache_graph(calls, None)
    graph.invoke({"n": 1, "path": []})
    graph.invoke({"n": 1, "path": []})
    record("calls", calls)


def program_sync_timeout_is_refused(record):
    record.error("sync node", lambda: one(lambda state: None, timeout=1.0), "only supported for async nodes")


async def program_timeout(record):
    async def slow(state):
        await asyncio.sleep(1)

    graph = one(slow, timeout=0.02)
    await record.aerror("run timeout", graph.ainvoke({"path": []}))
    try:
        await graph.ainvoke({"path": []})
    except NodeTimeoutError as error:
        record("fields", (error.node, error.kind, error.run_timeout, error.idle_timeout))


async def program_idle_timeout(record):
    async def writes(state, writer):
        for _ in range(4):
            await asyncio.sleep(0.1)
            writer("alive")
        return {"path": ["done"]}

    async def silent(state):
        await asyncio.sleep(1)

    graph = one(writes, timeout=TimeoutPolicy(idle_timeout=0.3))
    chunks = [chunk async for chunk in graph.astream({"path": []}, stream_mode=["custom", "updates"])]
    record("kept alive", chunks[-1])
    quiet = one(silent, timeout=TimeoutPolicy(idle_timeout=0.02))
    try:
        await quiet.ainvoke({"path": []})
    except NodeTimeoutError as error:
        record("fields", (error.node, error.kind, error.idle_timeout))


async def program_timeout_and_retry(record):
    calls = []

    async def slow_once(state):
        calls.append(1)
        if len(calls) == 1:
            await asyncio.sleep(1)
        return {"path": ["ok"]}

    policy = RetryPolicy(max_attempts=2, retry_on=NodeTimeoutError, **QUICK)
    record("result", await one(slow_once, timeout=0.02, retry_policy=policy).ainvoke({"path": []}))
    record("calls", len(calls))


async def program_timeout_of_a_send(record):
    async def slow(state):
        await asyncio.sleep(1)

    builder = StateGraph(State).add_node("slow", slow)
    builder.add_conditional_edges(START, lambda state: [Send("slow", {}, timeout=0.02)])
    await record.aerror("send", builder.compile().ainvoke({"path": []}))


def program_step_timeout(record):
    def slow(state):
        time.sleep(0.3)
        return {"path": ["slow"]}

    graph = (
        StateGraph(State)
        .add_node(slow)
        .add_node("other", lambda state: {"path": ["other"]})
        .add_edge(START, "slow")
        .add_edge(START, "other")
        .compile()
    )
    graph.step_timeout = 0.02
    record.error("step timeout", lambda: graph.invoke({"path": []}))
    graph.step_timeout = 5
    record("enough", graph.invoke({"path": []}))


def program_a_sync_node_with_a_timeout_is_refused_at_compile(record):
    builder = StateGraph(State).add_node("n", lambda state: None, timeout=1.0).add_edge(START, "n")
    record("added", list(builder.nodes))
    record.error("compiled", builder.compile, "Node timeouts are only supported for async nodes")


def program_a_managed_value_of_ones_own(record):
    class Step(ManagedValue[int]):
        @staticmethod
        def get(scratchpad):
            return scratchpad.step

    class Own(TypedDict):
        log: Annotated[list, operator.add]
        step: Annotated[int, Step]

    builder = StateGraph(Own).add_node("a", lambda state: {"log": [state["step"]]})
    builder.add_node("b", lambda state: {"log": [state["step"]]}).add_edge(START, "a").add_edge("a", "b")
    record("steps", builder.compile().invoke({"log": []}))


def program_the_checkpoint_at_the_limit_is_streamed(record, saver):
    builder = StateGraph(State).add_node("loop", lambda state: {"n": state["n"] + 1})
    graph = builder.add_edge(START, "loop").add_edge("loop", "loop").compile(checkpointer=saver)
    for durability in ("sync", "exit"):
        config = {"configurable": {"thread_id": durability}, "recursion_limit": 2}
        modes = ["checkpoints", "values", "updates"]
        record.chunks(durability, graph.stream({"n": 0}, config, stream_mode=modes, durability=durability))
        record("state", graph.get_state(config))


def program_what_ends_after_step_timeout(record, saver):
    """A thread cannot be stopped: what it does is waited for and kept, so it is not done twice."""
    runs = []

    def slow(state):
        time.sleep(0.4)
        runs.append("slow")
        return {"path": ["slow"]}

    def fails(state):
        time.sleep(0.6)  # after the other one: LangGraph keeps nothing of what ends after an error
        runs.append("fails")
        raise ValueError("late")

    builder = StateGraph(State).add_node("slow", slow).add_node("fails", fails).add_edge(START, "slow")
    builder.add_node("quick", lambda state: {"path": ["quick"]}).add_edge(START, "quick").add_edge(
        START, "fails"
    )
    graph = builder.compile(checkpointer=saver)
    graph.step_timeout = 0.2
    record.error("too slow", lambda: graph.invoke({"path": []}, CONFIG))
    record("state", graph.get_state(CONFIG))
    graph.step_timeout = None
    record.error("again", lambda: graph.invoke(None, CONFIG), "late")
    record("runs", sorted(runs))


def program_steps_that_remain_on_a_branch(record, saver):
    """Where a run makes a checkpoint of its own to start from, one step less remains."""

    class Counted(TypedDict):
        path: Annotated[list, operator.add]
        left: RemainingSteps

    builder = StateGraph(Counted)
    for name in "abc":
        builder.add_node(name, lambda state, name=name: {"path": [f"{name}{state['left']}"]})
    builder.add_edge(START, "a").add_edge("a", "b").add_edge("b", "c")
    graph = builder.compile(checkpointer=saver)
    config = {"configurable": {"thread_id": "1"}, "recursion_limit": 9}
    record("first", graph.invoke({"path": []}, config))
    for state in list(graph.get_state_history(config)):
        record("replay", graph.invoke(None, {**state.config, "recursion_limit": 9}))
    old = list(graph.get_state_history(config))[-2].config
    for limit in (2, 3, 4):
        record.error(
            f"limit {limit}", lambda limit=limit: graph.invoke(None, {**old, "recursion_limit": limit})
        )
    fork = graph.update_state(old, {"path": ["fork"]}, as_node="a")
    record("fork", graph.invoke(None, {**fork, "recursion_limit": 9}))


async def program_error_handlers_have_no_timeout(record):
    async def slow(state):
        await asyncio.sleep(1)

    async def fails(state):
        raise ValueError("fails")

    async def handler(state):
        await asyncio.sleep(0.1)
        return {"path": ["handled"]}

    for node in (slow, fails):
        own = StateGraph(State).add_node("node", node, timeout=0.01, error_handler=handler)
        each = StateGraph(State).set_node_defaults(timeout=0.01).add_node("node", node, error_handler=handler)
        every = (
            StateGraph(State).set_node_defaults(timeout=0.01, error_handler=handler).add_node("node", node)
        )
        for name, builder in (("own", own), ("each", each), ("every", every)):
            graph = builder.add_edge(START, "node").compile()
            record(f"{node.__name__} {name}", await graph.ainvoke({"path": []}))


def program_limit_of_each_call(record):
    """One graph, a limit for this call, none for the next, a wrong one: each call has its own."""
    builder = StateGraph(State)
    builder.add_node("again", lambda state: {"n": state["n"] + 1})
    builder.add_edge(START, "again")
    builder.add_conditional_edges("again", lambda state: END if state["n"] >= 4 else "again")
    graph = builder.compile()
    for limit in (25, 2, 4, None, 0, 3.5, True, 2, "many", 25):
        config = {**CONFIG, "recursion_limit": limit}
        for call in (graph.invoke, lambda given, config: list(graph.stream(given, config))):
            try:
                record(f"limit {limit!r}", call({"n": 0, "path": []}, config))
            except (GraphRecursionError, TypeError, ValueError) as error:
                record(f"limit {limit!r}", type(error).__name__)
    record("no limit", graph.invoke({"n": 0, "path": []}, CONFIG))


def program_graphs_called_by_an_error_handler(record, saver):
    """They are below the task that failed."""

    def fails(state):
        raise ValueError("fails")

    below = StateGraph(State).add_node("inner", lambda state: {"path": ["inner"]}).add_edge(START, "inner")
    below = below.compile()

    def handler(state, config):
        record("place", [config["configurable"]["checkpoint_ns"], config["metadata"]["langgraph_path"]])
        return {"path": below.invoke({"path": []})["path"]}

    graph = one(fails, saver, error_handler=handler)
    modes = ["updates", "checkpoints"]
    record.chunks("stream", graph.stream({"path": []}, CONFIG, stream_mode=modes, subgraphs=True))
    record("state", graph.get_state(CONFIG))


def program_questions_below_an_error_handler(record, saver):
    def fails(state):
        raise ValueError("fails")

    below = StateGraph(State).add_node("ask", lambda state: {"path": [interrupt("?")]}).add_edge(START, "ask")
    below = below.compile()
    graph = one(fails, saver, error_handler=lambda state: below.invoke({"path": []}))
    for answer in ("yes", None):
        asked = graph.invoke({"path": []}, CONFIG)["__interrupt__"]
        record("asked", asked)
        record("done", graph.invoke(Command(resume=answer or {asked[0].id: "no"}), CONFIG))
    up = StateGraph(State).add_node(
        "up", lambda state: Command(graph=Command.PARENT, update={"path": ["up"]})
    )
    up = up.add_edge(START, "up").compile()
    record(
        "handed over", one(fails, error_handler=lambda state: up.invoke({"path": []})).invoke({"path": []})
    )
