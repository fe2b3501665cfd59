"""Tests of programs put mocks where functions and Runnables are: as nodes, as paths, in a node's place."""

import operator
from typing import Annotated
from unittest.mock import AsyncMock, MagicMock, Mock, create_autospec

from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, RetryPolicy, Send
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]


def real(state: State) -> dict:
    return {"path": ["real"]}


def one(node):
    return StateGraph(State).add_node("node", node).add_edge(START, "node").compile()


def sync_mocks():
    yield "mock", Mock(return_value={"path": ["mock"]})
    yield "magic", MagicMock(return_value={"path": ["magic"]})
    yield "calls", Mock(side_effect=lambda state: {"path": [len(state["path"])]})
    yield "wraps", Mock(wraps=real)
    yield "like a function", create_autospec(real, return_value={"path": ["like"]})
    for cls in (Mock, MagicMock):
        runnable = cls(spec=Runnable)
        runnable.invoke.return_value = {"path": ["a Runnable's"]}
        yield f"{cls.__name__} like a Runnable", runnable


def program_nodes(record):
    for name, mock in sync_mocks():
        record(name, one(mock).invoke({"path": ["in"]}))
        record(f"{name} was called", [(len(call.args), sorted(call.kwargs)) for call in mock.call_args_list])
    record.error("raises", lambda: one(Mock(side_effect=ValueError("mocked"))).invoke({"path": []}), "mocked")
    record.error("awaited only", lambda: one(AsyncMock(return_value=None)).invoke({"path": []}), "No sync")


async def program_nodes_awaited(record):
    mock = AsyncMock(return_value={"path": ["awaited"]})
    record("async", await one(mock).ainvoke({"path": []}))
    record("was awaited", mock.await_count)
    record("sync", await one(Mock(return_value={"path": ["sync"]})).ainvoke({"path": []}))


def program_names(record):
    for mock in (Mock(), MagicMock(), AsyncMock(), create_autospec(real)):
        record(type(mock).__name__, list(StateGraph(State).add_node(mock).nodes))


def program_paths(record):
    for name, mock in {
        "one": Mock(return_value="a"),
        "none": MagicMock(return_value=END),
        "sends": Mock(return_value=[Send("a", {"path": ["sent"]}), END]),
    }.items():
        builder = StateGraph(State).add_node("a", real).add_conditional_edges(START, mock, ["a", END])
        record(name, (builder.compile().invoke({"path": []}), mock.call_count))
        record(f"{name} is called", list(builder.branches[START]))


def two():
    builder = StateGraph(State).add_node("a", real).add_node("b", real, cache_policy=CachePolicy(ttl=3))
    return builder.add_edge(START, "a").add_edge("a", "b")


def program_in_a_nodes_place(record):
    replacements = {
        "a function": lambda state: {"path": ["function"]},
        "a mock": Mock(return_value={"path": ["mock"]}),
        "a Runnable": RunnableLambda(lambda state: {"path": ["Runnable"]}),
        "a graph": one(lambda state: {"path": ["graph"]}),
    }
    for name, replacement in replacements.items():
        builder = two()
        builder.nodes["a"].runnable = replacement
        graph = builder.compile()
        record(name, graph.invoke({"path": []}))
        record(f"{name} inside", [found for found, _ in graph.get_subgraphs()])


def program_other_policies_before_compiling(record):
    def fails(state):
        state["path"].append("tried")
        raise ConnectionError(len(state["path"]))

    builder = StateGraph(State).add_node("a", fails).add_node("b", real, retry_policy=RetryPolicy())
    builder.add_edge(START, "a").add_edge("a", "b")
    one_policy = RetryPolicy(max_attempts=2, initial_interval=0.001, jitter=False)
    record("none", builder.nodes["a"].retry_policy)
    for given in (one_policy, [one_policy, one_policy]):
        builder.nodes["a"].retry_policy = given
        record("given", builder.nodes["a"].retry_policy == given)
        record.error("tries", lambda: builder.compile().invoke({"path": []}), "2")
    builder.nodes["b"].cache_policy = CachePolicy(ttl=5)
    record("kept", builder.nodes["b"].cache_policy.ttl)
    record("one", isinstance(builder.nodes["b"].retry_policy, RetryPolicy))
