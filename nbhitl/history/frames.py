"""Rows as pandas DataFrames. What is shown by default is the same in every run: no ids, no times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from nbhitl.history.compare import as_mapping, compare_values
from nbhitl.history.rows import HasHistory, HistoryRow, read_history, written_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["decisions_frame", "diff_frame", "history_frame", "writes_frame"]

_LONGEST = 60
"""Characters of a question shown in one cell."""

_QUESTION_KEYS = ("question", "title", "prompt", "message", "description", "action", "tool", "name")

_DECISION_COLUMNS = ("question", "node", "kind", "value", "changes", "reason", "by")
_DECISION_IDS = ("thread_id", "checkpoint_id", "interrupt_id", "digest")


def history_frame(
    graph: HasHistory,
    config: Mapping[str, Any],
    *,
    answers: Mapping[str, str] | None = None,
    values: bool | Sequence[str] = False,
    ids: bool = False,
) -> pd.DataFrame:
    """Return a thread's checkpoints, oldest first, one row each; the index `checkpoint` is cp1, cp2, ...

    Columns: `step` (int64), `source` (input, loop, update, fork), `ran` (the nodes that led here), `changed`
    (state keys that differ from the parent's), `next` (the nodes that run next), `question`, `answer`,
    `error`, `parent` (a label) and `branch` (int64, from 1). The rest is text, "" where nothing is to say.

    Args:
        graph: a compiled graph with a checkpointer.
        config: names the thread; a `checkpoint_id` in it does not matter.
        answers: what was answered, `{interrupt id: text}`. Without it `answer` says how the question stands:
            open, answered, or passed over.
        values: True adds a column `state.<key>` for each state key, a list of names only those (dtype object;
            None where the key is not set).
        ids: True adds `checkpoint_id`, `parent_id`, `interrupt_id`, `thread_id` and `created_at`
            (datetime64, UTC), which differ from run to run.
    """
    rows = read_history(graph, config)
    table: dict[str, Any] = {
        "step": _numbers((row.snapshot.metadata or {}).get("step", 0) for row in rows),
        "source": _texts((row.snapshot.metadata or {}).get("source", "") for row in rows),
        "ran": _texts(", ".join(row.ran) for row in rows),
        "changed": _texts(", ".join(row.changed) for row in rows),
        "next": _texts(", ".join(row.snapshot.next) for row in rows),
        "question": _texts(" | ".join(_question(payload) for _, payload in row.questions) for row in rows),
        "answer": _texts(_answer(row, answers or {}) for row in rows),
        "error": _texts(" | ".join(row.errors) for row in rows),
        "parent": _texts(row.parent for row in rows),
        "branch": _numbers(row.branch for row in rows),
    }
    if values:
        table |= _state_columns(rows, None if values is True else list(values))
    if ids:
        table |= _id_columns(rows)
    index = pd.Index(_texts(row.label for row in rows), name="checkpoint")
    return pd.DataFrame({name: _on(index, column) for name, column in table.items()}, index=index)


def writes_frame(graph: HasHistory, config: Mapping[str, Any]) -> pd.DataFrame:
    """Return what each task wrote, in order: one row a write.

    Columns: `checkpoint` (the label at which the task ran), `step` (int64, the step that its writes made),
    `node`, `key` (the state key; `__root__` for a state that is no mapping) and `value` (dtype object).
    """
    found: list[tuple[str, int, str, str, Any]] = []
    for row in read_history(graph, config):
        step = (row.snapshot.metadata or {}).get("step", 0) + 1
        for task in row.snapshot.tasks:
            if task.result is None:
                continue
            for key, written in (written_keys(task.result) or {"__root__": [task.result]}).items():
                found.extend((row.label, step, task.name, key, value) for value in written)
    return pd.DataFrame(
        {
            "checkpoint": _texts(write[0] for write in found),
            "step": _numbers(write[1] for write in found),
            "node": _texts(write[2] for write in found),
            "key": _texts(write[3] for write in found),
            "value": _objects([write[4] for write in found]),
        }
    )


def diff_frame(a: Any, b: Any) -> pd.DataFrame:
    """Return what differs between two states, one row a difference; no rows if they are equal.

    `a` and `b` are snapshots or plain state values. Columns: `key` (with a path where only a part differs),
    `change` (added, appended, inserted, removed, replaced), `before` and `after` (dtype object, None where
    there is nothing). Of a list that grew, `after` holds the new items alone.
    """
    changes = compare_values(_values(a), _values(b))
    return pd.DataFrame(
        {
            "key": _texts(change.key for change in changes),
            "change": _texts(change.change for change in changes),
            "before": _objects([change.before for change in changes]),
            "after": _objects([change.after for change in changes]),
        }
    )


def decisions_frame(decisions: Iterable[Any], *, ids: bool = False) -> pd.DataFrame:
    """Return the decisions of a thread, in the order in which they were made, one row each.

    Columns: `question` (text), `node`, `kind` (approve, edit, reject, respond, option), `value` (what was
    delivered; dtype object), `changes` (what an edit changed; dtype object, None without), `reason` and `by`.

    Args:
        decisions: mappings or objects with these names; what they lack is shown as "".
        ids: True adds `thread_id`, `checkpoint_id`, `interrupt_id`, `digest`, `at` (datetime64, UTC) and
            `waited_s` (float64, seconds from the question to its answer).
    """
    records = list(decisions)
    table: dict[str, Any] = {}
    for name in _DECISION_COLUMNS:
        column = [_read(record, name) for record in records]
        table[name] = _objects(column) if name in ("value", "changes") else _texts(_plain(c) for c in column)
    if ids:
        for name in _DECISION_IDS:
            table[name] = _texts(_plain(_read(record, name)) for record in records)
        table["at"] = _times(_read(record, "at") for record in records)
        table["waited_s"] = pd.Series([_read(record, "waited_s") for record in records], dtype="float64")
    return pd.DataFrame(table)


def _question(payload: Any) -> str:
    text = payload
    if isinstance(payload, dict):
        text = next((payload[k] for k in _QUESTION_KEYS if isinstance(payload.get(k), str)), None)
    if not isinstance(text, str):
        text = json.dumps(payload, default=repr, ensure_ascii=False, sort_keys=True)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _answer(row: HistoryRow, answers: Mapping[str, str]) -> str:
    known = [answers[interrupt_id] for interrupt_id, _ in row.questions if interrupt_id in answers]
    return " | ".join(known) or row.standing


def _state_columns(rows: Sequence[HistoryRow], keys: list[str] | None) -> dict[str, Any]:
    states = [as_mapping(row.snapshot.values) for row in rows]
    known = list(dict.fromkeys(key for state in states for key in state))
    if missing := [key for key in keys or () if key not in known]:
        raise KeyError(
            f"No state key {missing[0]!r} in this thread. Its keys are: "
            f"{', '.join(map(str, known)) or 'none'}."
        )
    return {f"state.{key}": _objects([state.get(key) for state in states]) for key in keys or known}


def _id_columns(rows: Sequence[HistoryRow]) -> dict[str, Any]:
    parents = [row.snapshot.parent_config or {"configurable": {}} for row in rows]
    return {
        "checkpoint_id": _texts(row.checkpoint_id for row in rows),
        "parent_id": _texts(parent["configurable"].get("checkpoint_id", "") for parent in parents),
        "interrupt_id": _texts(" | ".join(i for i, _ in row.questions) for row in rows),
        "thread_id": _texts(str(row.snapshot.config["configurable"]["thread_id"]) for row in rows),
        "created_at": _times(row.snapshot.created_at for row in rows),
    }


def _values(state: Any) -> Any:
    return state.values if hasattr(state, "values") and hasattr(state, "parent_config") else state


def _read(record: Any, name: str) -> Any:
    return record.get(name) if isinstance(record, dict) else getattr(record, name, None)


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


def _texts(texts: Iterable[str]) -> pd.Series[str]:
    return pd.Series(list(texts), dtype=str)


def _numbers(numbers: Iterable[int]) -> pd.Series[int]:
    return pd.Series(list(numbers), dtype="int64")


def _objects(values: Sequence[Any]) -> pd.Series[Any]:
    # Filled one by one: pandas would take a list of equally long lists for a table.
    column = pd.Series([None] * len(values), dtype=object)
    for position, value in enumerate(values):
        column.iat[position] = value
    return column


def _times(times: Iterable[str | None]) -> pd.Series[Any]:
    return cast(
        "pd.Series[Any]", pd.to_datetime(pd.Series(list(times), dtype=object), utc=True, format="ISO8601")
    )


def _on(index: pd.Index[Any], column: pd.Series[Any]) -> pd.Series[Any]:
    return column.set_axis(index)
