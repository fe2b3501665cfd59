"""A node's trace policy: what tracers record of it; transformers are refused."""

import asyncio
import operator
from typing import Annotated, Any, TypedDict

import langgraph.graph
import langgraph.types
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.base import BaseTracer

import nbhitl.graph
import nbhitl.types

ENGINES = {"ours": (nbhitl.graph, nbhitl.types), "theirs": (langgraph.graph, langgraph.types)}


class State(TypedDict):
    x: Annotated[list, operator.add]


class Recorder(BaseTracer):
    """Keeps the name, input and output of each run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def _persist_run(self, run: Any) -> None:
        pass

    def _end_trace(self, run: Any) -> None:
        self.found.append((run.name, run.inputs, run.outputs, run.error and run.error.splitlines()[0]))
        super()._end_trace(run)


class Handler(BaseCallbackHandler):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def on_chain_start(self, serialized: Any, inputs: Any, *, name: Any = None, **_: Any) -> None:
        self.found.append((name, inputs))

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        self.found.append(outputs)


def recorded(engine, how, node, **policy):
    graphs, types = ENGINES[engine]
    builder = graphs.StateGraph(State)
    builder.add_node("a", node, trace_policy=types.TracePolicy(**policy))
    builder.add_node(
        "b", lambda state: {"x": ["b"]}, trace_policy=types.TracePolicy(process_inputs=types.omit_payload)
    )
    graph = builder.add_edge(graphs.START, "a").add_edge("a", "b").compile()
    tracer, handler = Recorder(), Handler()
    config = {"callbacks": [tracer, handler]}
    try:
        if how == "sync":
            graph.invoke({"x": [0]}, config)
        else:
            asyncio.run(graph.ainvoke({"x": [0]}, config))
    except ValueError:
        pass
    return tracer.found, handler.found


def fine(state):
    return {"x": ["a"]}


def failing(state):
    raise ValueError("no")


POLICIES = [
    {"process_inputs": lambda given: {"keys": sorted(given)}},
    {"process_outputs": lambda given: {"number": len(given["x"])}},
    {"process_inputs": lambda given: {}, "process_outputs": lambda given: {}},
    {},
]


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("node", [fine, failing])
@pytest.mark.parametrize("policy", POLICIES, ids=list)
def test_what_tracers_record(policy, node, how):
    ours = recorded("ours", how, node, **policy)
    assert ours == recorded("theirs", how, node, **policy)
    assert ours[0]


def test_a_policy_that_fails_records_all():
    with pytest.warns(UserWarning, match="the trace policy of node 'a' failed .ZeroDivisionError"):
        tracer, _ = recorded("ours", "sync", fine, process_inputs=lambda given: 1 / 0)
    assert ("a", {"x": [0]}, {"x": ["a"]}, None) in tracer


def test_what_is_no_policy_is_refused():
    with pytest.raises(TypeError, match="trace_policy of node 'a' is 3"):
        nbhitl.graph.StateGraph(State).add_node("a", fine, trace_policy=3)


def test_transformers_are_refused():
    builder = nbhitl.graph.StateGraph(State).add_node("a", fine).add_edge("__start__", "a")
    assert builder.compile(transformers=None).invoke({"x": []}) == builder.compile(transformers=[]).invoke(
        {"x": []}
    )
    with pytest.raises(NotImplementedError, match="Leave them out, and read stream"):
        builder.compile(transformers=[object])
