"""Functions that LangSmith traces, in nodes: what they are told as part of. Nothing is sent."""

import operator
from typing import Annotated
from unittest.mock import MagicMock

from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.langchain import LangChainTracer
from langgraph.graph import END, START, StateGraph
from langgraph.types import TracePolicy
from langsmith import traceable
from langsmith.run_helpers import get_current_run_tree
from typing_extensions import TypedDict


class State(TypedDict):
    seen: Annotated[list, operator.add]


class Tracer(LangChainTracer):
    """Keeps the whole tree of runs, and sends none."""

    def __init__(self):
        super().__init__(client=MagicMock())
        self.trees = []

    def _persist_run(self, run):
        self.trees.append(shape(run))

    def _persist_run_single(self, run):
        pass

    def _update_run_single(self, run):
        pass


def shape(run):
    return {run.name: [shape(child) for child in run.child_runs]}


def current():
    tree = get_current_run_tree()
    return None if tree is None else tree.name


@traceable(name="plain")
def plain():
    return current()


@traceable(name="awaited")
async def awaited():
    return current(), plain()


def node(state):
    return {"seen": [current(), plain()]}


async def anode(state):
    return {"seen": [current(), *await awaited()]}


def route(state):
    plain()
    return END


def one(node, **options):
    return StateGraph(State).add_node("node", node, **options).add_edge(START, "node")


async def program_traced_functions_in_nodes(record, saver):
    """They are told as part of the node, the path function or the Runnable that calls them; outside of nobody's."""
    quiet = TracePolicy(process_inputs=lambda _: {}, process_outputs=lambda _: {})
    graphs = {
        "a node": one(node).compile(),
        "a graph as node": one(one(node).compile()).compile(),
        "a graph that a node calls": one(lambda state: one(node).compile().invoke({"seen": []})).compile(),
        "a Runnable": one(RunnableLambda(node)).compile(),
        "a path function": one(node).add_conditional_edges("node", route).compile(),
        "a node with a policy": one(node, trace_policy=quiet).compile(),
    }
    for label, graph in graphs.items():
        tracer = Tracer()
        record(label, graph.invoke({"seen": []}, {"callbacks": [tracer]}))
        record(f"{label}, awaited", await graph.ainvoke({"seen": []}, {"callbacks": [tracer]}))
        record(f"{label}, told", tracer.trees)
        record(f"after {label}", current())
    tracer = Tracer()
    record("an async node", await one(anode).compile().ainvoke({"seen": []}, {"callbacks": [tracer]}))
    record("an async node, told", tracer.trees)
    record("nobody traces", one(lambda state: {"seen": [current()]}).compile().invoke({"seen": []}))
