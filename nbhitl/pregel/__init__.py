"""`Pregel`, the name under which programs written for LangGraph annotate and recognise a graph that runs."""

from nbhitl.graph._compiled import CompiledStateGraph as Pregel

__all__ = ["Pregel"]


def __getattr__(name: str) -> object:
    if name == "NodeBuilder":
        raise ImportError(
            "nbhitl.pregel has no NodeBuilder: graphs are built with nbhitl.graph.StateGraph, whose nodes read and "
            "write the keys of the state.",
            name=__name__,
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
