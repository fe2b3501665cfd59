"""Retry, timeouts, caches, step timeout."""

import asyncio
import operator
import time
from typing import Annotated

import httpx
import requests
from langgraph.cache.memory import InMemoryCache
from langgraph.errors import NodeTimeoutError
from langgraph.graph import END, START, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.managed.base import ManagedValue
from langgraph.types import CachePolicy, RetryPolicy, Send, TimeoutPolicy
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}
QUICK = {"initial_interval": 0.001, "jitter": False}


def failing(times, error=ConnectionError):
    calls = []

    def node(state):
        calls.append(1)
        if len(calls) <= times:
            raise error(f"try {len(calls)}")
        return {"path": [f"ok after {len(calls)}"]}

    return node


def one(node, any_saver=None, **options):
    return (
        StateGraph(State)
        .add_node("node", node, **options)
        .add_edge(START, "node")
        .compile(checkpointer=any_saver)
    )


def program_retry(record, any_saver):
    graph = one(failing(2), any_saver, retry_policy=RetryPolicy(max_attempts=3, **QUICK))
    record("ok", graph.invoke({"path": []}, CONFIG))
    config = {"configurable": {"thread_id": "2"}}
    record.error(
        "too often",
        lambda: one(failing(3), any_saver, retry_policy=RetryPolicy(max_attempts=3, **QUICK)).invoke(
            {"path": []}, config
        ),
        "try 3",
    )


def program_retry_on(record):
    policy = RetryPolicy(max_attempts=3, retry_on=KeyError, **QUICK)
    record("listed", one(failing(1, KeyError), retry_policy=policy).invoke({"path": []}))
    record.error(
        "not listed", lambda: one(failing(1, IndexError), retry_policy=policy).invoke({"path": []}), "try 1"
    )
    many = RetryPolicy(max_attempts=3, retry_on=(KeyError, IndexError), **QUICK)
    record("tuple", one(failing(1, IndexError), retry_policy=many).invoke({"path": []}))
    function = RetryPolicy(max_attempts=3, retry_on=lambda error: "try 1" in str(error), **QUICK)
    record("function", one(failing(1, ValueError), retry_policy=function).invoke({"path": []}))
    record.error(
        "function says no",
        lambda: one(failing(2, ValueError), retry_policy=function).invoke({"path": []}),
        "try 2",
    )


def program_default_retry_on(record):
    policy = RetryPolicy(max_attempts=2, **QUICK)

    class Mine(Exception):
        pass

    for error in (
        ConnectionError,
        ValueError,
        TypeError,
        RuntimeError,
        OSError,
        KeyError,
        Mine,
        ZeroDivisionError,
        AttributeError,
    ):
        graph = one(failing(1, error), retry_policy=policy)
        try:
            record(error.__name__, graph.invoke({"path": []}))
        except error:
            record(error.__name__, "not tried again")


def program_several_policies(record):
    policies = [
        RetryPolicy(max_attempts=2, retry_on=KeyError, **QUICK),
        RetryPolicy(max_attempts=3, retry_on=IndexError, **QUICK),
    ]
    record("second matches", one(failing(2, IndexError), retry_policy=policies).invoke({"path": []}))
    record.error(
        "first is used up",
        lambda: one(failing(2, KeyError), retry_policy=policies).invoke({"path": []}),
        "try 2",
    )


def program_retry_waits(record):
    waits = []
    original = time.sleep
    time.sleep = lambda seconds: waits.append(round(seconds, 3))
    try:
        policy = RetryPolicy(
            initial_interval=0.1, backoff_factor=3, max_interval=0.5, max_attempts=5, jitter=False
        )
        record("result", one(failing(4), retry_policy=policy).invoke({"path": []}))
    finally:
        time.sleep = original
    record("waits", waits)


def program_retry_and_interrupt(record, saver):
    from langgraph.types import Command, interrupt

    calls = []

    def ask(state):
        calls.append(1)
        answer = interrupt("q")
        if len(calls) == 2:
            raise ConnectionError("once")
        return {"path": [answer]}

    graph = one(ask, saver, retry_policy=RetryPolicy(max_attempts=3, retry_on=Exception, **QUICK))
    record("pause", graph.invoke({"path": []}, CONFIG))
    record("calls", len(calls))
    record("answer survives the retry", graph.invoke(Command(resume="A"), CONFIG))
    record("calls", len(calls))


def program_policy_fields(record):
    record("retry", tuple(RetryPolicy()[:5]))
    record("cache", CachePolicy().ttl)
    record("timeout", TimeoutPolicy(run_timeout=3))


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
        time.sleep(0.1)
        runs.append("slow")
        return {"path": ["slow"]}

    def fails(state):
        time.sleep(0.2)  # after the other one: LangGraph keeps nothing of what ends after an error
        runs.append("fails")
        raise ValueError("late")

    builder = StateGraph(State).add_node("slow", slow).add_node("fails", fails).add_edge(START, "slow")
    builder.add_node("quick", lambda state: {"path": ["quick"]}).add_edge(START, "quick").add_edge(
        START, "fails"
    )
    graph = builder.compile(checkpointer=saver)
    graph.step_timeout = 0.03
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


def program_default_retry_on_http_errors(record):
    """Statuses count for httpx's errors, not for those of clients that stand on it."""

    class RateLimited(Exception):
        def __init__(self, response):
            self.response, self.status_code = response, response.status_code

    def of_requests(status):
        response = requests.Response()
        response.status_code = status
        return requests.HTTPError(str(status), response=response)

    request = httpx.Request("GET", "http://localhost")
    answers = {status: httpx.Response(status, request=request) for status in (400, 404, 429, 500, 503)}
    errors = {
        "requests, no response": requests.HTTPError("?"),
        "requests, no connection": requests.ConnectionError("?"),
        "httpx, no connection": httpx.ConnectError("?"),
    }
    for status, answer in answers.items():
        errors[f"httpx {status}"] = httpx.HTTPStatusError(str(status), request=request, response=answer)
        errors[f"requests {status}"] = of_requests(status)
        errors[f"client's {status}"] = RateLimited(answer)
    for name, error in errors.items():
        record(name, RetryPolicy().retry_on(error))
        graph = one(
            failing(1, lambda _, error=error: error), retry_policy=RetryPolicy(max_attempts=2, **QUICK)
        )
        try:
            record(name, graph.invoke({"path": []}))
        except type(error):
            record(name, "not tried again")
