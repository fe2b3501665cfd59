"""LangGraph's place for the sync store."""

from nbhitl.store.postgres import PoolConfig, PostgresIndexConfig, PostgresStore

__all__ = ["PoolConfig", "PostgresIndexConfig", "PostgresStore"]
