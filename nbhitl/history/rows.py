"""A thread's checkpoints as plain rows: labels, branches, what ran, what changed. No pandas, no clock.

Labels count the checkpoints of a thread, oldest first: `cp1`, `cp2`, ... A run only adds at the end, so a
label goes on naming the same checkpoint; ids and times, which differ from run to run, stay out of sight.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from nbhitl._collector import collector_paused
from nbhitl._slotted import of_fields
from nbhitl.history.compare import as_mapping, same_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nbhitl.checkpoint.records import HistoryLine

__all__ = ["HasHistory", "HistoryRow", "find_checkpoint", "history_rows", "read_history", "written_keys"]


class HasHistory(Protocol):
    """A compiled graph, as far as history needs it: nbhitl's, or one compiled by LangGraph."""

    def get_state_history(self, config: Any, /) -> Iterator[Any]:
        """Return the thread's snapshots, newest first."""


class HistoryRow(NamedTuple):
    """One checkpoint of a thread.

    `ran` are the nodes that led to it, `changed` the state keys that differ from the parent's, `next` the
    nodes that run next, `questions` the interrupts asked at it as `(id, payload)`, `standing` how those stand:
    `open`, `answered`, `passed over` (the thread went on from here without an answer), or "" where nothing
    was asked. `branch` counts from 1; a checkpoint whose parent has an older child begins a new one.
    `snapshot` is what the graph's `get_state_history` says of it, None in rows that were made without.
    """

    label: str
    checkpoint_id: str
    parent_id: str
    created_at: str | None
    parent: str
    branch: int
    step: int
    source: str
    ran: tuple[str, ...]
    changed: tuple[str, ...]
    next: tuple[str, ...]
    questions: tuple[tuple[str, Any], ...]
    standing: str
    errors: tuple[str, ...]
    snapshot: Any = None


_history_row = of_fields(HistoryRow)


def read_history(graph: HasHistory, config: Mapping[str, Any]) -> list[HistoryRow]:
    """Return the rows of a whole thread, oldest first, whichever checkpoint `config` names."""
    return history_rows(graph.get_state_history(_of_thread(config)))


def read_rows(graph: HasHistory, config: Mapping[str, Any]) -> list[HistoryRow]:
    """As `read_history`, but quickly, and perhaps without snapshots: for tables that need none."""
    lines_of = getattr(graph, "history_lines", None)
    with collector_paused():
        lines = None if lines_of is None else lines_of(_of_thread(config), same_value)
        if lines is not None:
            return _rows(lines, [None] * len(lines))
    return read_history(graph, config)


def _of_thread(config: Mapping[str, Any]) -> dict[str, Any]:
    configurable = {k: v for k, v in config["configurable"].items() if k != "checkpoint_id"}
    return {**config, "configurable": configurable}


def history_rows(snapshots: Iterable[Any]) -> list[HistoryRow]:
    """Return one row a snapshot, oldest first. `snapshots` come newest first, as graphs return them. Pure."""
    oldest_first = list(snapshots)[::-1]
    by_id = {_id(snapshot.config): snapshot for snapshot in oldest_first}
    lines = [_line(snapshot, by_id.get(_id(snapshot.parent_config))) for snapshot in oldest_first]
    return _rows(lines, oldest_first)


def _line(snapshot: Any, parent: Any) -> HistoryLine:
    metadata = snapshot.metadata or {}
    return (
        _id(snapshot.config),
        _id(snapshot.parent_config),
        snapshot.created_at,
        metadata.get("step", 0),
        _source(snapshot),
        _changed(snapshot, parent),
        tuple(snapshot.next),
        tuple((i.id, i.value) for task in snapshot.tasks for i in task.interrupts),
        tuple((task.name, task.error) for task in snapshot.tasks if task.error),
    )


def _rows(lines: Sequence[HistoryLine], snapshots: Sequence[Any]) -> list[HistoryRow]:
    """Return the rows, made column by column: of thousands of rows, most columns have one value."""
    if not lines:
        return []
    ids, parents, created, steps, sources, changed, following, questions, errors = zip(*lines, strict=True)
    labels = {own: f"cp{n}" for n, own in enumerate(ids, start=1)}
    next_of = dict(zip(ids, following, strict=True))
    standings = _standings(parents, sources) if any(questions) else {}
    columns = (
        labels.values(), ids, parents, created, map(labels.get, parents, repeat("")), _branches(ids, parents),
        steps, sources,
        [next_of.get(parent, ()) if source == "loop" else () for parent, source in zip(parents, sources, strict=True)],
        changed, following, questions,
        [standings.get(own, "open") if asked else "" for own, asked in zip(ids, questions, strict=True)],
        [tuple([f"{name}: {error}" for name, error in failed]) if failed else () for failed in errors],
        snapshots,
    )  # fmt: skip
    return [*map(_history_row, zip(*columns, strict=True))]


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


def _branches(ids: Sequence[str], parents: Sequence[str]) -> list[int]:
    if parents == ("", *ids[:-1]):
        return [1] * len(ids)
    branches: dict[str, int] = {}
    continued: set[str] = set()
    count = 0
    for own, parent in zip(ids, parents, strict=True):
        if parent in branches and parent not in continued:
            branches[own] = branches[parent]
        else:
            count += 1
            branches[own] = count
        continued.add(parent)
    return [*branches.values()]


def _standings(parents: Sequence[str], sources: Sequence[str]) -> dict[str, str]:
    """How questions asked at a checkpoint stand that has children: `{checkpoint id: standing}`."""
    standings: dict[str, str] = {}
    for parent, source in zip(parents, sources, strict=True):
        if source == "loop":
            standings[parent] = "answered"
        else:
            standings.setdefault(parent, "passed over")
    return standings


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
    # With durability "exit" the checkpoints of the tasks themselves are not there.
    if _source(snapshot) != "loop" or not parent.tasks:
        return None
    keys: set[str] = set()
    for task in parent.tasks:
        written = written_keys(task.result)
        if written is None:
            return None
        keys.update(written)
    return keys
