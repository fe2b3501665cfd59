"""From a caller's config to a Run: which thread, which saver, nested in which task."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from nbhitl._context import CURRENT_TASK
from nbhitl._langchain import config_of_runnable, outer_config
from nbhitl.checkpoint.records import new_key
from nbhitl.checkpoint.stamps import catch_up, new_stamp, utc_now
from nbhitl.config import lay_over, merge_configs, place_name
from nbhitl.constants import CONF, NS_END, NS_SEP, RECURSION_LIMIT
from nbhitl.engine.instructions import Clock
from nbhitl.engine.running import TASK_KEY, Run, RunningTask
from nbhitl.errors import MissingThreadId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbhitl.checkpoint.records import CheckpointKey
    from nbhitl.config import RunnableConfig
    from nbhitl.engine.events import Stream
    from nbhitl.engine.program import Program
    from nbhitl.engine.progress import Progress

BY_KEY = "__nbhitl_by"
"""Key of `configurable` under which a review says who answers."""

STRICT_KEY = "__pregel_strict_resume"
"""Key of `configurable` by which LangGraph's programs ask for strict resumes."""

OWNER = f"{os.getpid()}-{os.urandom(4).hex()}"
"""Names this process in the claims on questions."""

CLOCK = Clock(new_stamp, utc_now, catch_up)
"""Tells the time of this process, and makes its ids."""


def calling_task(config: RunnableConfig | None) -> RunningTask | None:
    """Return the task whose node makes this call, or None at the top.

    A config that names a thread, and is not the one that the node was given, starts a run by itself: its pauses
    are the caller's business and not the node's. So does one of a LangChain Runnable that makes the call.
    """
    configurable = (config or {}).get(CONF) or {}
    carried = configurable.get(TASK_KEY)
    if carried is not None:
        return cast("RunningTask", carried)
    task = CURRENT_TASK.get()
    if task is None or _names_a_thread(configurable):
        return None
    around = config_of_runnable(in_task=True)
    return None if around is not None and _names_a_thread(around[CONF]) else cast("RunningTask", task)


def _names_a_thread(configurable: Mapping[str, Any]) -> bool:
    """Whether a thread is named by somebody else than the engine, whose configs carry a task."""
    return configurable.get("thread_id") is not None and TASK_KEY not in configurable


def ambient_config() -> RunnableConfig | None:
    """Return what a run by itself inherits from the node that starts it: all but thread, place and settings.

    From a Runnable of LangChain's that starts it: its own thread and settings too.
    """
    task = CURRENT_TASK.get()
    if task is None or config_of_runnable(in_task=True) is not None:
        return cast("RunnableConfig | None", outer_config())
    return cast("RunnableConfig", {key: value for key, value in task.config.items() if key != CONF})


def prepare_run(
    program: Program,
    config: RunnableConfig,
    stream: Stream,
    *,
    checkpointer: Any,
    store: Any,
    cache: Any,
    parent: RunningTask | None,
) -> tuple[Run, CheckpointKey]:
    """Return the Run for one call of a graph, and the checkpoint that it starts from.

    Raises:
        MissingThreadId: the graph has a saver, and the config names no thread.
        RuntimeError: `checkpointer=True` on a graph that no other graph calls.
    """
    around = None if parent is None else config_of_runnable(in_task=True)
    if parent is not None:
        config = _inherited(config, parent, around)
    run = Run(program, config, stream, parent=parent)
    run.wrapped = around is not None
    run.saver = _saver(checkpointer, parent, program, config)
    run.store = store if store is not None else parent.run.store if parent else None
    run.cache = cache
    if "max_concurrency" in config:
        run.max_concurrency = _at_least_one(config, "max_concurrency")
    run.stateful = checkpointer is True
    configurable = config.get(CONF, {})
    thread_id = configurable.get("thread_id")
    if run.saver is not None:
        if thread_id is None:
            raise MissingThreadId(
                "Checkpointer requires one or more of the following 'configurable' keys: thread_id, checkpoint_ns, "
                f"checkpoint_id. Graph {program.name!r} keeps threads, so say which one this is: "
                'invoke(input, {"configurable": {"thread_id": "my-thread"}}).'
            )
        thread_id = str(thread_id)
    run.thread_id = thread_id
    checkpoint_id = _placed_at_top(run, configurable) if parent is None else _placed_below(run, parent)
    stream.root = run.ns
    return run, new_key((thread_id or "", run.ns, checkpoint_id))


def _placed_at_top(run: Run, configurable: Mapping[str, Any]) -> str | None:
    """Note what the config says of the run's place; return the checkpoint that it names."""
    if len(configurable) == 1 and "thread_id" in configurable:
        return None
    if "replay_check" in configurable:
        from nbhitl.engine.replay import replay_check

        run.replay_check = replay_check(configurable["replay_check"])
    named = configurable.get("checkpoint_map") or {}
    if named:
        run.checkpoint_map = dict(named)
    if place_name(configurable, "checkpoint_ns"):
        # A called graph's place: the run starts at the top, and reaches a checkpoint named there on its way.
        run.start_map = dict(named) if "" in named else {}
        return place_name(named, "", of="checkpoint_map")
    return place_name(configurable, "checkpoint_id")


def _placed_below(run: Run, parent: RunningTask) -> str | None:
    """Note what a called graph has from its caller; return the checkpoint that was named for it to start from."""
    above = parent.run
    run.durability = above.durability
    run.answers = {**above.answers, **parent.task.answers}
    run.updated, run.carried = above.updated, above.carried
    run.replay_check = above.replay_check
    run.control = above.control
    run.ns = _namespace(parent, stateful=run.stateful)
    run.checkpoint_map = {**above.checkpoint_map, above.ns: parent.task.checkpoint_id}
    if parent.task.failed is not None:  # an error handler's place is below the task that failed
        run.checkpoint_map[parent.task.failed.namespace] = parent.task.checkpoint_id
    run.start_map = above.start_map
    run.asked_map = above.asked_map
    return run.start_map.get(run.ns) if above.resuming else None


def _inherited(config: RunnableConfig, parent: RunningTask, around: Any) -> RunnableConfig:
    """Return what a called graph is configured with: as the Runnable of LangChain's that calls it, else as the run."""
    above: Mapping[str, Any] = parent.run.config
    configurable = {**above.get(CONF, {}), **(around[CONF] if around else {})}
    base = {
        **{key: value for key, value in (around or above).items() if value or not around},
        CONF: {key: value for key, value in configurable.items() if key not in _PLACE},
    }
    if config.get("callbacks") is not None:
        base.pop("callbacks", None)  # `listeners` adds those who hear the node
    return merge_configs(lay_over(cast("RunnableConfig", base), config), _thread_of(config, parent))


_PLACE = frozenset({"checkpoint_id", "checkpoint_ns", "checkpoint_map", TASK_KEY})


def _thread_of(config: RunnableConfig, parent: RunningTask) -> RunnableConfig:
    thread_id = config.get(CONF, {}).get("thread_id", parent.run.thread_id)
    return {CONF: {"thread_id": thread_id}} if thread_id is not None else {}


def step_saver(saver: Any, program: Program, config: RunnableConfig | None = None) -> Any:
    """Return what the engine calls to keep a run: the saver itself if it stores steps.

    It can hold values of the graph's classes: another graph's saver may not know them yet. A saver of others finds in
    `config` what the caller has `configurable`.
    """
    if _stores_steps()(saver):
        trust = getattr(saver.serde, "trust", None)
        if trust is not None:
            trust(program.homes)
            if program.schema_types:
                saver.serde.register_new(*program.schema_types)
        return saver
    from nbhitl.engine.foreign import ForeignSaver

    return ForeignSaver(saver.saver if isinstance(saver, ForeignSaver) else saver, program, config)


@cache
def _stores_steps() -> Callable[[object], bool]:
    from nbhitl.checkpoint.steps import stores_steps  # which a graph without a saver need not load

    return stores_steps


def _saver(checkpointer: Any, parent: RunningTask | None, program: Program, config: RunnableConfig) -> Any:
    if checkpointer is False:
        return None
    if parent is not None:
        # A graph with a state of its own keeps it with whichever graph above has a saver.
        above = parent.run.kept_by() if checkpointer is True else parent.run
        return None if above.saver is None else step_saver(above.saver, program, config)
    if checkpointer is True:
        raise RuntimeError(
            f"checkpointer=True cannot be used for root graphs: graph {program.name!r} is not called by another graph. "
            "Compile it with a saver, for example compile(checkpointer=InMemorySaver())."
        )
    return None if checkpointer is None else step_saver(checkpointer, program, config)


def _namespace(parent: RunningTask, *, stateful: bool) -> str:
    """Return where a graph called by a task keeps its checkpoints."""
    ns = parent.called_namespace()
    return NS_SEP.join(part.split(NS_END)[0] for part in ns.split(NS_SEP)) if stateful else ns


def note_children(caller: RunningTask, ended: Progress) -> None:
    """Note with the calling task where graphs with state of their own are now.

    A called graph that keeps no state passes on what it knows: with its end nobody else would remember.
    """
    if not ended.run.stateful:
        caller.children.update(ended.head.children)
    elif ended.saved_id is not None:
        caller.children[ended.run.ns] = ended.saved_id


def recursion_limit(config: RunnableConfig) -> int:
    """Return the bound on supersteps.

    Raises:
        ValueError: it is below 1.
    """
    given = config.get("recursion_limit", RECURSION_LIMIT)
    if given.__class__ is int and given >= 1:
        return given
    limit = _at_least_one(config, "recursion_limit")
    return RECURSION_LIMIT if limit is None else limit


def _at_least_one(config: RunnableConfig, key: str) -> int | None:
    """Return a bound that the config sets, None if it does not."""
    given: Any = config.get(key)
    if given is None:
        return None
    if not isinstance(given, (int, float)):
        raise TypeError(f"{key} must be a number of at least 1, got {given!r}")
    if given < 1:
        raise ValueError(f"{key} must be at least 1, got {given}")
    return given  # type: ignore[return-value]  # a float counts as it is


def names_only_a_thread(config: RunnableConfig) -> bool:
    """Whether a config names a thread and says nothing else, but for the number of steps."""
    if type(config) is not dict or len(config) > 1 + ("recursion_limit" in config):
        return False
    configurable = config.get(CONF)
    return type(configurable) is dict and len(configurable) == 1 and "thread_id" in configurable


def caller_metadata(config: RunnableConfig) -> dict[str, Any]:
    """Return the caller's own entries for a checkpoint's metadata."""
    if names_only_a_thread(config):
        return {}
    from nbhitl.checkpoint.base import get_checkpoint_metadata

    return {k: v for k, v in get_checkpoint_metadata(config, {}).items() if not k.startswith("__")}
