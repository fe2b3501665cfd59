"""Where programs import the types of mode `debug` from; `nbhitl.types` is their place."""

from nbhitl.types import CheckpointPayload, PregelTask, StateSnapshot, TaskPayload, TaskResultPayload

__all__ = ["CheckpointPayload", "PregelTask", "StateSnapshot", "TaskPayload", "TaskResultPayload"]
