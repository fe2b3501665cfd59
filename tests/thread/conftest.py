from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest

from .engines import library


class State(TypedDict, total=False):
    log: Annotated[list, operator.add]
    amount: int


@pytest.fixture(params=["langgraph", "nbhitl"])
def lib(request):
    return library(request.param)


@pytest.fixture
def build(lib):
    """`build(a=fn, b=fn)`: a compiled chain of nodes, in the order given, with a memory saver."""

    def make(_compile: dict[str, Any] | None = None, **nodes: Any):
        builder = lib.StateGraph(State)
        before = lib.START
        for name, node in nodes.items():
            builder.add_node(name, node)
            builder.add_edge(before, name)
            before = name
        builder.add_edge(before, lib.END)
        return builder.compile(checkpointer=lib.InMemorySaver(), **(_compile or {}))

    return make


@pytest.fixture(autouse=True)
def _somebody_is_there(monkeypatch):
    monkeypatch.setenv("NBHITL_UNATTENDED", "0")
