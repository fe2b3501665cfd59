"""The one door to langchain-core: its modules, its messages, and the config that LangChain's code looks for.

langchain-core is optional. Where it is installed, messages are LangChain's own objects, so that `isinstance`
holds across libraries; without it they are the classes of `nbhitl._messages`. It is imported when the first
message has to be made, never by importing nbhitl.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from nbhitl.constants import CONF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from nbhitl._context import TaskContext

_PACKAGE = "langchain_core"
_BASES = ("nbhitl._messages", "langchain_core.messages.base")


@cache
def langchain_module(name: str) -> ModuleType | None:
    """Import `langchain_core.<name>` and return it, or None where langchain-core is not installed."""
    try:
        return import_module(f"{_PACKAGE}.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == _PACKAGE:
            return None
        raise


# -- what is a message --------------------------------------------------------------------------------------


def is_message_class(cls: type) -> bool:
    """Whether `cls` is a class of chat messages. Imports nothing."""
    bases = cls.__mro__
    for name in _BASES:
        loaded = sys.modules.get(name)
        if loaded is not None and getattr(loaded, "BaseMessage", None) in bases:
            return True
    return False


def is_message(value: object) -> bool:
    """Whether `value` is a chat message, LangChain's or nbhitl's. Imports nothing."""
    return is_message_class(type(value))


# -- the run's config, where LangChain's code looks for it ---------------------------------------------------


def langchain_scope(task: TaskContext) -> None:
    """Let LangChain's tools and models that the task calls find the run's config, in the current context.

    Does nothing while no part of LangChain that looks for a config has been imported.
    """
    module = sys.modules.get("langchain_core.runnables.config")
    if module is not None:
        module.var_child_runnable_config.set(_LateConfig(task))


class _LateConfig(Mapping[str, Any]):
    """A task's config, made when LangChain first reads it: most nodes call nothing of LangChain's."""

    __slots__ = ("_made", "_task")

    def __init__(self, task: TaskContext) -> None:
        self._task = task
        self._made: Mapping[str, Any] | None = None

    def _config(self) -> Mapping[str, Any]:
        if self._made is None:
            self._made = cast("Mapping[str, Any]", self._task.config)
        return self._made

    def __getitem__(self, key: str) -> Any:
        return self._config()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._config())

    def __len__(self) -> int:
        return len(self._config())

    def __bool__(self) -> bool:
        return True


_HANDED_DOWN = ("callbacks", "tags", "metadata", "recursion_limit", "max_concurrency")
_OF_A_GRAPH = ("__", "checkpoint_")


def outer_config() -> dict[str, Any]:
    """Return what of the config of the LangChain Runnable that runs here belongs to the runs that it starts.

    Empty outside of one, and while no part of LangChain that has such configs has been imported.
    """
    module = sys.modules.get("langchain_core.runnables.config")
    outer = module.var_child_runnable_config.get() if module is not None else None
    if not outer:
        return {}
    handed = {key: outer[key] for key in _HANDED_DOWN if outer.get(key)}
    given = {k: v for k, v in outer.get(CONF, {}).items() if not k.startswith(_OF_A_GRAPH)}
    return {**handed, CONF: given} if given else handed


def config_of_runnable(*, in_task: bool) -> Any:
    """Return the config of the LangChain Runnable that runs here; None where none runs, or only the node itself.

    Args:
        in_task: a node runs. A config without anything `configurable` does not come from it: LangChain was loaded by
            the node itself.
    """
    module = sys.modules.get("langchain_core.runnables.config")
    config = module.var_child_runnable_config.get() if module is not None else None
    if config is None or type(config) is _LateConfig:
        return None
    return config if config.get(CONF) or not in_task else None


def in_node_of_langgraph() -> bool:
    """Whether a node of a graph that LangGraph compiled runs here; asked where none of nbhitl's does."""
    config = config_of_runnable(in_task=False)
    return config is not None and any(key.startswith("__pregel_") for key in config.get(CONF, {}))


def innermost_namespace() -> str | None:
    """Return the `checkpoint_ns` of the config of the LangChain Runnable that runs here; None outside of one."""
    module = sys.modules.get("langchain_core.runnables.config")
    config = module.var_child_runnable_config.get() if module is not None else None
    return None if config is None else config.get("configurable", {}).get("checkpoint_ns")
