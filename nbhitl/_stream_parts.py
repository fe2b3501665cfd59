"""The chunks of `stream(..., version="v2")`, for annotations."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypedDict, TypeVar

StateT = TypeVar("StateT")
OutputT = TypeVar("OutputT")


class ValuesStreamPart(TypedDict, Generic[OutputT]):
    """The state after a step, and the questions that are open."""

    type: Literal["values"]
    ns: tuple[str, ...]
    data: OutputT
    interrupts: tuple[Any, ...]


class UpdatesStreamPart(TypedDict):
    """What one node wrote: `{node: update}`."""

    type: Literal["updates"]
    ns: tuple[str, ...]
    data: dict[str, Any]


class MessagesStreamPart(TypedDict):
    """A message or a part of one, and what is known about where it comes from."""

    type: Literal["messages"]
    ns: tuple[str, ...]
    data: tuple[Any, dict[str, Any]]


class CustomStreamPart(TypedDict):
    """What a node gave to its stream writer."""

    type: Literal["custom"]
    ns: tuple[str, ...]
    data: Any


class CheckpointStreamPart(TypedDict, Generic[StateT]):
    """A checkpoint, as `get_state` shows it."""

    type: Literal["checkpoints"]
    ns: tuple[str, ...]
    data: dict[str, Any]


class TasksStreamPart(TypedDict):
    """A task that starts or ends."""

    type: Literal["tasks"]
    ns: tuple[str, ...]
    data: dict[str, Any]


class DebugStreamPart(TypedDict, Generic[StateT]):
    """A checkpoint or a task, with its step and the time."""

    type: Literal["debug"]
    ns: tuple[str, ...]
    data: dict[str, Any]


StreamPart = (
    CheckpointStreamPart[StateT]
    | ValuesStreamPart[OutputT]
    | UpdatesStreamPart
    | MessagesStreamPart
    | CustomStreamPart
    | TasksStreamPart
    | DebugStreamPart[StateT]
)
"""A chunk of any mode; its `type` tells which."""
