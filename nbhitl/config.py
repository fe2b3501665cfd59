"""A run's config: what `invoke(input, config)` takes and what nodes get."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

from nbhitl._context import CURRENT_TASK, current_task
from nbhitl.constants import CONF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nbhitl.types import StreamWriter

__all__ = ["RunnableConfig", "ensure_config", "get_config", "get_store", "get_stream_writer", "merge_configs"]


class RunnableConfig(TypedDict, total=False):
    """The settings of a run; the same keys as LangChain's `RunnableConfig`.

    `configurable` says which thread and checkpoint (`thread_id`, `checkpoint_ns`, `checkpoint_id`) and holds
    the caller's own settings; `recursion_limit` bounds the supersteps, `max_concurrency` the parallel tasks.
    """

    tags: list[str]
    metadata: dict[str, Any]
    callbacks: Any
    run_name: str
    max_concurrency: int | None
    recursion_limit: int
    configurable: dict[str, Any]
    run_id: Any


class CheckpointMetadata(TypedDict, total=False):
    """Where a checkpoint comes from; the caller's own entries of `configurable` are in it too.

    `source` is `input`, `loop`, `update` or `fork`; `step` counts from -1 for the first input; `parents` are
    the ids of the checkpoints of the graphs around this one, by namespace.
    """

    source: Literal["input", "loop", "update", "fork"]
    step: int
    parents: dict[str, str]
    run_id: str


VERSIONS = "lc_versions"
"""The entry of metadata in which each package notes its version."""
_KEYS = frozenset(RunnableConfig.__annotations__)


def merge_configs(*configs: RunnableConfig | None) -> RunnableConfig:
    """Return the configs laid over one another, the last one on top.

    `configurable` and `metadata` are merged key by key, `tags` and the handlers of `callbacks` are joined.

    >>> merge_configs({"configurable": {"a": 1}}, None, {"configurable": {"b": 2}})
    {'configurable': {'a': 1, 'b': 2}}
    """
    merged: dict[str, Any] = {}
    for config in configs:
        for key, value in (config or {}).items():
            if value is None or (key == "tags" and not value):
                continue
            join = _JOINED.get(key)
            merged[key] = join(merged.get(key), value) if join else value
    return cast("RunnableConfig", merged)


def lay_over(around: RunnableConfig, config: RunnableConfig) -> RunnableConfig:
    """Return `config` over the config of what calls it.

    Of tags that both have, one counts: programs hand the outer config on with entries of their own.
    """
    tags = around.get("tags")
    if tags and config.get("tags"):
        config = cast(
            "RunnableConfig", {**config, "tags": [tag for tag in config["tags"] if tag not in tags]}
        )
    return merge_configs(around, config)


def _joined_dicts(known: dict[str, Any] | None, given: dict[str, Any]) -> dict[str, Any]:
    return {**(known or {}), **given}


def _joined_metadata(known: dict[str, Any] | None, given: dict[str, Any]) -> dict[str, Any]:
    joined = _joined_dicts(known, given)
    if known and isinstance(known.get(VERSIONS), Mapping) and isinstance(given.get(VERSIONS), Mapping):
        joined[VERSIONS] = {**known[VERSIONS], **given[VERSIONS]}
    return joined


def _joined_tags(known: list[str] | None, given: list[str]) -> list[str]:
    return [*(known or ()), *given]


def _joined_callbacks(known: Any, given: Any) -> Any:
    """Return the handlers of both: as a list where both are lists, else as a callback manager of LangChain's."""
    if known is None:
        return given
    if isinstance(given, (list, tuple)):
        return [*known, *given] if isinstance(known, (list, tuple)) else _with_handlers(known, given)
    if not hasattr(given, "add_handler"):  # a listener of one's own
        return given
    return _with_handlers(given, known) if isinstance(known, (list, tuple)) else known.merge(given)


def _with_handlers(manager: Any, handlers: Iterable[Any]) -> Any:
    if not hasattr(manager, "add_handler"):
        return handlers
    manager = manager.copy()
    for handler in handlers:
        manager.add_handler(handler, inherit=True)
    return manager


_JOINED: dict[str, Callable[[Any, Any], Any]] = {
    CONF: _joined_dicts,
    "metadata": _joined_metadata,
    "tags": _joined_tags,
    "callbacks": _joined_callbacks,
}


def settled(config: RunnableConfig) -> RunnableConfig:
    """Return the config of a run with the caller's own settings under `configurable`, wherever they were given.

    An entry that is None counts as not given.

    Raises:
        TypeError: it is no config.
    """
    is_mapping = isinstance(config, (dict, Mapping))
    own = config.get(CONF) if is_mapping else None
    if not is_mapping or (own and not isinstance(own, (dict, Mapping))):
        raise TypeError(not_a_config("config", config))
    if NoneType in map(type, config.values()):
        config = cast("RunnableConfig", {key: value for key, value in config.items() if value is not None})
    if _KEYS.issuperset(config):
        return config
    beside = {key: value for key, value in config.items() if key not in _KEYS and value is not None}
    known = {key: value for key, value in config.items() if key in _KEYS}
    return cast("RunnableConfig", {**known, CONF: {**(own or {}), **beside}})


def not_a_config(name: str, given: object) -> str:
    """Return what to say of something that was given as the config `name`, and is none."""
    if hasattr(given, "config"):
        return f"{name} is a {type(given).__name__}; give its config: {name}=it.config."
    return f'{name} is {given!r}; it must be a dict like {{"configurable": {{"thread_id": "my-thread"}}}}.'


def place_name(entries: Mapping[str, Any], key: str, of: str = "") -> str | None:
    """Return the checkpoint or namespace that a config's `configurable` has as `key`, None if it names none.

    Args:
        entries: the `configurable`, or the map of checkpoints that it has as `of`.
        key: `checkpoint_id`, `checkpoint_ns`, or a namespace in the map.
        of: where the entries are within the `configurable`.

    Raises:
        TypeError: it is no string. SQLite would find nothing under a number, and PostgreSQL refuse it.
    """
    given = entries.get(key)
    if given is None or isinstance(given, str):
        return given
    where = "".join(f"[{name!r}]" for name in (CONF, of, key) if name or name is key)
    raise TypeError(
        f"config{where} is {given!r} ({type(given).__name__}); it must be a string, or left out. get_state(config), "
        "get_state_history(config) and a saver's list(config) give the config of each checkpoint: pass that."
    )


def ensure_config(config: RunnableConfig | None) -> RunnableConfig:
    """Return `config` as a new dict that has a `configurable` dict of its own."""
    config = cast("RunnableConfig", dict(config or {}))
    config[CONF] = dict(config.get(CONF) or {})
    return config


def get_config() -> RunnableConfig:
    """Return the config of the running node; in a Runnable of LangChain's, within a node or not, the config of that.

    Raises:
        RuntimeError: called outside of both.
    """
    from nbhitl._langchain import config_of_runnable

    task = CURRENT_TASK.get()
    config = config_of_runnable(in_task=task is not None)
    if config is not None:
        return cast("RunnableConfig", config)
    return current_task("get_config").config if task is None else task.config


def get_store() -> Any:
    """Return the store that the running graph was compiled with, or None.

    Raises:
        RuntimeError: called outside of a running graph.
    """
    return current_task("get_store").store


def get_stream_writer() -> StreamWriter:
    """Return a function that puts its argument into the stream of mode `custom`.

    Raises:
        RuntimeError: called outside of a running graph.
    """
    return cast("Callable[[Any], None]", current_task("get_stream_writer").write_custom)


def __getattr__(name: str) -> Any:
    # LangChain's, which older programs import from here.
    if name != "var_child_runnable_config":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nbhitl._langchain import langchain_module

    module = langchain_module("runnables.config")
    if module is None:
        raise AttributeError(f"{name} is langchain-core's: pip install 'nbhitl[langchain]'")
    return module.var_child_runnable_config
