"""Which value of a step cannot be stored, and where it is: found by trying them one by one, once storing has failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.errors import UnsupportedValue

if TYPE_CHECKING:
    from nbhitl.checkpoint._rows import Codec
    from nbhitl.checkpoint.records import StepRecord


def located(record: StepRecord, serde: Codec, error: UnsupportedValue) -> UnsupportedValue:
    """Return the error that says which value of the step it was; `error` is what the whole step led to."""
    thread = f"thread {record.thread_id!r}"
    parts: list[tuple[str, Any]] = [(f"state key {key!r}", item) for key, item in record.values.items()]
    parts += [(f"state key {key!r}", items) for key, items in record.appended.items()]
    parts += [("the input of the run", record.frame.start)]
    parts += [(f"Send to node {send.node!r}", send.arg) for send in record.frame.sends]
    parts += [(f"channel {key!r}", item) for key, item in record.frame.channels.items()]
    for task in record.results:
        parts += [(f"node {task.name!r}, write to {channel!r}", value) for channel, value in task.writes]
    parts += [(f"metadata entry {key!r}", item) for key, item in record.metadata.items()]
    parts += [(f"state key {key!r}", item) for key, item in record.full().items()]
    for where, value in parts:
        problem = _problem(value, serde)
        if problem is not None:
            return UnsupportedValue(
                f"{where}{_written_by(record, where)} ({thread}) cannot be saved: {problem}."
            )
    return UnsupportedValue(f"a step of {thread} cannot be saved: {error}.")


def _written_by(record: StepRecord, where: str) -> str:
    nodes = [
        task.name
        for task in record.results
        if any(where == f"state key {channel!r}" for channel, _ in task.writes)
    ]
    return f" written by node {', '.join(map(repr, nodes))}" if nodes else ""


def _problem(value: Any, serde: Codec) -> UnsupportedValue | None:
    try:
        serde.dumps(value)
    except UnsupportedValue as error:
        return error
    return None
