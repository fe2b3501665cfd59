"""The graphs of these tests, built with LangGraph's words by either engine.

Annotations are evaluated here: engines look names up by module, and there are many of the name conftest.
"""

import operator
from importlib import import_module
from types import SimpleNamespace
from typing import Annotated, Literal, TypedDict

import pytest


class State(TypedDict):
    amount: int
    log: Annotated[list, operator.add]


@pytest.fixture(params=["langgraph", "nbhitl"])
def engine(request):
    """The names that a program imports, from LangGraph or from nbhitl."""
    graph = import_module(f"{request.param}.graph")
    types = import_module(f"{request.param}.types")
    memory = import_module(f"{request.param}.checkpoint.memory")
    return SimpleNamespace(
        name=request.param,
        StateGraph=graph.StateGraph,
        START=graph.START,
        END=graph.END,
        interrupt=types.interrupt,
        Command=types.Command,
        Send=types.Send,
        InMemorySaver=memory.InMemorySaver,
    )


@pytest.fixture
def review_graph(engine):
    """propose -> review (asks) -> run_it | keep."""

    def propose(state):
        return {"amount": 10, "log": ["proposed"]}

    def review(state) -> engine.Command[Literal["run_it", "keep"]]:
        yes = engine.interrupt({"question": "Take 10?"})
        return engine.Command(goto="run_it" if yes else "keep", update={"log": [f"said {yes}"]})

    def run_it(state):
        return {"amount": 0, "log": ["taken"]}

    def keep(state):
        return {"log": ["kept"]}

    builder = engine.StateGraph(State)
    for node in (propose, review, run_it, keep):
        builder.add_node(node)
    builder.add_edge(engine.START, "propose")
    builder.add_edge("propose", "review")
    return builder.compile(checkpointer=engine.InMemorySaver())


@pytest.fixture
def config():
    return {"configurable": {"thread_id": "t1"}}
