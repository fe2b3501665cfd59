"""Retry and cache policies that are set once a graph is compiled: of all its nodes, or of one."""

import operator
from typing import Annotated

from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, RetryPolicy
from typing_extensions import TypedDict

QUICK = {"initial_interval": 0.001, "jitter": False}


class State(TypedDict):
    path: Annotated[list, operator.add]


def failing_first():
    """Return a graph of two nodes, each of which fails once, and what each was called for."""
    calls = []

    def node(name):
        def run(state):
            calls.append(name)
            if calls.count(name) == 1:
                raise ConnectionError(name)
            return {"path": [name]}

        return run

    builder = StateGraph(State).add_node("a", node("a")).add_node("b", node("b"))
    return builder.add_edge(START, "a").add_edge("a", "b"), calls


def program_retry_policy_of_a_compiled_graph(record):
    policy = RetryPolicy(max_attempts=3, **QUICK)
    builder, calls = failing_first()
    graph = builder.compile()
    before = graph.copy()
    graph.retry_policy = (policy,)
    record("a node's own", graph.nodes["a"].retry_policy)
    record("tried again", graph.invoke({"path": []}))
    record("calls", calls)
    record("copies", (len(graph.copy().retry_policy), len(before.retry_policy)))
    calls.clear()
    record.error("a copy of before", lambda: before.invoke({"path": []}), "a")
    calls.clear()
    record("copied with one", before.copy({"retry_policy": [policy]}).invoke({"path": []}))
    calls.clear()
    graph.retry_policy = ()
    record.error("none again", lambda: graph.invoke({"path": []}), "a")
    calls.clear()
    parent = StateGraph(State).add_node("child", graph).add_edge(START, "child").compile()
    graph.retry_policy = [policy]
    record("as a child", parent.invoke({"path": []}))
    builder, calls = failing_first()
    child = builder.compile()
    parent = StateGraph(State).add_node("child", child).add_edge(START, "child").compile()
    parent.retry_policy = [policy]
    record("of the parent", parent.invoke({"path": []}))
    record("calls of the child", calls)


def program_a_nodes_own_policy_comes_first(record):
    builder, calls = failing_first()
    builder.nodes["b"].retry_policy = RetryPolicy(max_attempts=1)
    graph = builder.compile()
    graph.retry_policy = (RetryPolicy(max_attempts=3, **QUICK),)
    record.error("own", lambda: graph.invoke({"path": []}), "b")
    record("calls", calls)
    calls.clear()
    graph.nodes["b"].retry_policy = [RetryPolicy(max_attempts=2, **QUICK)]
    record("set on the node", graph.invoke({"path": []}))
    record("is the node's", [policy.max_attempts for policy in graph.nodes["b"].retry_policy])
    calls.clear()
    graph.nodes["b"].retry_policy = None
    record("the graph's", graph.invoke({"path": []}))


def program_retry_policy_of_a_compiled_graph_is_its_error_handlers_too(record):
    calls = []

    def fails(state):
        raise ConnectionError("node")

    def handles(state):
        calls.append("handler")
        if len(calls) == 1:
            raise ConnectionError("handler")
        return {"path": ["handled"]}

    builder = StateGraph(State).add_node("a", fails, error_handler=handles).add_edge(START, "a")
    graph = builder.compile(checkpointer=InMemorySaver())
    graph.retry_policy = (RetryPolicy(max_attempts=2, **QUICK),)
    record("handled", graph.invoke({"path": []}, {"configurable": {"thread_id": "1"}}))
    record("calls", calls)


def program_cache_policy_of_a_compiled_graph(record):
    graph = (
        StateGraph(State)
        .add_node("a", lambda state: {"path": ["ran"]})
        .add_edge(START, "a")
        .compile(cache=InMemoryCache())
    )

    def twice(name, value):
        for _ in range(2):
            record(name, graph.invoke({"path": [value]}, stream_mode="updates"))

    graph.cache_policy = CachePolicy()
    record("a node's own", graph.nodes["a"].cache_policy)
    twice("of the graph", "1")
    graph.cache_policy = None
    twice("of none", "2")
    graph.nodes["a"].cache_policy = CachePolicy()
    twice("of the node", "3")
