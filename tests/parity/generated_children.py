"""The child graphs of generated graphs: called in a node's function, or nodes themselves."""

from __future__ import annotations

import operator
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CHILDREN = ("called", "node", "stateful", "stateless", "leaving")
"""Called in a function; or a node: with its parent's saver, with a state that lasts, with no saver; or one that hands
over to its parent."""

_SAVERS = {"called": None, "node": None, "stateful": True, "stateless": False, "leaving": None}


class ChildInput(TypedDict):
    total: Annotated[int, operator.add]


class ChildOutput(TypedDict):
    log: Annotated[list, operator.add]


class ChildState(ChildInput, ChildOutput):
    seen: Annotated[list, operator.add]


def build_child(kind: str, label: str, asks: int, engine: str, then: Sequence[str] = ()) -> Any:
    """Compile a graph of two nodes: the first notes what it saw, the second asks; one that leaves goes on to `then`."""
    graph, types = import_module(f"{engine}.graph"), import_module(f"{engine}.types")

    def note(state: Any) -> Any:
        return {"seen": [state["total"]]}

    def ask(state: Any) -> Any:
        answers = [types.interrupt({"child": label, "call": call}) for call in range(asks)]
        return {"log": [f"{label} saw {len(state['seen'])}", *map(str, answers)], "seen": ["asked"]}

    def leave(state: Any) -> Any:
        if state["total"] > 9:  # loops end
            return None
        return types.Command(
            graph=types.Command.PARENT, goto=[*then], update={"log": [f"{label} left"], "total": 3}
        )

    builder = graph.StateGraph(ChildState, input_schema=ChildInput, output_schema=ChildOutput)
    builder.add_node("note", note).add_node("ask", ask)
    builder.add_edge(graph.START, "note").add_edge("note", "ask")
    if kind == "leaving":
        builder.add_node("leave", leave).add_edge("ask", "leave")
    return builder.compile(checkpointer=_SAVERS[kind], name=label)


def questions(kind: str, asks: int) -> int:
    """How often a child of this kind asks: an answer by id never reaches LangGraph's stateless children."""
    return 0 if kind == "stateless" else asks


def child_action(
    kind: str, label: str, asks: int, engine: str, then: Sequence[str] = ()
) -> Callable[[Any], Any] | Any:
    """Return what `add_node` takes: the child itself, or a function that calls it."""
    child = build_child(kind, label, questions(kind, asks), engine, then)
    if kind != "called":
        return child

    def call(state: Any) -> Any:
        return {"log": child.invoke({"total": state["total"]})["log"]}

    return call
