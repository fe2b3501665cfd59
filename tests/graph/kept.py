"""A graph that asks, and whether an answer to it read the thread."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from nbhitl.graph import START, StateGraph
from nbhitl.types import interrupt

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class State(TypedDict, total=False):
    n: Annotated[int, operator.add]
    said: str
    items: list[Any]


def asking(saver: Any, *questions: Any, then: Callable[[list[Any]], Any] = len) -> Any:
    def ask(state: State) -> State:
        answers = [interrupt(question) for question in questions]
        return {"n": then(answers), "said": repr(answers)}

    return StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
