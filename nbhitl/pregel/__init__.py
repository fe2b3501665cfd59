"""`Pregel`, the name under which programs written for LangGraph annotate and recognise a graph that runs."""

from nbhitl.graph._compiled import CompiledStateGraph as Pregel

__all__ = ["Pregel"]
