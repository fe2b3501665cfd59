"""Checkpoints that nbhitl's engine wrote, as LangGraph's would have written them: `from_langgraph`, the other way round.

LangGraph names tasks itself: it is asked for them, once a checkpoint is in its saver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint.task_ids import task_id
from nbhitl.constants import INTERRUPT, NS_END, NS_SEP, NULL_TASK_ID, RESUME, SCHEDULED, START, TASKS
from nbhitl.engine.tasks import interrupt_id, task_namespace
from nbhitl.types import Send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nbhitl.checkpoint.records import StoredCheckpoint

_FORMAT = 4


class Asked(NamedTuple):
    """Which question an id stands for: the `number`th of a task, by LangGraph's names."""

    ns: str
    checkpoint_id: str
    task_id: str
    task_ns: str
    number: int


class Names:
    """nbhitl's ids of tasks and questions in LangGraph's terms, as far as its tasks are noted."""

    def __init__(self, stored: Iterable[StoredCheckpoint]) -> None:
        given = [len(value) for kept in stored for _, channel, value in kept.writes if channel == RESUME]
        self._most = 1 + max(given, default=0)
        self._tasks: dict[str, str] = {NULL_TASK_ID: NULL_TASK_ID}
        self._asked: dict[str, Asked] = {}

    def note(self, stored: StoredCheckpoint, tasks: Iterable[Any]) -> None:
        """Note LangGraph's tasks of a checkpoint."""
        ns, step = self.namespace(stored.ns), int(stored.metadata.get("step", -1)) + 1
        for task in tasks:
            own = task_id(stored.checkpoint_id, stored.ns, step, task.name, tuple(task.path))
            self._tasks[own] = task.id
            own_ns, other_ns = (
                task_namespace(stored.ns, task.name, own),
                task_namespace(ns, task.name, task.id),
            )
            for index in range(self._most):
                asked = Asked(ns, stored.checkpoint_id, task.id, other_ns, index)
                self._asked[interrupt_id(own_ns, index)] = asked

    def namespace(self, ns: str) -> str:
        """Return LangGraph's name of a namespace."""
        levels = (level.partition(NS_END) for level in ns.split(NS_SEP))
        return NS_SEP.join(f"{name}{end}{self._tasks.get(own, own)}" for name, end, own in levels)

    def task(self, own: str) -> str:
        """Return LangGraph's id of a task."""
        return self._tasks.get(own, own)

    def asked(self, own: str) -> Asked | None:
        """Return which question an id of nbhitl's stands for; None if its task is not noted."""
        return self._asked.get(own)


def checkpoint_of(
    stored: StoredCheckpoint, version: Any, before: Any, send: Callable[[str, Any], Any]
) -> dict[str, Any]:
    """Return a checkpoint in LangGraph's form.

    Args:
        stored: the checkpoint.
        version: of all its channels.
        before: the version of its parent's.
        send: makes a Send of LangGraph's.
    """
    frame = stored.frame
    channels: dict[str, Any] = {**stored.values, **dict.fromkeys(frame.triggers), **frame.channels}
    if START in channels:
        channels[START] = frame.start
    if frame.sends:
        channels[TASKS] = [send(sent.node, sent.arg) for sent in frame.sends]
    seen = (
        {}
        if before is None
        else {name: {f"branch:to:{name}": before} for name in frame.writers if name != INTERRUPT}
    )
    return {
        "v": _FORMAT,
        "id": stored.checkpoint_id,
        "ts": stored.created_at,
        "channel_values": channels,
        "channel_versions": dict.fromkeys(channels, version),
        "versions_seen": {"__input__": {}, **seen},
        "updated_channels": None,
    }


def writes_of(
    stored: StoredCheckpoint,
    names: Names,
    interrupt: Callable[[Any, str, int, Any], Any],
    send: Callable[[str, Any], Any],
) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Yield the pending writes of a checkpoint in LangGraph's form, by task; answers are in `answers_of`."""
    by_task: dict[str, list[tuple[str, Any]]] = {}
    for own, channel, value in stored.writes:
        if channel in (RESUME, SCHEDULED):
            continue
        written = value
        if channel == INTERRUPT:
            known = [(asked, names.asked(asked.id)) for asked in value]
            written = [
                interrupt(asked.value, at.task_ns, at.number, asked.response_schema)
                for asked, at in known
                if at
            ]
        elif channel == TASKS and isinstance(value, Send):
            written = send(value.node, value.arg)
        by_task.setdefault(own, []).append((channel, written))
    yield from ((names.task(own), writes) for own, writes in by_task.items())


def answers_of(stored: StoredCheckpoint, names: Names) -> Mapping[tuple[str, str, str], list[Any]]:
    """Return the answers that a checkpoint holds: `{(ns, checkpoint id, task id): answers in the order of asking}`."""
    found: dict[tuple[str, str, str], list[tuple[int, Any]]] = {}
    for _, channel, entries in stored.writes:
        for id, _, answer in entries if channel == RESUME else ():
            at = names.asked(id)
            if at is not None:
                found.setdefault(at[:3], []).append((at.number, answer))
    return {
        place: [answer for _, answer in sorted(given, key=lambda g: g[0])] for place, given in found.items()
    }
