"""What a node's config offers to code that reads and writes the state by key, wherever below the node it runs.

LangGraph's nodes find two functions in their config, by these names; packages built on it, such as file systems kept
in the state, reach for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.constants import TASKS
from nbhitl.engine.read import Steps, with_writes
from nbhitl.types import Send

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbhitl.engine.running import RunningTask

READ = "__pregel_read"
SEND = "__pregel_send"


def read_channels(running: RunningTask, select: str | Sequence[str], fresh: bool = False) -> Any:
    """Return the value of one key, None where it has none, or a dict of the values that several keys have.

    It is the state that the step sees; with `fresh` the writes that the task has sent are applied to it.

    Raises:
        KeyError: the state has no such key.
    """
    program = running.run.program
    values = running.values
    if fresh and running.pushed:
        values = with_writes(program, values, running.pushed)
    if isinstance(select, str):
        if select not in values and not _is_known(running, select):
            raise KeyError(select)
        return values.get(select)
    found = {key: values[key] for key in select if key in values}
    for key in select:
        if key in found or _is_known(running, key):
            continue
        found[key] = _managed(running, key).get(Steps(running.task.step, running.run.stop))
    return found


def send_writes(running: RunningTask, writes: Iterable[tuple[str, Any]]) -> None:
    """Write `(key, value)` pairs when the node ends, before what it returns; a Send goes to the channel of Sends.

    What goes to no channel of the graph is left out, with a warning in the log.
    """
    for channel, value in list(writes):
        if _is_known(running, channel) and (channel != TASKS or isinstance(value, Send)):
            running.push_write(channel, value)
        else:
            import logging  # slow to load

            logging.getLogger(__name__).warning(
                "Node '%s' sent a %s to '%s', which takes none: ignoring it.",
                running.task.name,
                type(value).__name__,
                channel,
            )


def _is_known(running: RunningTask, channel: str) -> bool:
    program = running.run.program
    return (
        channel in program.keys
        or channel in program.starts
        or channel in program.gates
        or channel in (TASKS, program.start)
    )


def _managed(running: RunningTask, key: str) -> Any:
    for node in running.run.program.nodes.values():
        for name, managed in node.reader.managed:
            if name == key:
                return managed
    raise KeyError(key)
