"""JSON values as blocks: here it is decided what a card shows as text, code, a table or a fold.

A block is a dict with a "t":

    {"t": "text", "text"}                      words
    {"t": "code", "text", "lang"}              code font; lang is "sql" or ""
    {"t": "plain", "text"}                     a number, true, null
    {"t": "json", "text", "brief"}             a structure, folded under `brief` unless it is short
    {"t": "table", "title", "columns", "numbers", "rows", "few"}    rows of cells {"text", "n"?, "dim"?}

"cut" says what was left out of a long one. Pure; text is never made into HTML here.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Block = dict[str, Any]

MOST_CHARS = 100_000
"""Longer texts are cut: a page with millions of characters in it is of no use to a person."""

MOST_ROWS = 200
FEW_ROWS = 6
"""Tables show this many rows until they are opened."""

_SQL_NAMES = {"sql", "statement", "query"}
_CODE_NAMES = {"code", "script", "command", "cmd", "source", "program", "shell", "bash", "python"}
_SQL = re.compile(
    r"\s*(select|insert\s+into|update|delete\s+from|with|create|drop|alter)\s+\S", re.IGNORECASE
)


def code_language(name: str, value: Any) -> str | None:
    """Whether an argument is shown in code font: "sql", "" for other code, None for plain words.

    >>> code_language("statement", "DROP TABLE t"), code_language("to", "ada")
    ('sql', None)
    """
    if not isinstance(value, str):
        return None
    lowered = name.lower()
    if _SQL.match(value) and (lowered in _SQL_NAMES or lowered not in _CODE_NAMES):
        return "sql"
    return "" if lowered in _CODE_NAMES | {"sql"} else None


def value_block(value: Any, name: str = "") -> Block:
    """Return the block for any JSON value; `name` is the argument it belongs to."""
    if isinstance(value, str):
        language = code_language(name, value)
        kind = {"t": "text"} if language is None else {"t": "code", "lang": language}
        return {**kind, **_cut(value)}
    if value is None or isinstance(value, (bool, int, float)):
        return {"t": "plain", "text": json.dumps(value)}
    if (table := _as_table(value)) is not None:
        return table_block(*table)
    return _json_block(value)


def table_block(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> Block:
    """Return the block of a table. Cells are JSON values."""
    block: Block = {
        "t": "table",
        "title": _counted(title, len(rows)),
        "columns": [readable(str(name)) for name in columns],
        "numbers": [_is_numeric([row[i] for row in rows]) for i in range(len(columns))],
        "rows": [[_cell(value) for value in row] for row in rows[:MOST_ROWS]],
        "few": FEW_ROWS if len(rows) > FEW_ROWS + 1 else len(rows),
    }
    if len(rows) > MOST_ROWS:
        block["cut"] = f"{MOST_ROWS:,} of {len(rows):,} rows are here."
    return block


def readable(text: str) -> str:
    """Return text that can be sent as UTF-8: halves of surrogate pairs become the replacement character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _counted(title: str, count: int) -> str:
    rows = f"{count:,} row{'' if count == 1 else 's'}"
    return rows if not title else f"{readable(title)} · {rows}"


def _is_numeric(column: Sequence[Any]) -> bool:
    """Whether a column holds numbers and gaps only: its name then stands over their right ends."""
    known = [value for value in column if value is not None]
    return bool(known) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in known)


def _cell(value: Any) -> Block:
    if value is None:
        return {"text": "NULL", "dim": True}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {"text": json.dumps(value), "n": True}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return {"text": readable(text if len(text) <= 400 else text[:399] + "…")}


def _cut(text: str) -> Block:
    if len(text) <= MOST_CHARS:
        return {"text": readable(text)}
    note = f"The first {MOST_CHARS:,} of {len(text):,} characters."
    return {"text": readable(text[:MOST_CHARS]), "cut": note}


def _json_block(value: Any) -> Block:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > 80:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    count = len(value)
    things = ("key", "{…}") if isinstance(value, dict) else ("item", "[…]")
    return {
        "t": "json",
        "brief": f"{things[1]} {count:,} {things[0]}{'' if count == 1 else 's'}",
        **_cut(text),
    }


def _as_table(value: Any) -> tuple[list[str], list[list[Any]]] | None:
    if isinstance(value, dict) and value.keys() == {"columns", "rows"}:
        columns, rows = value["columns"], value["rows"]
        if isinstance(columns, list) and _fit(rows, len(columns)):
            return [str(name) for name in columns], rows
        return None
    return _records(value)


def _fit(rows: Any, width: int) -> bool:
    return isinstance(rows, list) and all(isinstance(row, list) and len(row) == width for row in rows)


def _records(value: Any) -> tuple[list[str], list[list[Any]]] | None:
    """Read a list of at least two flat dicts with the same keys as a table."""
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(row, dict) for row in value):
        return None
    columns = list(value[0])
    flat = all(row.keys() == value[0].keys() and _is_flat(row) for row in value)
    if not columns or not flat:
        return None
    return columns, [[row[name] for name in columns] for row in value]


def _is_flat(row: Mapping[str, Any]) -> bool:
    return not any(isinstance(cell, (dict, list)) for cell in row.values())
