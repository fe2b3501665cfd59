"""A graph whose node fails, on both engines."""

import operator
from typing import Annotated

from typing_extensions import TypedDict

from .engines import LANGGRAPH, OURS

CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


def fails(state):
    raise ValueError("boom")


def on_both(program):
    theirs, ours = program(LANGGRAPH), program(OURS)
    assert ours == theirs
    assert ours
    return ours
