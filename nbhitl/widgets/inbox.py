"""What a message of the cards' view means: which card, which decision. Knows no widget.

    {"type": "decide", "card": "q1", "digest": "...", "decision": {"kind": ...}}
    {"type": "check", "card": "q1", "drafts": {"0": {"statement": "..."}}}
    {"type": "retry" | "anew" | "show", "card": "q1"}      {"type": "stop"}

A decision is {"kind": "approve"}, {"kind": "edit", "fields": {...}}, {"kind": "reject", "reason", "route"},
{"kind": "respond", "text"}, {"kind": "form", "fields"}, {"kind": "option", "index"},
{"kind": "answer", "text" or "json"}, or {"kind": "batch", "actions": [...]} of the first four.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.errors import InvalidAnswer, StaleQuestion
from nbhitl.review import decisions
from nbhitl.review.forms import parse_json, read_fields
from nbhitl.widgets.card_state import typed_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbhitl.review.card import Card
    from nbhitl.review.decisions import Decision

Problems = dict[str, dict[str, str]]
"""What is wrong, by part ("0" for the first action, "form") and field; "" is the part as a whole."""


class NotReadableError(Exception):
    """A decision that can't be read; `problems` says what is wrong where."""

    def __init__(self, problems: Problems) -> None:
        super().__init__("; ".join(text for part in problems.values() for text in part.values()))
        self.problems = problems


def check_shown(card: Card, digest: Any) -> None:
    """Raise StaleQuestion if the view showed something else than what `card` asks."""
    if digest != card.question.digest:
        raise StaleQuestion(
            f"Question {card.label} (node {card.question.node!r}) is not the one that was shown; nothing was "
            "sent. Read it again and answer it anew."
        )


def read_decision(card: Card, message: Mapping[str, Any]) -> Decision:
    """Return the decision that a message spells.

    Raises:
        NotReadableError: something typed does not fit its field; nothing may be sent.
        InvalidAnswer: the decision has no such option, or the kind is unknown.
    """
    if message.get("kind") == "batch":
        return _read_batch(card, message.get("actions") or [])
    return _read_one(card, message, 0)


def check_drafts(card: Card, drafts: Mapping[str, Mapping[str, Any]]) -> Problems:
    """Return what is wrong with what has been typed so far."""
    found: Problems = {}
    for part, draft in drafts.items():
        if part == "form":
            found[part] = read_fields(card.question.form, typed_values(card.question.form, draft))[1]
        else:
            index = int(part)
            fields = card.question.actions[index].fields
            found[part] = card.preview_edit(typed_values(fields, draft), action=index).errors
    return found


def _read_one(card: Card, message: Mapping[str, Any], index: int) -> Decision:
    readers: dict[Any, Callable[[], Decision]] = {
        "approve": decisions.approve,
        "edit": lambda: _read_edit(card, message, index),
        "reject": lambda: decisions.reject(message.get("reason") or None, route=message.get("route") or None),
        "respond": lambda: decisions.respond(_text(message)),
        "form": lambda: _read_form(card, message),
        "option": lambda: _read_option(card, message.get("index")),
        "answer": lambda: _read_answer(card, message),
    }
    kind = message.get("kind")
    if kind not in readers:
        raise InvalidAnswer(
            f"{card.label}: a view sent a decision of the unknown kind {kind!r}; reload the page."
        )
    return readers[kind]()


def _text(message: Mapping[str, Any]) -> str:
    return str(message.get("text") or "")


def _read_edit(card: Card, message: Mapping[str, Any], index: int) -> Decision:
    fields = card.question.actions[index].fields
    preview = card.preview_edit(typed_values(fields, message.get("fields") or {}), action=index)
    if preview.errors:
        raise NotReadableError({str(index): preview.errors})
    return decisions.edit(preview.args)


def _read_form(card: Card, message: Mapping[str, Any]) -> Decision:
    form = card.question.form
    values, errors = read_fields(form, typed_values(form, message.get("fields") or {}))
    if errors:
        raise NotReadableError({"form": errors})
    return decisions.respond(values)


def _read_option(card: Card, index: Any) -> Decision:
    options = card.question.options
    if not isinstance(index, int) or not 0 <= index < len(options):
        raise InvalidAnswer(f"{card.label}: there is no option number {index!r} among its {len(options)}.")
    return decisions.option(options[index].value)


def _read_answer(card: Card, message: Mapping[str, Any]) -> Decision:
    if "json" not in message:
        return decisions.respond(_text(message))
    try:
        return decisions.answer(parse_json(str(message["json"])))
    except ValueError as error:
        raise InvalidAnswer(f"Not sent: {error}.") from None


def _read_batch(card: Card, actions: list[Any]) -> Decision:
    """Read all decisions of a batch; what is wrong with any of them is told about all at once."""
    if len(actions) != len(card.question.actions) or not all(isinstance(part, dict) for part in actions):
        raise InvalidAnswer(
            f"{card.label}: each of its {len(card.question.actions)} actions needs a decision."
        )
    parts: list[Decision] = []
    problems: Problems = {}
    for index, part in enumerate(actions):
        try:
            parts.append(_read_one(card, part, index))
        except NotReadableError as error:
            problems.update(error.problems)
    if problems:
        raise NotReadableError(problems)
    return decisions.batch(parts)
