"""Checkpoints that LangGraph's engine wrote, as nbhitl's engine would have written them. Pure.

The two number tasks, questions and the namespaces of called graphs in their own ways. Everything else, channel by
channel, is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint.digests import payload_digest
from nbhitl.checkpoint.records import Frame, QuestionRecord, StoredCheckpoint
from nbhitl.checkpoint.task_ids import task_id
from nbhitl.constants import (
    CONF,
    ERROR,
    INTERRUPT,
    NS_END,
    NS_SEP,
    NULL_TASK_ID,
    RESUME,
    START,
    TASKS,
)
from nbhitl.engine.questions import open_questions
from nbhitl.engine.tasks import interrupt_id, task_namespace
from nbhitl.errors import BundleError
from nbhitl.types import Interrupt, Send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nbhitl.checkpoint.base import CheckpointTuple, PendingWrite

Path = tuple[Any, ...]
_TRIGGER = "branch:to:"
_KEPT_WHOLE = frozenset({"LastValue", "BinaryOperatorAggregate", "AnyValue", "DeltaChannel"})
"""LangGraph's kinds of channels whose stored form is the value itself."""


class Adopted(NamedTuple):
    """A thread in nbhitl's terms: its checkpoints, in each namespace oldest first; what is open at the newest;
    the tasks that are known by name, `{task id: (node, path)}`; and which ids of tasks and questions were others.
    """

    checkpoints: list[StoredCheckpoint]
    questions: list[QuestionRecord]
    names: dict[str, tuple[str, Path]]
    renamed: Mapping[str, str]


def adopt(
    tuples: Iterable[CheckpointTuple],
    tasks: Mapping[str, tuple[str, Path]],
    channels: Callable[[str], Mapping[str, Any]],
) -> Adopted:
    """Return a thread of LangGraph's in nbhitl's terms.

    Args:
        tuples: all its checkpoints, of all namespaces, as its saver lists them.
        tasks: the tasks that are known by name, `{LangGraph's task id: (node, path)}`.
        channels: `{key: channel}` of the graph that has a namespace, empty if that is not known.

    Raises:
        BundleError: a question is open in a graph whose tasks are not known by name.
    """
    found = sorted(tuples, key=lambda t: (_ns(t).count(NS_SEP), _ns(t) != "", t.checkpoint["id"]))
    names = _Names(found, tasks)
    interrupts = _interrupts(found, names)
    answers = _answers(found, names)
    seen = {(_ns(t), t.checkpoint["id"]): t.checkpoint["versions_seen"] for t in found}
    checkpoints = [
        _checkpoint(t, names, interrupts, answers, seen, channels(_ns(t))) for t in found
    ]  # fmt: skip
    own = {names.ids[old]: known for old, known in tasks.items() if old in names.ids}
    return Adopted(checkpoints, open_records(checkpoints, own), own, {**names.ids, **interrupts})


class _Names:
    """LangGraph's ids and namespaces in nbhitl's terms; `ids` is `{LangGraph's task id: nbhitl's}`."""

    def __init__(self, found: Sequence[CheckpointTuple], tasks: Mapping[str, tuple[str, Path]]) -> None:
        self.tasks = tasks
        self.ids: dict[str, str] = {NULL_TASK_ID: NULL_TASK_ID}
        self.namespaces: dict[str, str] = {}
        for t in found:  # the namespaces of called graphs come after those that call them
            step = int(t.metadata.get("step", -1)) + 1
            for old in {write[0] for write in t.pending_writes or ()} - self.ids.keys():
                if old in tasks:
                    self.ids[old] = task_id(t.checkpoint["id"], self.namespace(_ns(t)), step, *tasks[old])

    def namespace(self, ns: str) -> str:
        """Return nbhitl's name of a namespace."""
        if ns not in self.namespaces:
            self.namespaces[ns] = NS_SEP.join(map(self._level, ns.split(NS_SEP)))
        return self.namespaces[ns]

    def _level(self, level: str) -> str:
        name, end, old = level.partition(NS_END)
        return f"{name}{end}{self.ids.get(old, old)}"

    def of_task(self, ns: str, old: str) -> str | None:
        """Return the namespace of what a task calls; None for a task that is not known by name."""
        if old not in self.tasks:
            return None
        return task_namespace(self.namespace(ns), self.tasks[old][0], self.ids[old])


def _ns(t: CheckpointTuple) -> str:
    return str(t.config[CONF].get("checkpoint_ns", ""))


def _interrupts(found: Sequence[CheckpointTuple], names: _Names) -> dict[str, str]:
    """Return `{LangGraph's interrupt id: nbhitl's}`: the k-th question of a task is named by the task and k."""
    ids: dict[str, str] = {}
    for t in reversed(found):  # called graphs first: their questions are those of the graphs above, too
        writes = t.pending_writes or ()
        for old, channel, value in writes:
            if channel != INTERRUPT:
                continue
            given = max((len(v) for task, c, v in writes if task == old and c == RESUME), default=0)
            own = names.of_task(_ns(t), old)
            for index, asked in enumerate(_listed(value)):
                if own is not None:
                    ids.setdefault(asked.id, interrupt_id(own, given + index))
    return ids


def _answers(found: Sequence[CheckpointTuple], names: _Names) -> dict[str, list[Any]]:
    """Return the answers given so far, `{task of the root graph: [[interrupt id, "", answer], ...]}`.

    What was asked is not kept by LangGraph, so there is no digest that a replay could be held against.
    """
    answers: dict[str, list[Any]] = {}
    for t in found:
        ns = _ns(t)
        for old, channel, value in t.pending_writes or ():
            own = names.of_task(ns, old) if channel == RESUME else None
            if own is None:
                continue
            root = ns.partition(NS_SEP)[0].partition(NS_END)[2] if ns else old
            entries = [[interrupt_id(own, index), "", answer] for index, answer in enumerate(value)]
            answers.setdefault(names.ids.get(root, root), []).extend(entries)
    return answers


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _checkpoint(
    t: CheckpointTuple,
    names: _Names,
    interrupts: Mapping[str, str],
    answers: Mapping[str, list[Any]],
    seen: Mapping[tuple[str, str], Any],
    channels: Mapping[str, Any],
) -> StoredCheckpoint:
    ns, checkpoint = _ns(t), t.checkpoint
    parent = t.parent_config[CONF]["checkpoint_id"] if t.parent_config else None
    values, frame = _split(checkpoint["channel_values"], channels)
    before = seen.get((ns, parent or ""), {})
    frame.writers = tuple(
        name
        for name, versions in checkpoint["versions_seen"].items()
        if versions != before.get(name) and (name == START or not name.startswith("__"))
    )
    above = t.metadata.get("parents") or {}
    metadata = {**t.metadata, "parents": {names.namespace(outer): id for outer, id in above.items()}}
    writes = [*_writes(t, names, interrupts)]
    if ns == "":
        here = {task for task, _, _ in writes}
        writes += [(task, RESUME, entries) for task, entries in answers.items() if task in here]
    return StoredCheckpoint(
        str(t.config[CONF]["thread_id"]), names.namespace(ns), checkpoint["id"], parent, checkpoint["ts"],
        metadata, frame, values, writes,
    )  # fmt: skip


def _split(found: Mapping[str, Any], channels: Mapping[str, Any]) -> tuple[dict[str, Any], Frame]:
    values: dict[str, Any] = {}
    frame = Frame(start=found.get(START), sends=tuple(_send(sent) for sent in found.get(TASKS) or ()))
    triggers = []
    for key, value in found.items():
        if key == TASKS:
            continue
        if key == START or (key.startswith(_TRIGGER) and value is None):
            triggers.append(key)
        elif key.startswith((_TRIGGER, "join:")) or _is_object(channels.get(key)):
            frame.channels[key] = value
        else:
            values[key] = value
    frame.triggers = tuple(triggers)
    return values, frame


def _is_object(channel: Any) -> bool:
    return channel is not None and type(channel).__name__ not in _KEPT_WHOLE


def _send(sent: Any) -> Any:
    return Send(sent.node, sent.arg) if hasattr(sent, "node") and hasattr(sent, "arg") else sent


def _writes(t: CheckpointTuple, names: _Names, interrupts: Mapping[str, str]) -> Iterable[PendingWrite]:
    for old, channel, value in t.pending_writes or ():
        if channel == RESUME:
            continue  # the answers are with the task of the root graph
        if channel == INTERRUPT:
            yield (
                names.ids.get(old, old),
                channel,
                [_interrupt(asked, interrupts) for asked in _listed(value)],
            )
        elif channel == ERROR:
            yield names.ids.get(old, old), channel, repr(value) if isinstance(value, BaseException) else value
        else:
            yield names.ids.get(old, old), channel, _send(value) if channel == TASKS else value


def _interrupt(asked: Any, interrupts: Mapping[str, str]) -> Interrupt:
    if asked.id not in interrupts:
        raise BundleError(
            f"the question {asked.id} was asked in a graph that a node calls by itself, and LangGraph does not say "
            "by which of its tasks. Answer it with LangGraph first, then export the thread."
        )
    schema = asked.response_schema
    return Interrupt(
        asked.value, interrupts[asked.id], response_schema=schema if isinstance(schema, dict) else None
    )


def open_records(
    checkpoints: Iterable[StoredCheckpoint], names: Mapping[str, tuple[str, Path]]
) -> list[QuestionRecord]:
    """Return what is open at the newest checkpoint of the root graph.

    Args:
        checkpoints: those of a thread.
        names: the newest one's tasks, `{task id: (node, path)}`.
    """
    roots = [checkpoint for checkpoint in checkpoints if checkpoint.ns == ""]
    if not roots:
        return []
    newest = max(roots, key=lambda checkpoint: checkpoint.checkpoint_id)
    return [
        QuestionRecord(
            asked.id, task, names.get(task, ("", ()))[0], "interrupt", asked.value, payload_digest(asked.value),
            newest.created_at,
        )
        for task, interrupts in open_questions(newest.writes).items()
        for asked in interrupts
    ]  # fmt: skip
