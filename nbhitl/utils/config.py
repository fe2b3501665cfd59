"""Under their older name: `get_config` and `get_store` of `nbhitl.config`."""

from nbhitl.config import RunnableConfig, get_config, get_store

__all__ = ["RunnableConfig", "get_config", "get_store"]
