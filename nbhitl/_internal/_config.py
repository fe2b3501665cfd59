"""What settles configs, at LangGraph's own place for it."""

from nbhitl.config import RunnableConfig, merge_configs
from nbhitl.constants import RECURSION_LIMIT as DEFAULT_RECURSION_LIMIT
from nbhitl.utils.config import ensure_config, patch_configurable

__all__ = [
    "DEFAULT_RECURSION_LIMIT",
    "RunnableConfig",
    "ensure_config",
    "merge_configs",
    "patch_configurable",
]
