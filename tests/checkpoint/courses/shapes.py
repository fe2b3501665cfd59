"""Graphs that ask, for courses of random acts: each node notes what it does in `log`."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any

from typing_extensions import TypedDict

from nbhitl import once
from nbhitl.graph import END, START, StateGraph
from nbhitl.types import Send, interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = ("twice", "beside", "sent", "child", "own child", "breakpoint", "once")


class State(TypedDict, total=False):
    log: Annotated[list[Any], operator.add]
    last: Any


def compiled(shape: str, saver: Any, effects: list[str]) -> Any:
    """Compile the graph of that shape; what `once()` runs is noted in `effects`."""
    builder = StateGraph(State).add_node("first", _noting("first")).add_node("last", _noting("last"))
    builder.add_edge(START, "first")
    builder.add_conditional_edges("last", lambda state: "first" if len(state["log"]) % 3 == 0 else END)
    SHAPE[shape](builder, effects)
    stops = ["last"] if shape == "breakpoint" else None
    return builder.compile(checkpointer=saver, interrupt_before=stops)


def _noting(name: str) -> Callable[[State], State]:
    return lambda state: {"log": [name], "last": name}


def _asking(*questions: str, fails: bool = True, **how: Any) -> Callable[[State], State]:
    """A node that asks; if it `fails`, once it is told to. What nodes beside one that fails leave is a matter of luck."""

    def ask(state: State) -> State:
        given = [interrupt({"ask": question, "seen": len(state["log"])}, **how) for question in questions]
        if fails and "fail" in given:
            raise ValueError("told to fail")
        return {"log": given}

    return ask


def _between(builder: Any, **nodes: Any) -> None:
    for name, node in nodes.items():
        builder.add_node(name, node).add_edge("first", name)
    builder.add_edge([*nodes], "last")


def _twice(builder: Any, effects: list[str]) -> None:
    _between(builder, ask=_asking("a", "b"))


def _beside(builder: Any, effects: list[str]) -> None:
    _between(
        builder,
        one=_asking("a", fails=False),
        two=_asking("b", fails=False, response_schema={"type": "string"}),
        quiet=_noting("quiet"),
    )


def _sent(builder: Any, effects: list[str]) -> None:
    builder.add_node("ask", _asking("a", fails=False)).add_edge("ask", "last")
    builder.add_conditional_edges(
        "first", lambda state: [Send("ask", {"log": [n]}) for n in range(3)], ["ask"]
    )


def _child(builder: Any, effects: list[str], checkpointer: Any = None) -> None:
    inner = StateGraph(State).add_node("before", _noting("before")).add_node("ask", _asking("a", "b"))
    inner.add_edge(START, "before").add_edge("before", "ask")
    _between(builder, child=inner.compile(checkpointer=checkpointer))


def _own_child(builder: Any, effects: list[str]) -> None:
    _child(builder, effects, checkpointer=True)


def _quiet(builder: Any, effects: list[str]) -> None:
    _between(builder, quiet=_noting("quiet"))


def _once(builder: Any, effects: list[str]) -> None:
    def act(state: State) -> State:
        def effect() -> int:
            effects.append(f"effect {len(state['log'])}")
            return len(effects)

        done = once(f"key {len(state['log'])}", effect)
        return {"log": [done, interrupt(f"{done} done, go on?")]}

    _between(builder, act=act)


SHAPE: dict[str, Callable[[Any, list[str]], None]] = {
    "twice": _twice,
    "beside": _beside,
    "sent": _sent,
    "child": _child,
    "own child": _own_child,
    "breakpoint": _quiet,
    "once": _once,
}
