"""LangGraph's place for `Pregel`, and for the error that its runs end with when a loop has no end."""

from nbhitl.errors import GraphRecursionError
from nbhitl.pregel import Pregel

__all__ = ["GraphRecursionError", "Pregel"]
