"""Calls of tools, and a ToolNode of each engine that gets them."""

import warnings

import pydantic
from both_engines import engines, outcome
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, tool

LANGGRAPH, OURS = engines()


def call(name, id="c1", /, **args):
    return {"name": name, "args": args, "id": id, "type": "tool_call"}


def asks_for(*calls, **state):
    return {"messages": [AIMessage("", tool_calls=list(calls), id="ai1")], **state}


def same(program):
    """Run the program on both engines and return what both did; an error may say more than LangGraph's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = outcome(program, LANGGRAPH)
    ours = outcome(program, OURS)
    if isinstance(theirs, tuple):
        assert type(ours) is tuple, (theirs, ours)
        assert ours[0] == theirs[0], (theirs, ours)
        # The advice at the end names another form for bare tool calls than LangGraph's, the one that works.
        assert ours[1].startswith(theirs[1].split(" You can fix it")[0].rstrip(".")), (theirs, ours)
    else:
        assert ours == theirs
    return theirs


def config(e, **runtime):
    return {"configurable": {"__pregel_runtime": e.Runtime(**runtime)}}


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def fail(a: int) -> str:
    """Fail."""
    raise ValueError(f"bad {a}")


@tool
def decorated(a: int) -> int:
    "A LangChain tool."
    return a


class Classic(BaseTool):
    name: str = "classic"
    description: str = "A class."

    def _run(self, a: int) -> str:
        return f"ran {a}"


class State(pydantic.BaseModel):
    messages: list
    user: str = "ann"
