"""A thread's checkpoints as plain rows: labels, branches, what ran, what changed. No pandas, no clock.

Labels count the checkpoints of a thread, oldest first: `cp1`, `cp2`, ... A run only adds at the end, so a
label goes on naming the same checkpoint; ids and times, which differ from run to run, stay out of sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nbhitl.history.compare import as_mapping, same_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["HasHistory", "HistoryRow", "find_checkpoint", "history_rows", "read_history", "written_keys"]


class HasHistory(Protocol):
    """A compiled graph, as far as history needs it: nbhitl's, or one compiled by LangGraph."""

    def get_state_history(self, config: Any, /) -> Iterator[Any]:
        """Return the thread's snapshots, newest first."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One checkpoint of a thread.

    `ran` are the tasks that led to it, `changed` the state keys that differ from the parent's, `questions`
    the interrupts asked at it as `(id, payload)`, `standing` how those stand: `open`, `answered`, `passed
    over` (the thread went on from here without an answer), or "" where nothing was asked. `branch` counts
    from 1; a checkpoint whose parent has an older child begins a new one.
    """

    label: str
    snapshot: Any
    parent: str
    branch: int
    ran: tuple[str, ...]
    changed: tuple[str, ...]
    questions: tuple[tuple[str, Any], ...]
    standing: str
    errors: tuple[str, ...]

    @property
    def checkpoint_id(self) -> str:
        """The id under which the checkpointer keeps it."""
        return str(self.snapshot.config["configurable"]["checkpoint_id"])


def read_history(graph: HasHistory, config: Mapping[str, Any]) -> list[HistoryRow]:
    """Return the rows of a whole thread, oldest first, whichever checkpoint `config` names."""
    configurable = {k: v for k, v in config["configurable"].items() if k != "checkpoint_id"}
    return history_rows(graph.get_state_history({**config, "configurable": configurable}))


def history_rows(snapshots: Iterable[Any]) -> list[HistoryRow]:
    """Return one row a snapshot, oldest first. `snapshots` come newest first, as graphs return them. Pure."""
    oldest_first = list(snapshots)[::-1]
    labels = {_id(snapshot.config): f"cp{n}" for n, snapshot in enumerate(oldest_first, start=1)}
    by_id = {_id(snapshot.config): snapshot for snapshot in oldest_first}
    children: dict[str | None, list[Any]] = {}
    for snapshot in oldest_first:
        children.setdefault(_id(snapshot.parent_config), []).append(snapshot)
    branches = _branches(oldest_first)
    rows: list[HistoryRow] = []
    for snapshot in oldest_first:
        own, parent_id = _id(snapshot.config), _id(snapshot.parent_config)
        parent = by_id.get(parent_id) if parent_id else None
        rows.append(
            HistoryRow(
                label=labels[own],
                snapshot=snapshot,
                parent=labels.get(parent_id, "") if parent_id else "",
                branch=branches[own],
                ran=_ran(snapshot, parent),
                changed=_changed(snapshot, parent),
                questions=tuple((i.id, i.value) for task in snapshot.tasks for i in task.interrupts),
                standing=_standing(snapshot, children.get(own, [])),
                errors=tuple(f"{task.name}: {task.error}" for task in snapshot.tasks if task.error),
            )
        )
    return rows


def find_checkpoint(rows: Sequence[HistoryRow], label: str) -> HistoryRow:
    """Return the row that `label` names: `cp3`, or a checkpoint id.

    Raises:
        KeyError: no checkpoint of the thread has this label or id.
    """
    for row in rows:
        if label in (row.label, row.checkpoint_id):
            return row
    if not rows:
        raise KeyError(f"No checkpoint {label!r}: the thread has none yet. Run it first.")
    raise KeyError(
        f"No checkpoint {label!r}. This thread has {rows[0].label} to {rows[-1].label}; history() lists them."
    )


def written_keys(result: Any) -> dict[str, list[Any]] | None:
    """Return what a task wrote as `{key: [values]}`, or None if its result does not say which keys.

    >>> written_keys({"n": 1, "log": {"$writes": ["a", "b"]}})
    {'n': [1], 'log': ['a', 'b']}
    """
    if not isinstance(result, dict):
        return None
    return {
        key: list(value["$writes"]) if isinstance(value, dict) and value.keys() == {"$writes"} else [value]
        for key, value in result.items()
    }


def _id(config: Any) -> str:
    return str(config["configurable"]["checkpoint_id"]) if config else ""


def _source(snapshot: Any) -> str:
    return str((snapshot.metadata or {}).get("source", ""))


def _branches(oldest_first: Sequence[Any]) -> dict[str, int]:
    branches: dict[str, int] = {}
    continued: set[str] = set()
    count = 0
    for snapshot in oldest_first:
        parent = _id(snapshot.parent_config)
        if parent in branches and parent not in continued:
            branches[_id(snapshot.config)] = branches[parent]
        else:
            count += 1
            branches[_id(snapshot.config)] = count
        continued.add(parent)
    return branches


def _ran(snapshot: Any, parent: Any) -> tuple[str, ...]:
    if parent is None or _source(snapshot) != "loop":
        return ()
    return tuple(task.name for task in parent.tasks)


def _changed(snapshot: Any, parent: Any) -> tuple[str, ...]:
    values = as_mapping(snapshot.values)
    if parent is None:
        return tuple(values)
    before = as_mapping(parent.values)
    candidates = _candidates(snapshot, parent)
    return tuple(
        key
        for key in [*values, *(key for key in before if key not in values)]
        if (key in values) != (key in before)
        or ((candidates is None or key in candidates) and not same_value(before[key], values[key]))
    )


def _candidates(snapshot: Any, parent: Any) -> set[str] | None:
    # Only what the tasks wrote can have changed; comparing the rest would cost the whole state for each row.
    if _source(snapshot) != "loop":
        return None
    keys: set[str] = set()
    for task in parent.tasks:
        written = written_keys(task.result)
        if written is None:
            return None
        keys.update(written)
    return keys


def _standing(snapshot: Any, children: Sequence[Any]) -> str:
    if not any(task.interrupts for task in snapshot.tasks):
        return ""
    if not children:
        return "open"
    return "answered" if any(_source(child) == "loop" for child in children) else "passed over"
