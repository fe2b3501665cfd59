"""Cards as HTML that needs no kernel and no script: what stays in a saved notebook.

All text is escaped here, in one place (`_e`); nothing from a question is ever markup. Styles are inline,
since sites that show notebooks take style sheets away; where they take these too, tables and words remain.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from html import escape
from typing import TYPE_CHECKING, Any

from nbhitl.widgets.card_state import card_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbhitl.review.card import Card

_INK = "var(--jp-ui-font-color1, inherit)"
_LINE = "rgba(128,128,128,.35)"
_FAINT = "rgba(128,128,128,.18)"
_SUNKEN = "rgba(128,128,128,.09)"
_EDGE = {"yes": "#388e3c", "no": "#d32f2f", "failed": "#d32f2f", "stale": "#f57c00"}
_MONO = "font-family:var(--jp-code-font-family, Menlo, Consolas, monospace);font-size:13px"
_WRAP = "white-space:pre-wrap;overflow-wrap:anywhere"
_DIM = "opacity:.82"
_PRE = (
    f"margin:0;padding:7px 10px;border-radius:6px;background:{_SUNKEN};color:inherit;{_MONO};"
    f"line-height:1.55;{_WRAP}"
)
_CARD = (
    "box-sizing:border-box;max-width:934px;margin:2px 3px 10px;border-radius:10px;overflow:hidden;"
    f"border:1px solid {_LINE};color:{_INK};font-size:14px;line-height:1.5;text-align:left"
)
_HEAD = f"padding:8px 14px 7px;border-bottom:1px solid {_LINE};background:{_SUNKEN};font-size:12.5px"
_ARGS = "width:100%;margin:0;border:0;border-collapse:collapse;table-layout:fixed;font-size:13.5px"
_ROW = f"background:none;border-bottom:1px solid {_FAINT}"
_NAME = f"width:134px;padding:5px 14px 5px 0;text-align:left;vertical-align:top;font-weight:400;{_DIM}"
_VALUE = "padding:5px 0;text-align:left;vertical-align:top;max-width:none"
_GRID = f"width:100%;margin:10px 0 12px;border:1px solid {_LINE};border-collapse:collapse;font-size:13px"
_CAPTION = f"caption-side:top;text-align:left;padding:4px 0;{_DIM}"
_CELL = f"padding:5px 10px;text-align:left;white-space:normal;border-top:1px solid {_FAINT}"
_RIGHT = ";text-align:right"
_DEL = "background:rgba(211,47,47,.18)"
_INS = "background:rgba(56,142,60,.2)"
_MARKS = {"yes": "✔", "no": "✖", "said": "✎"}
_PHASES = {"decided": "asked", "sending": "going on", "stale": "changed", "failed": "failed"}
_WORDS = re.compile(r"\s+|\w+|[^\s\w]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


def _e(text: Any) -> str:
    """Escape text; characters that cannot be seen are spelled out, as in the live card."""
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", escape(str(text), quote=True))


def cards_html(cards: Iterable[Card], *, who: bool) -> str:
    """Return the cards as they stand. `who` adds by whom and when each was decided.

    Without `who` the same cards give the same HTML: no times, no ids, no addresses.
    """
    return "\n".join(card_html(card_state(card), who=who) for card in cards)


def card_html(state: dict[str, Any], *, who: bool) -> str:
    """Return one card, from its `card_state`."""
    tone = state["record"]["tone"] if state["phase"] == "decided" else state["phase"]
    edge = _EDGE.get(tone, "var(--jp-brand-color1, #1976d2)")
    words = f"{_PHASES.get(state['phase'], 'asks')} · {_e(state['thread'])}"
    return (
        f'<div class="nbhitl-record" style="{_CARD};border-left:4px solid {edge}">'
        f'<div style="{_HEAD}"><strong style="{_MONO}">{_e(state["node"])}</strong>&nbsp; {words}</div>'
        f'<div style="padding:14px 16px 14px 14px">{"".join(_parts(state, who=who))}</div></div>'
    )


def _parts(state: dict[str, Any], *, who: bool) -> Iterable[str]:
    if state["problem"]:
        yield f'<p style="margin:0 0 8px">Asked again: {_e(state["problem"])}</p>'
    yield (
        '<div style="font-size:16px;font-weight:600;white-space:pre-wrap;margin-bottom:8px">'
        f"{_e(state['question'])}</div>"
    )
    many = len(state["items"]) > 1
    for number, item in enumerate(state["items"], 1):
        yield from _item(state, item, number if many else None)
    yield _rows(state["details"])
    yield from (_block(table) for table in state["tables"])
    yield from _stands(state, who=who)


def _item(state: dict[str, Any], item: dict[str, Any], number: int | None) -> Iterable[str]:
    if number or item["name"] != state["node"]:
        counted = f"{number}. " if number else ""
        yield f'<div style="{_MONO};font-weight:600">{counted}{_e(item["name"])}</div>'
    if item["description"]:
        yield f'<p style="margin:0;white-space:pre-wrap">{_e(item["description"])}</p>'
    yield _rows(item["rows"])


def _stands(state: dict[str, Any], *, who: bool) -> Iterable[str]:
    if state["record"] and state["phase"] in ("decided", "sending"):
        yield from _record(state["record"], who=who)
    elif state["phase"] == "open":
        yield f'<p style="margin:10px 0 0;{_DIM}">Open: run this cell again to answer.</p>'
    for kind in ("error", "stale"):
        if state[kind]:
            word = f"<strong>{_PHASES[state['phase']]}:</strong>"
            yield f'<p style="margin:10px 0 0">{word} {_e(state[kind]["text"])}</p>'


def _record(record: dict[str, Any], *, who: bool) -> Iterable[str]:
    mark = f'<span style="color:{_EDGE.get(record["tone"], "inherit")}">{_MARKS[record["tone"]]}</span>'
    by = _who(record) if who else ""
    yield f'<p style="margin:10px 0 0">{mark} <strong>{_e(record["text"])}</strong>{by}</p>'
    if record["reason"]:
        quoted = f"margin:6px 0 0;padding:2px 0 2px 12px;border-left:3px solid {_LINE};{_WRAP}"
        yield f'<blockquote style="{quoted}">{_e(record["reason"])}</blockquote>'
    if record["value"]:
        yield f'<div style="margin-top:6px">{_block(record["value"])}</div>'
    yield _changes(record["changes"]) if not record["items"] else ""
    for item in record["items"]:
        yield f'<p style="margin:4px 0 0"><code>{_e(item["name"])}</code> {_e(item["text"])}</p>'
        yield _changes(item["changes"])


def _who(record: dict[str, Any]) -> str:
    parts = []
    if record["by"]:
        parts.append(_e(record["by"]) + ("" if record["verified"] else " (unverified)"))
    if record["at"]:
        parts.append(_e(record["at"]))
    if record["waited"] is not None:
        minutes, seconds = divmod(int(record["waited"]), 60)
        parts.append(f"waited {minutes}:{seconds:02}")
    return "".join(f' <span style="{_DIM}">· {part}</span>' for part in parts)


def _changes(changes: Sequence[dict[str, Any]]) -> str:
    rows = [(change["name"], f'<div style="{_MONO};{_WRAP}">{_change(change)}</div>') for change in changes]
    return _pairs(rows)


def _change(change: dict[str, Any]) -> str:
    """The change word by word: what was there struck through, what is there instead underlined."""
    old, now = (_WORDS.findall(change[side] or "") for side in ("old", "now"))
    parts: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, now, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(_e("".join(old[a:b])))
            continue
        parts.append(f'<del style="{_DEL}">{_e("".join(old[a:b]))}</del>' if b > a else "")
        parts.append(f'<ins style="{_INS}">{_e("".join(now[c:d]))}</ins>' if d > c else "")
    return "".join(parts)


def _rows(rows: Sequence[dict[str, Any]]) -> str:
    return _pairs([(row["name"], _block(row["value"])) for row in rows])


def _pairs(rows: Sequence[tuple[str, str]]) -> str:
    """A two-column table of names (still to be escaped) and values (HTML)."""
    cells = "".join(
        f'<tr style="{_ROW}"><th style="{_NAME}">{_e(name)}</th><td style="{_VALUE}">{value}</td></tr>'
        for name, value in rows
    )
    return f'<table style="{_ARGS}"><tbody>{cells}</tbody></table>' if cells else ""


def _block(block: dict[str, Any]) -> str:
    note = f'<p style="margin:3px 0 0;{_DIM}">{_e(block["cut"])}</p>' if block.get("cut") else ""
    if block["t"] == "table":
        return _grid(block) + note
    text = _e(block["text"])
    if block["t"] == "code" or (block["t"] == "json" and "\n" in block["text"]):
        return f'<pre style="{_PRE}">{text}</pre>{note}'
    if block["t"] == "text":
        return f'<div style="{_WRAP}">{text}</div>{note}'
    return f'<span style="{_MONO}">{text}</span>{note}'


def _grid(block: dict[str, Any]) -> str:
    named = zip(block["columns"], block["numbers"], strict=True)
    head = "".join(
        f'<th style="{_CELL};font-weight:600{_RIGHT if numeric else ""}">{_e(name)}</th>'
        for name, numeric in named
    )
    body = "".join(
        f'<tr style="background:none">{"".join(map(_cell, row, block["numbers"]))}</tr>'
        for row in block["rows"]
    )
    return (
        f'<table style="{_GRID}"><caption style="{_CAPTION}">{_e(block["title"])}</caption>'
        f'<thead><tr style="background:{_SUNKEN}">{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _cell(cell: dict[str, Any], numeric: bool) -> str:
    look = _CELL + (_RIGHT if numeric or cell.get("n") else "") + (f";{_DIM}" if cell.get("dim") else "")
    return f'<td style="{look}">{_e(cell["text"])}</td>'
