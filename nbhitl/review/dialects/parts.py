"""What a dialect is, and how payloads name common things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nbhitl.review.questions import Parts, Table

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.questions import Question

_TEXT_KEYS = ("question", "message", "prompt", "instruction", "instructions", "text", "title", "description")


@dataclass(frozen=True, slots=True)
class Asked:
    """What there is to parse: the payload as JSON values, the answer's JSON Schema, the node's replies."""

    payload: Any
    schema: Mapping[str, Any] | None = None
    replies: Mapping[str, Any] | None = None


class Dialect(Protocol):
    """A known payload shape. Both functions are pure."""

    name: str

    def parse(self, asked: Asked) -> Parts | None:
        """Return what to draw, or None if the payload is not of this shape."""

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return the answer that the asking node expects for a decision that `prepare` has checked."""


def as_table(value: Any, title: str = "") -> Table | None:
    """Return the table that `{"columns": [...], "rows": [[...], ...]}` spells, or None if it is none."""
    if not isinstance(value, Mapping) or not isinstance(value.get("columns"), list):
        return None
    columns, rows = value["columns"], value.get("rows")
    if not isinstance(rows, list) or not all(isinstance(r, list) and len(r) == len(columns) for r in rows):
        return None
    name = value.get("title", title)
    return Table(tuple(map(str, columns)), tuple(map(tuple, rows)), str(name))


def split_text(
    payload: Mapping[str, Any], skip: tuple[str, ...] = ()
) -> tuple[str, dict[str, Any], tuple[Table, ...]]:
    """Return `(text, details, tables)`: the question under one of its usual names, and the other entries.

    >>> split_text({"question": "Send?", "to": "ada"})
    ('Send?', {'to': 'ada'}, ())
    """
    rest = {key: value for key, value in payload.items() if key not in skip}
    text = ""
    for key in _TEXT_KEYS:
        if isinstance(rest.get(key), str):
            text = rest.pop(key)
            break
    tables = []
    for key in list(rest):
        if table := as_table(rest[key], key):
            tables.append(table)
            del rest[key]
    if table := as_table(rest):
        tables.append(table)
        rest = {key: value for key, value in rest.items() if key not in ("columns", "rows", "title")}
    return text, rest, tuple(tables)
