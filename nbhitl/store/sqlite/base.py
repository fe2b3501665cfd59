"""LangGraph's place for the sync store."""

from nbhitl.store.sqlite import SqliteIndexConfig, SqliteStore

__all__ = ["SqliteIndexConfig", "SqliteStore"]
