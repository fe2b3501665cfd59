"""Which chat messages a node returned, for the stream of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl._langchain import is_message
from nbhitl.engine.task_config import run_metadata
from nbhitl.engine.writes import command_updates
from nbhitl.types import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nbhitl.engine.running import RunningTask


def note_input(running: RunningTask, state: Any) -> None:
    """Remember the messages that a node is given: returning them again is no news."""
    for message in messages_in(state):
        running.run.stream.known_message(message)


def report_returned(running: RunningTask, returned: Any) -> None:
    """Report the messages that a node returned, each id once for a run."""
    metadata = None
    for message in messages_in(returned):
        if message.id is None:
            from uuid import uuid4

            message.id = str(uuid4())  # the state's message and the streamed one are to be the same
        if metadata is None:
            metadata = _metadata(running)
        running.run.stream.message(running.run.ns, message, metadata, once=True)


def _metadata(running: RunningTask) -> dict[str, Any]:
    """Return what is told with a message: of the outermost run, then of the task."""
    outermost = running.run
    while outermost.parent is not None:
        outermost = outermost.parent.run
    return {**run_metadata(outermost), "ls_integration": "langgraph", **running.metadata}


def messages_in(value: Any) -> Iterator[Any]:
    """Yield the messages of a state or an update: those that are a key's value, or items of a key's list."""
    if isinstance(value, (list, tuple)):
        for item in value:
            if is_message(item):
                yield item
            elif isinstance(item, (dict, Command)):
                yield from messages_in(item)
        return
    for held in _held(value):
        if is_message(held):
            yield held
        elif isinstance(held, (list, tuple)):
            yield from filter(is_message, held)


def _held(value: Any) -> Iterable[Any]:
    if is_message(value):
        return (value,)
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, Command):
        return (update for _, update in command_updates(value))
    return tuple(getattr(value, "__dict__", {}).values())
