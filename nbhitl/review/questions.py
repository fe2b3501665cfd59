"""A question as it is shown to a person: plain data, made from a graph's state by `review.open_questions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nbhitl.review.decisions import DecisionKind
from nbhitl.review.forms import Field

__all__ = ["Action", "Option", "Parts", "Question", "ReadyValue", "Table"]


@dataclass(frozen=True, slots=True)
class Option:
    """One of several answers to choose from: what the button says, and what is sent."""

    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class ReadyValue:
    """A value to start from in the JSON editor; the person picks it and sees it before it is sent."""

    label: str
    value: Any


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that belong to a question. Cells are JSON values, one list a row, as long as `columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that would be done: a tool or function by name, and its arguments as JSON values.

    `fields` describes the arguments for a form, in order. `allowed` are the decisions that this action takes.
    `id` is the tool call's, or None.
    """

    name: str
    args: Mapping[str, Any]
    fields: tuple[Field, ...] = ()
    description: str = ""
    allowed: tuple[DecisionKind, ...] = ("approve", "edit", "reject")
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is drawn of a question; made by its dialect from the payload alone.

    Attributes:
        dialect: which known payload shape it is.
        text: the question itself. `details`: what else the payload says, `{name: JSON value}`.
        actions, tables, options: see their classes.
        form: the fields of the answer, if a response schema asks for more than one of a few values.
        allowed: the decisions that have a button. `free_text` and `ready` (values for a JSON editor) are
            offered where the shape of an answer is not known, or any is fine.
        reasons: ready-made reasons to reject. `routes`: where a rejected breakpoint may go on.
        problem: what was wrong with the answer before, if the node asks again.
    """

    dialect: str
    text: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[Action, ...] = ()
    tables: tuple[Table, ...] = ()
    options: tuple[Option, ...] = ()
    form: tuple[Field, ...] = ()
    allowed: tuple[DecisionKind, ...] = ()
    free_text: bool = False
    ready: tuple[ReadyValue, ...] = ()
    reasons: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Parts):
    """A pending interrupt, or a static breakpoint, as shown.

    Attributes:
        id: the interrupt's id; for a breakpoint made from thread, checkpoint and node.
        kind: "interrupt" or "breakpoint".
        thread_id, ns, checkpoint_id, task_id, node: where it was asked. `node` is a path, `parent/child`, for
            a question of a subgraph.
        payload: what the node asked, as JSON values; unredacted. `response_schema` is a JSON Schema or None.
        digest: SHA-256 (hex) of the versioned canonical form of kind, node, payload and schema.
        asked_at: UTC, ISO 8601; when the graph paused, or when its checkpoint was made if nobody saw that.
        doubt: why it can't be answered: it was, and what its node did with the answer is not known.
        starts: how often the asking node has started, as far as the checkpointer knows; LangGraph's know of 1.
        replies: the values for this node's buttons, as given to GraphThread; None if none were.
    """

    id: str
    kind: Literal["interrupt", "breakpoint"]
    thread_id: str
    node: str
    payload: Any
    digest: str
    ns: str = ""
    checkpoint_id: str = ""
    task_id: str = ""
    response_schema: Mapping[str, Any] | None = None
    asked_at: str | None = None
    replies: Mapping[str, Any] | None = None
    doubt: str | None = None
    starts: int = 1
