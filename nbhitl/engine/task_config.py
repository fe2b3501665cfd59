"""The config that a node, and what LangChain's code it calls, find for themselves, and the runtime of a node."""

from __future__ import annotations

import sys
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any

from nbhitl.constants import CONF, TAG_HIDDEN
from nbhitl.engine.channel_access import READ, SEND, read_channels, send_writes

if TYPE_CHECKING:
    from nbhitl.config import RunnableConfig
    from nbhitl.engine.program import Node
    from nbhitl.engine.running import Run, RunningTask
    from nbhitl.runtime import Runtime

TASK_KEY = "__nbhitl_task"
"""Key of `configurable` under which a node's config carries its task to graphs that the node calls."""

_OF_THE_RUN = frozenset({"run_name", "run_id"})
# What of `configurable` tells runs apart, and so belongs to the metadata that tracing shows.
_TOLD = ("graph_id", "assistant_id", "thread_id", "run_id", "task_id")
_TOLD_AT_THE_TOP = ("checkpoint_id", "checkpoint_ns")
_OF_THE_TASK = (
    "langgraph_step",
    "langgraph_node",
    "langgraph_triggers",
    "langgraph_path",
    "langgraph_checkpoint_ns",
)
_OF_THE_PLACE = frozenset({"thread_id", *_TOLD_AT_THE_TOP, *_OF_THE_TASK})


def task_config(running: RunningTask) -> RunnableConfig:
    """Return the run's config with what identifies the task; without what names the run as a whole."""
    run = running.run
    given: dict[str, Any] = dict(run.config)
    config = {key: value for key, value in given.items() if key not in _OF_THE_RUN}
    config[CONF] = {
        **given.get(CONF, {}),
        "checkpoint_map": {**run.checkpoint_map, run.ns: running.task.checkpoint_id},
        "checkpoint_id": None,
        "checkpoint_ns": running.task.namespace,
        TASK_KEY: running,
        READ: partial(read_channels, running),
        SEND: partial(send_writes, running),
    }
    if run.stream.shows_below or run.context is not None or run.store is not None:
        from nbhitl.engine.called_langgraph import hand_down

        hand_down(running, config[CONF])
    config["metadata"] = task_metadata(running)
    if running.node.hidden and TAG_HIDDEN not in config.get("tags", ()):
        config["tags"] = [*config.get("tags", ()), TAG_HIDDEN]
    trace = running.trace or run.trace
    if trace is not None:
        config["callbacks"] = trace.callbacks(running.step_tag)
    elif not config.get("callbacks") and "langchain_core.callbacks.manager" in sys.modules:
        # Programs hand it on by itself: model.invoke(messages, {"callbacks": config["callbacks"]}). Where nobody
        # listens it still says that a node runs: without that, dispatch_custom_event() in it is an error.
        from uuid import UUID

        managers = sys.modules["langchain_core.callbacks.manager"]
        manager = managers.AsyncCallbackManager if run.asynchronous else managers.CallbackManager
        config["callbacks"] = manager([], parent_run_id=UUID(running.task.id))
    if running.pulse is not None and running.pulse.auto:
        from nbhitl.engine.tokens import pulse_handler, with_handler

        heard = pulse_handler(running)
        if heard is not None:
            config["callbacks"] = with_handler(config.get("callbacks"), heard)
    return config  # type: ignore[return-value]  # built key by key


def task_metadata(running: RunningTask) -> dict[str, Any]:
    """Return the metadata of a task: the caller's, what tells the run and the task, and the node's own."""
    run, task = running.run, running.task
    metadata = {
        **run_metadata(run),
        "langgraph_step": task.step,
        "langgraph_node": task.name,
        "langgraph_triggers": task.triggers,
        "langgraph_path": task.path,
        "langgraph_checkpoint_ns": task.namespace,
    }
    if running.node.metadata:
        metadata.update(running.node.metadata)
    return metadata


def run_metadata(run: Run) -> dict[str, Any]:
    """Return the metadata of a run: the caller's, and what tells the run where the caller's do not tell it."""
    configurable: dict[str, Any] = dict(run.config).get(CONF, {})  # type: ignore[assignment]  # an object, to mypy
    told = {key: configurable[key] for key in _TOLD if configurable.get(key) is not None}
    if run.parent is None:
        told.update((key, configurable[key]) for key in _TOLD_AT_THE_TOP if configurable.get(key))
        given = run.config.get("metadata", {})
        return {**given, **told, **given} if given else told
    above = {} if run.wrapped else task_metadata(run.parent)
    given = {**above, **run.config.get("metadata", {})}
    metadata = {**given, **told, **given}
    metadata.setdefault("checkpoint_ns", run.parent.task.namespace)
    return metadata


def announced_metadata(run: Run, node: Node) -> dict[str, Any]:
    """Return what the stream of tasks tells of a task's metadata: the caller's tags and metadata, and the node's."""
    tags = run.config.get("tags")
    told = {**run_metadata(run), **(node.metadata or {})}
    shown = {key: value for key, value in told.items() if key not in _OF_THE_PLACE}
    return {**shown, "tags": tags} if tags else shown


def task_runtime(running: RunningTask) -> Runtime[Any]:
    """Return what a node is told of its run: context, store and stream writer, and what identifies its task."""
    from nbhitl.runtime import ExecutionInfo, Runtime, server_info

    run, task = running.run, running.task
    if running.started_at is None:
        running.started_at = time()
    return Runtime(
        context=run.context,
        store=run.store,
        stream_writer=running.write_custom,
        heartbeat=running.heartbeat,
        previous=running.previous,
        control=run.stop_signal(),
        execution_info=ExecutionInfo(
            checkpoint_id=task.checkpoint_id,
            checkpoint_ns=task.namespace,
            task_id=task.id,
            thread_id=run.thread_id,
            run_id=str(run.config["run_id"]) if run.config.get("run_id") else None,
            node_attempt=running.attempt,
            node_first_attempt_time=running.started_at,
        ),
        server_info=server_info(run.config.get(CONF, {})),
    )
