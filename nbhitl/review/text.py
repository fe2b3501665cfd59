"""Cards as text: for a terminal, a saved notebook and a scripted run.

The same card gives the same text: no times and no ids are in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nbhitl.constants import END
from nbhitl.review.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbhitl.review.card import Card
    from nbhitl.review.decisions import Decision
    from nbhitl.review.diff import Change
    from nbhitl.review.questions import Action, Question, Table
    from nbhitl.review.session import ReviewSession

MAX_LINES = 20
"""Longer values and tables are cut here, and say so."""


_NOW = {
    "idle": "it has not run yet{}. Run it: thread.run(input).",
    "running": "it is running{}. Wait for it: thread.wait(), or await thread.decided().",
    "paused": "it is paused{}. Look at thread.questions.",
    "finished": "it is finished{}. Look at thread.result.",
    "stopped": "it was stopped before its end{}. Go on with thread.run().",
    "failed": "it failed before its end{}. Go on with thread.run(), or run another input.",
}


def what_now(session: ReviewSession) -> str:
    """Return how a thread stands that was asked for something it has not, and what can be done."""
    why = f" ({session.error})" if session.error else ""
    if session.state == "failed" and any(card.state == "failed" for card in session.cards):
        return f"it failed before its end{why}. Go on with thread.retry() or thread.ask_again()."
    return _NOW[session.state].format(why)


def shown(value: Any) -> str:
    """Return a value as text: strings as they are, the rest as JSON; an answer may be anything that a store takes."""
    plain = to_plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _cut(lines: Sequence[str], what: str) -> list[str]:
    if len(lines) <= MAX_LINES:
        return list(lines)
    return [*lines[:MAX_LINES], f"... {len(lines) - MAX_LINES} more {what}"]


def _pairs(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        first, *rest = _cut(shown(value).splitlines() or [""], "lines")
        yield f"{indent}{name:<{width}}  {first}".rstrip()
        yield from (f"{indent}{'':<{width}}  {line}".rstrip() for line in rest)


def _table(table: Table) -> Iterator[str]:
    count = len(table.rows)
    yield f"{table.title or 'rows'} ({count} row{'' if count == 1 else 's'}):"
    cells = [list(table.columns), *([shown(cell) for cell in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells]
    yield from (f"  {line}".rstrip() for line in _cut(lines, "rows"))


def _action(action: Action, number: int | None) -> Iterator[str]:
    yield f"{f'{number}. ' if number else ''}{action.name}"
    if action.description:
        yield f"   {action.description}"
    yield from _pairs(action.args, "   ")


def question_lines(question: Question) -> Iterator[str]:
    """Yield what is asked: the text, what would be done, tables and details."""
    if question.problem:
        yield f"The answer before did not fit: {question.problem}"
    yield from question.text.splitlines()
    many = len(question.actions) > 1
    for number, action in enumerate(question.actions, 1):
        yield from _action(action, number if many else None)
    yield from _pairs(question.details, "")
    for table in question.tables:
        yield from _table(table)


def _ways(question: Question) -> Iterator[str]:
    for kind in question.allowed:
        if kind == "option":
            yield "option: " + ", ".join(choice.label for choice in question.options)
        elif kind == "respond" and question.form:
            yield "respond: " + ", ".join(field.name for field in question.form)
        else:
            yield kind
    if question.ready:
        yield "answer(value)"


def diff_lines(diff: Sequence[Change]) -> Iterator[str]:
    """Yield what an edit changed: the old value after `-`, the new one after `+`."""
    for change in diff:
        yield f"{change.name}:"
        if change.lines:
            yield from (f"  {line}" for line in change.lines)
            continue
        if change.kind != "added":
            yield f"  - {shown(change.old)}"
        if change.kind != "removed":
            yield f"  + {shown(change.new)}"


def decision_line(decision: Decision) -> str:
    """Return a decision in a line, for a record.

    >>> from nbhitl.review.decisions import reject
    >>> decision_line(reject("too many rows"))
    'rejected: too many rows'
    """
    if decision.actions:
        return "; ".join(f"{n}. {decision_line(part)}" for n, part in enumerate(decision.actions, 1))
    match decision.kind:
        case "approve":
            return "approved"
        case "edit":
            count = len(decision.diff)
            return f"approved with {count} change{'' if count == 1 else 's'}"
        case "reject":
            route = {None: "", END: ", and ended"}.get(decision.route, f", and went on with {decision.route}")
            return "rejected" + (f": {decision.reason}" if decision.reason else "") + route
        case "option":
            return f"chose {shown(decision.value)}"
    return f"answered {shown(decision.value)}"


def card_text(card: Card) -> str:
    """Return a card as it stands, as text."""
    question = card.question
    lines = [f"[{card.label}] {question.node} asks (thread {question.thread_id})"]
    lines.extend(f"  {line}".rstrip() for line in question_lines(question))
    lines.extend(f"  {line}".rstrip() for line in _stands(card))
    return "\n".join(lines)


def _stands(card: Card) -> Iterator[str]:
    if card.decision is not None:
        yield f"-> {decision_line(card.decision)}"
        yield from (f"   {line}" for line in diff_lines(card.decision.diff))
    if card.waits:
        yield "answers: " + " | ".join(_ways(card.question))
    elif card.state == "sending":
        yield "resuming..."
    elif card.state != "decided":
        yield f"{card.state}:"
    if card.error:
        yield f"! {card.error}"
