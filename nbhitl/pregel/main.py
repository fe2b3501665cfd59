"""LangGraph's place for `Pregel`."""

from nbhitl.pregel import Pregel

__all__ = ["Pregel"]
