"""Slips in building a graph: what is refused, and what is warned of."""

import logging
import operator
import warnings
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    text: str


def node(state):
    return {"text": "n"}


def building():
    return StateGraph(State).add_node("first", node).add_node("second", node)


def attempt(record, label, build):
    """Note the class of the error, or what is warned of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            build()
        except Exception as error:
            record(label, type(error).__name__)
        else:
            record(label, [(one.category.__name__, str(one.message).split(". ")[0]) for one in told])


def program_schemas(record):
    kinds = (None, 1, "State", State, dict, list[str], Annotated[list, operator.add], int | str)
    for number, kind in enumerate(kinds):
        attempt(record, f"state {number}", lambda kind=kind: StateGraph(kind))
        attempt(record, f"input {number}", lambda kind=kind: StateGraph(State, input_schema=kind))
        attempt(record, f"output {number}", lambda kind=kind: StateGraph(State, output_schema=kind))
    attempt(record, "an instance", lambda: StateGraph(State(text="a")))
    attempt(record, "none at all", lambda: StateGraph())


def program_without_a_schema(record):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        builder = StateGraph(None).add_node("count", lambda state: state + 1).add_edge(START, "count")
    graph = builder.add_edge("count", END).compile()
    record("run", graph.invoke(1))
    record("stream", list(graph.stream(1)))


def program_nodes(record):
    add = {
        "a number": (1,),
        "a list": ([node],),
        "a dict": ({"a": node},),
        "a named number": ("a", 1),
        "a number as a name": (1, node),
        "a name alone": ("a",),
        "a graph under construction": ("a", building()),
        "twice": ("first", node),
        "reserved": (END, node),
        "a reserved character": ("a|b", node),
    }
    for label, given in add.items():
        attempt(record, label, lambda given=given: building().add_node(*given))
    builder = building()
    builder.add_node({"text": lambda state: "from a dict"})
    record("the name of a dict", list(builder.nodes))
    last = list(builder.nodes)[-1]
    record("it runs", builder.add_edge(START, last).compile().invoke({"text": "a"}))


def program_edges(record):
    for label, path in {"none": None, "a number": 1, "a name": "second", "a dict": {"a": node}}.items():
        attempt(record, f"path {label}", lambda path=path: building().add_conditional_edges("first", path))
        attempt(record, f"entry {label}", lambda path=path: building().set_conditional_entry_point(path))
    attempt(record, "from END", lambda: building().add_edge(END, "first"))
    attempt(record, "to START", lambda: building().add_edge("first", START))
    attempt(record, "a barrier of unknown nodes", lambda: building().add_edge(["first", "third"], "second"))
    attempt(record, "no way in", lambda: building().compile())


def program_after_compile(record):
    builder = building().add_edge(START, "first")
    graph = builder.compile()
    heard = []
    handler = logging.Handler()
    handler.emit = lambda entry: heard.append((entry.levelname, entry.getMessage().partition(".")[0]))
    logging.getLogger().addHandler(handler)
    try:
        builder.add_node("third", node).add_edge("first", "third")
        builder.add_edge(["first", "second"], "third")
        builder.add_conditional_edges("third", lambda state: END)
    finally:
        logging.getLogger().removeHandler(handler)
    record("warned", heard)
    record("as it was", sorted(graph.get_graph().nodes))
    record("compiled again", sorted(builder.compile().get_graph().nodes))
