"""`RunnableCallable`, at LangGraph's own place for it."""

from nbhitl.utils.runnable import RunnableCallable, RunnableLike

__all__ = ["RunnableCallable", "RunnableLike"]
