"""Under their older names: `get_config` and `get_store` of `nbhitl.config`, and what settles a config."""

from __future__ import annotations

from typing import Any, cast

from nbhitl.config import RunnableConfig, get_config, get_store, merge_configs, settled

__all__ = ["RunnableConfig", "ensure_config", "get_config", "get_store", "patch_configurable"]


def ensure_config(*configs: RunnableConfig | None) -> RunnableConfig:
    """Return one config of several, later ones over earlier ones, with tags, metadata and `configurable` there."""
    merged = merge_configs(*(settled(config) for config in configs if config is not None))
    empty: dict[str, Any] = {
        "tags": [],
        "metadata": {},
        "callbacks": None,
        "recursion_limit": 10007,
        "configurable": {},
    }
    return cast("RunnableConfig", {**empty, **merged})


def patch_configurable(config: RunnableConfig | None, patch: dict[str, Any]) -> RunnableConfig:
    """Return the config with entries laid over its `configurable`."""
    given = config or {}
    return cast("RunnableConfig", {**given, "configurable": {**given.get("configurable", {}), **patch}})
