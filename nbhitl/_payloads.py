"""What the stream modes `tasks`, `checkpoints` and `debug` yield."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from nbhitl.config import RunnableConfig


class TaskPayload(TypedDict):
    """A task's start, in the stream modes `tasks` and `debug`."""

    id: str
    name: str
    input: Any
    triggers: Sequence[str]


class TaskResultPayload(TypedDict):
    """A task's end, in the stream modes `tasks` and `debug`."""

    id: str
    name: str
    error: str | None
    interrupts: list[dict[str, Any]]
    result: dict[str, Any]


class CheckpointTask(TypedDict, total=False):
    """A task of a checkpoint, in the stream modes `checkpoints` and `debug`."""

    id: str
    name: str
    error: str | None
    interrupts: Sequence[Any]
    state: Any
    result: Any


class CheckpointPayload(TypedDict):
    """A checkpoint, in the stream modes `checkpoints` and `debug`."""

    config: RunnableConfig | None
    metadata: dict[str, Any]
    values: Any
    next: list[str]
    parent_config: RunnableConfig | None
    tasks: list[CheckpointTask]


DebugPayload = CheckpointPayload | TaskPayload | TaskResultPayload
"""What `payload` of a chunk of mode `debug` is."""
