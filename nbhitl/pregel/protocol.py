"""The name under which programs annotate whatever runs like a graph."""

from nbhitl.pregel import Pregel as PregelProtocol

__all__ = ["PregelProtocol"]
