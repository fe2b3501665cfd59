"""LangGraph's functional API, `entrypoint` and `task`: not here yet, and whoever imports it hears what to do."""

raise ModuleNotFoundError(
    "nbhitl has no functional API (entrypoint, task) yet. Make each task a node of a nbhitl.graph.StateGraph, or "
    "import both from langgraph.func.",
    name=__name__,
)
