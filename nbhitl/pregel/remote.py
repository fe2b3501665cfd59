"""LangGraph's graphs on a server. nbhitl runs graphs here, in the notebook's own process."""

from __future__ import annotations


def __getattr__(name: str) -> object:
    if name not in ("RemoteException", "RemoteGraph"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise ImportError(
        f"nbhitl has no {name}: it runs graphs in this process, and talks to no server. Import it from "
        "langgraph.pregel.remote; a RemoteGraph can be a node here, like anything with invoke and ainvoke.",
        name=__name__,
    )
