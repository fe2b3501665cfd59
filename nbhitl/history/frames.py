"""Rows as pandas DataFrames. What is shown by default is the same in every run: no ids, no times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from nbhitl.history.compare import as_mapping, compare_values
from nbhitl.history.rows import HasHistory, HistoryRow, read_history, read_rows, written_keys
from nbhitl.review.text import decision_line
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbhitl.review.decisions import Decision
    from nbhitl.review.diff import Change
    from nbhitl.review.questions import Question

__all__ = ["decisions_frame", "diff_frame", "history_frame", "writes_frame"]

_LONGEST = 60
"""Characters of a question shown in one cell."""

_QUESTION_KEYS = ("question", "title", "prompt", "message", "description", "action", "tool", "name")


def history_frame(
    graph: HasHistory,
    config: Mapping[str, Any],
    *,
    decisions: Iterable[tuple[Question, Decision]] = (),
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
        decisions: what was decided, as in `decisions_frame`. Where it says nothing, `answer` tells how the
            question stands: open, answered, or passed over. Of several questions, `question` and `answer` are
            in the same order, with " | " between them.
        values: True adds a column `state.<key>` for each state key, a list of names only those (dtype object;
            None where the key is not set).
        ids: True adds `checkpoint_id`, `parent_id`, `interrupt_id`, `thread_id` and `created_at`
            (datetime64, UTC), which differ from run to run.
    """
    rows = read_history(graph, config) if values else read_rows(graph, config)
    decided = _by_checkpoint(decisions, rows)
    of = _columns(rows)
    asked = [
        _asked(row, decided.get(row.checkpoint_id, ())) if questions or decided else ("", "")
        for row, questions in zip(rows, of["questions"], strict=True)
    ]
    table: dict[str, Any] = {
        "step": _numbers(of["step"]),
        "source": _texts(of["source"]),
        "ran": _texts(map(", ".join, of["ran"])),
        "changed": _texts(map(", ".join, of["changed"])),
        "next": _texts(map(", ".join, of["next"])),
        "question": _texts([question for question, _ in asked]),
        "answer": _texts([answer for _, answer in asked]),
        "error": _texts(map(" | ".join, of["errors"])),
        "parent": _texts(of["parent"]),
        "branch": _numbers(of["branch"]),
    }
    if values:
        table |= _state_columns(rows, None if values is True else list(values))
    if ids:
        table |= _id_columns(rows, str(config["configurable"]["thread_id"]))
    index = pd.Index(_texts(of["label"]), name="checkpoint")
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
    there is nothing). Of a list that grew, each new item is a row.
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


def decisions_frame(decisions: Iterable[tuple[Question, Decision]], *, ids: bool = False) -> pd.DataFrame:
    """Return decisions with the questions they answer, in the order given, one row each.

    Columns: `question` (its text), `node`, `kind` (approve, edit, reject, respond, option), `changes` (what
    an edit changed, as text), `reason` and `answer` (what was sent to the graph; dtype object).

    Args:
        decisions: pairs of a question and the decision about it.
        ids: True adds what differs from run to run: `by`, `at` (datetime64, UTC), `waited` (float64, seconds
            from the question to its answer), `thread_id`, `checkpoint_id`, `question_id` and `digest`.
    """
    pairs = list(decisions)
    table: dict[str, Any] = {
        "question": _texts(_short(_text_of(question)) for question, _ in pairs),
        "node": _texts(question.node for question, _ in pairs),
        "kind": _texts(decision.kind for _, decision in pairs),
        "changes": _texts("; ".join(map(_change_text, decision.diff)) for _, decision in pairs),
        "reason": _texts(decision.reason or "" for _, decision in pairs),
        "answer": _objects([None if d.answer is MISSING else d.answer for _, d in pairs]),
    }
    if ids:
        table |= {
            "by": _texts(decision.by or "" for _, decision in pairs),
            "at": _times(decision.at for _, decision in pairs),
            "waited": pd.Series([decision.waited for _, decision in pairs], dtype="float64"),
            "thread_id": _texts(question.thread_id for question, _ in pairs),
            "checkpoint_id": _texts(question.checkpoint_id for question, _ in pairs),
            "question_id": _texts(question.id for question, _ in pairs),
            "digest": _texts(decision.digest or question.digest for question, decision in pairs),
        }
    return pd.DataFrame(table)


def _columns(rows: Sequence[HistoryRow]) -> dict[str, Sequence[Any]]:
    """Return the fields of all rows by name."""
    columns = [*zip(*rows, strict=True)] or [()] * len(HistoryRow._fields)
    return dict(zip(HistoryRow._fields, columns, strict=True))


def _by_checkpoint(
    decisions: Iterable[tuple[Question, Decision]], rows: Sequence[HistoryRow]
) -> dict[str, list[tuple[Question, Decision]]]:
    """Return decisions by the checkpoint whose row tells of them: of a called graph's question, that of the caller."""
    found: dict[str, list[tuple[Question, Decision]]] = {}
    above: dict[str, str] = {}
    for question, decision in decisions:
        if question.ns and not above:
            above = {id: row.checkpoint_id for row in rows for id, _ in row.questions}
        place = above.get(question.id, question.checkpoint_id) if question.ns else question.checkpoint_id
        found.setdefault(place, []).append((question, decision))
    return found


def _asked(row: HistoryRow, decided: Sequence[tuple[Question, Decision]]) -> tuple[str, str]:
    """Return the cells `question` and `answer` of a row: as many answers as questions, in the order of asking."""
    known = {question.id: (_text_of(question), decision_line(decision)) for question, decision in decided}
    asked = {interrupt_id: (_question_text(payload), row.standing) for interrupt_id, payload in row.questions}
    # The checkpoint tells a task's last question alone, and of a breakpoint nothing; their decisions do.
    earlier = {own: found for own, found in known.items() if own not in asked}
    found = (earlier | asked | known).values()
    answers = [answer for _, answer in found] if known else [row.standing]
    return " | ".join([_short(text) for text, _ in found]), " | ".join(map(_short, answers))


def _change_text(change: Change) -> str:
    old = _short(_plain(change.old)) if change.kind != "added" else "(none)"
    new = _short(_plain(change.new)) if change.kind != "removed" else "(none)"
    return f"{change.name}: {old} → {new}"


def _text_of(question: Question) -> str:
    return question.text or _question_text(question.payload)


def _question_text(payload: Any) -> str:
    if isinstance(payload, dict):
        text = next((payload[k] for k in _QUESTION_KEYS if isinstance(payload.get(k), str)), None)
        return _plain(payload) if text is None else str(text)
    return _plain(payload)


def _plain(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, default=repr, ensure_ascii=False, sort_keys=True)
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _state_columns(rows: Sequence[HistoryRow], keys: list[str] | None) -> dict[str, Any]:
    states = [as_mapping(row.snapshot.values) for row in rows]
    known = list(dict.fromkeys(key for state in states for key in state))
    if missing := [key for key in keys or () if key not in known]:
        raise KeyError(
            f"No state key {missing[0]!r} in this thread. Its keys are: "
            f"{', '.join(map(str, known)) or 'none'}."
        )
    return {f"state.{key}": _objects([state.get(key) for state in states]) for key in keys or known}


def _id_columns(rows: Sequence[HistoryRow], thread_id: str) -> dict[str, Any]:
    return {
        "checkpoint_id": _texts(row.checkpoint_id for row in rows),
        "parent_id": _texts(row.parent_id for row in rows),
        "interrupt_id": _texts(" | ".join(i for i, _ in row.questions) for row in rows),
        "thread_id": _texts(thread_id for _ in rows),
        "created_at": _times(row.created_at for row in rows),
    }


def _values(state: Any) -> Any:
    return state.values if hasattr(state, "values") and hasattr(state, "parent_config") else state


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
