"""Topologies that the tests of the drawings share, built by hand: no graph has to run to be drawn."""

from __future__ import annotations

from typing import Any

from nbhitl.constants import END, START
from nbhitl.engine.spec import BranchSpec, NodeSpec, Topology
from nbhitl.types import Command, interrupt


def update(state: Any) -> Any:
    return {"x": 1}


def route(state: Any) -> Any:
    return state["route"]


def review(state: Any) -> Any:
    answer = interrupt("Delete these rows?")
    return Command(goto="delete_rows" if answer else "explain")


def node(name: str, action: Any = update, **kwargs: Any) -> NodeSpec:
    return NodeSpec(name, action, **kwargs)


def topology(
    name: str,
    nodes: list[NodeSpec],
    edges: list[tuple[str, str]],
    joins: list[tuple[tuple[str, ...], str]] | None = None,
    branches: dict[str, list[BranchSpec]] | None = None,
    **kwargs: Any,
) -> Topology:
    return Topology(name, {n.name: n for n in nodes}, edges, joins or [], branches or {}, **kwargs)


class Compiled:
    """What a drawing needs of a compiled subgraph."""

    def __init__(self, inner: Topology) -> None:
        self.topology = inner


def react() -> Topology:
    """An agent that calls tools until it is done, with a breakpoint before the tools."""
    return topology(
        "react",
        [node("agent"), node("tools")],
        [(START, "agent"), ("tools", "agent")],
        branches={"agent": [BranchSpec(route, {"tools": "tools", END: END}, "route")]},
        interrupt_before=frozenset({"tools"}),
    )


def orders() -> Topology:
    """A node asks, and goes by undeclared Commands to one of two."""
    names = ["delete_rows", "explain", "report"]
    return topology(
        "orders",
        [node("propose"), node("review", review), *map(node, names)],
        [
            (START, "propose"),
            ("propose", "review"),
            ("delete_rows", "report"),
            ("explain", END),
            ("report", END),
        ],
    )


def fan() -> Topology:
    """Three in parallel, a join that waits for all of them, and a path function that can't be read."""
    three = ("search web", "read files", "ask expert")
    return topology(
        "fan",
        [node("plan"), *map(node, three), node("merge"), node("write")],
        [(START, "plan"), *(("plan", each) for each in three), ("merge", "write"), ("write", END)],
        [(three, "merge")],
        {"write": [BranchSpec(route, None, "route")]},
    )


def outer() -> Topology:
    """Subgraphs, one of them two levels deep."""
    deep = topology(
        "deep",
        [node("sub", subgraph=Compiled(chain(2))), node("last")],
        [(START, "sub"), ("sub", "last"), ("last", END)],
    )
    return topology(
        "outer",
        [
            node("triage"),
            node("research", subgraph=Compiled(react())),
            node("deep", subgraph=Compiled(deep)),
            node("answer"),
        ],
        [(START, "triage"), ("research", "answer"), ("deep", "answer"), ("answer", END)],
        branches={"triage": [BranchSpec(route, {"quick": "research", "long": "deep"}, "route")]},
    )


def chain(length: int) -> Topology:
    names = [f"step_{i:03d}" for i in range(length)]
    edges = list(zip([START, *names], [*names, END], strict=True))
    return topology("chain", [node(name) for name in names], edges)
