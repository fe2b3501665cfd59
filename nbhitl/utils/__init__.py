"""LangGraph's older places of some names: `nbhitl.utils.config` and `nbhitl.utils.runnable`."""
