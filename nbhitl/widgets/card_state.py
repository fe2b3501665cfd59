"""A card of a session as plain data for the view: JSON values only, each text to be shown as text. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbhitl.constants import END
from nbhitl.errors import InvalidAnswer
from nbhitl.review import decisions
from nbhitl.review.text import decision_line, shown
from nbhitl.types import MISSING
from nbhitl.widgets.blocks import code_language, readable, table_block, value_block

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbhitl.review.card import Card
    from nbhitl.review.decisions import Decision
    from nbhitl.review.diff import Change
    from nbhitl.review.forms import Field
    from nbhitl.review.questions import Action, Question
    from nbhitl.review.session import ReviewSession

State = dict[str, Any]

VERBS = ("approve", "edit", "respond", "reject")
"""The order of the buttons: what goes on first, what stops it last and apart."""

_PHASES = {"open": "open", "editing": "open", "rejecting": "open", "responding": "open"}


def card_state(
    card: Card,
    *,
    rev: int = 0,
    errors: Mapping[str, Mapping[str, str]] | None = None,
    fault: str | None = None,
    folded: bool = False,
    state_rows: Sequence[State] | None = None,
) -> State:
    """Return everything that the view draws of `card`.

    `rev` counts what the kernel has heard from the view. `errors` are `{part: {field: text}}` besides those
    of the card, `fault` what went wrong in a click. `folded` draws a decided card small. `state_rows` is
    the thread's state once somebody asked for it.
    """
    question = card.question
    return {
        "key": card.label,
        "rev": rev,
        "phase": _PHASES.get(card.state, card.state),
        "why": readable(_why(card)),
        "starts": card.runs,
        **_asked(question),
        "folds": _folds(card, state_rows),
        "leads": _leads(card),
        "errors": _errors(card, errors or {}, fault),
        "record": _record(card) if card.decision is not None else None,
        "error": {"text": readable(card.error or "")} if card.state == "failed" else None,
        "stale": _stale(card) if card.state == "stale" else None,
        "progress": _progress(card.session) if card.state == "sending" else None,
        "folded": folded,
    }


def _asked(question: Question) -> State:
    """Return what is drawn of the question itself, whatever has become of it."""
    return {
        "digest": question.digest,
        "node": readable(question.node),
        "thread": readable(question.thread_id),
        "asked_at": question.asked_at,
        "question": readable(question.text) or "An answer is needed.",
        "problem": readable(question.problem) if question.problem else None,
        "items": [_item(action) for action in question.actions],
        "details": rows_of(question.details),
        "tables": [table_block(table.columns, table.rows, table.title) for table in question.tables],
        "options": [{"label": readable(option.label)} for option in question.options],
        "verbs": _verbs(question),
        "home": _home(question),
        "form": [field_state(field) for field in question.form],
        "free_text": question.free_text,
        "ready": [{"label": readable(r.label), "text": readable(_json(r.value))} for r in question.ready],
        "reasons": [readable(reason) for reason in question.reasons],
        "routes": [
            {"name": readable(r), "label": "the end" if r == END else readable(r)} for r in question.routes
        ],
    }


def rows_of(values: Mapping[str, Any]) -> list[State]:
    """Return names and values as rows of a two-column table."""
    return [{"name": readable(name), "value": value_block(value, name)} for name, value in values.items()]


def field_state(field: Field) -> State:
    """Return what the view needs to draw a field; `raw` is what stands in it before anything is typed."""
    return {
        "name": readable(field.name),
        "title": readable(field.title or field.name),
        "kind": field.kind,
        "code": code_language(field.name, field.value) is not None,
        "raw": _raw(field),
        "description": readable(field.description),
        "required": field.required,
        "choices": [readable(shown(choice)) for choice in field.choices],
    }


def typed_values(fields: Sequence[Field], draft: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `read_fields` and `preview_edit` take: all fields, those of `draft` as they were typed.

    A field that had no value and still has none is left out.
    """
    values: dict[str, Any] = {}
    for field in fields:
        raw = draft.get(readable(field.name), MISSING)
        if raw is MISSING:
            value = _unchanged(field)
        elif field.value is MISSING and raw in ("", None):
            value = MISSING
        elif field.kind == "choice":
            value = field.choices[raw] if isinstance(raw, int) and 0 <= raw < len(field.choices) else MISSING
        else:
            value = raw
        if value is not MISSING:
            values[field.name] = value
    return values


def _unchanged(field: Field) -> Any:
    """A value that goes through the parser unharmed: a string in a JSON field would be parsed."""
    parsed = field.kind in ("integer", "number", "boolean", "json")
    return json.dumps(field.value) if parsed and isinstance(field.value, str) else field.value


def _raw(field: Field) -> str | bool | int | None:
    value = field.value
    if field.kind == "choice":
        return next((i for i, choice in enumerate(field.choices) if _same(choice, value)), None)
    if field.kind == "boolean" and (isinstance(value, bool) or value is MISSING):
        return value is True
    if value is MISSING:
        return None
    if field.kind in ("text", "longtext") and isinstance(value, str):
        return readable(value)
    return readable(_json(value))


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else json.dumps(value, ensure_ascii=False, indent=2)


def _item(action: Action) -> State:
    return {
        "name": readable(action.name),
        "description": readable(action.description),
        "rows": rows_of(action.args),
        "fields": [field_state(field) for field in action.fields],
        "allowed": [verb for verb in VERBS if verb in action.allowed],
    }


def _verbs(question: Question) -> list[str]:
    """The verbs that have a button. A response has none where its form or its text area is open anyway."""
    offered = set(question.allowed)
    if question.free_text or question.ready:
        offered.add("respond")
    if _home(question) is not None:
        offered.discard("respond")
    return [verb for verb in VERBS if verb in offered]


def _home(question: Question) -> str | None:
    """Which panel stands open before anything is pressed: where typing is the only way to answer."""
    if question.options or any(verb in question.allowed for verb in ("approve", "edit", "reject")):
        return None
    if question.form:
        return "form"
    return "answer" if question.free_text or question.ready else None


def _why(card: Card) -> str:
    if card.question.kind == "breakpoint":
        return f"The graph stops at the node {card.question.node!r} by a breakpoint."
    return f"The node {card.question.node!r} called interrupt() and waits for an answer."


def _leads(card: Card) -> dict[str, str]:
    """What the buttons that need no more words would send."""
    leads: dict[str, str] = {}
    if "approve" in card.question.allowed and len(card.question.actions) <= 1:
        leads["approve"] = _sends(card, decisions.approve())
    for i, option in enumerate(card.question.options):
        leads[f"option:{i}"] = _sends(card, decisions.option(option.value))
    return leads


def _sends(card: Card, decision: Decision) -> str:
    if card.question.kind == "breakpoint":
        return "(goes on as it stands)"
    try:
        text = json.dumps(card.sends(decision), ensure_ascii=False)
    except InvalidAnswer as error:
        return readable(str(error))
    return readable(text if len(text) <= 200 else text[:199] + "…")


def _folds(card: Card, state_rows: Sequence[State] | None) -> list[State]:
    folds: list[State] = []
    if card.waits:
        folds.append(
            {"name": "state", "label": "state", "rows": None if state_rows is None else list(state_rows)}
        )
    earlier = [other for other in card.session.cards if other is not card and other.decision is not None]
    before = earlier[: _position(card, earlier)]
    if before:
        rows = [
            {
                "name": f"{other.label} · {readable(other.question.node)}",
                "value": value_block(_line(other.decision)),
            }
            for other in before
        ]
        folds.append({"name": "earlier", "label": "earlier decisions", "rows": rows})
    leads = _leads(card)
    if leads and card.waits:
        names = {f"option:{i}": readable(option.label) for i, option in enumerate(card.question.options)}
        names["approve"] = "Approve"
        sent = [{"name": names[key], "value": {"t": "plain", "text": text}} for key, text in leads.items()]
        folds.append({"name": "sends", "label": "what the buttons send", "rows": sent})
    return folds


def _position(card: Card, earlier: Sequence[Card]) -> int:
    order = card.session.cards
    return sum(1 for other in earlier if order.index(other) < order.index(card))


def _line(decision: Decision | None) -> str:
    return "" if decision is None else decision_line(decision)


def _errors(card: Card, extra: Mapping[str, Mapping[str, str]], fault: str | None) -> State:
    part = "form" if card.question.form else "0"
    errors: State = {name: readable_errors(fields) for name, fields in extra.items()}
    if card.field_errors:
        errors[part] = {**errors.get(part, {}), **readable_errors(card.field_errors)}
    whole = fault or (card.error if card.waits else None)
    errors["whole"] = readable(whole) if whole else None
    return errors


def readable_errors(fields: Mapping[str, str]) -> dict[str, str]:
    """Return `{field: what is wrong}` so that it can be sent; names as `field_state` spells them."""
    return {readable(name): readable(text) for name, text in fields.items()}


def _record(card: Card) -> State:
    """The decision as it is kept: what, who, when, why, and what was changed."""
    decision = card.decision
    assert decision is not None
    tone = "no" if decision.rejected else "yes" if decision.approved else "said"
    words = decision_line(decision) if not decision.actions else _batch_words(decision)
    text, value = words, None
    if decision.kind == "reject":
        text = decision_line(decisions.reject(route=decision.route)) if not decision.actions else words
    elif decision.kind in ("respond", "option"):
        text = "chose" if decision.kind == "option" else "answered"
        value = value_block(_answered(card, decision))
    return {
        "tone": tone,
        "text": readable(text),
        "by": readable(decision.by) if decision.by else None,
        "verified": decision.verified,
        "at": _clock_time(decision.at),
        "waited": decision.waited,
        "reason": readable(decision.reason or "") if not decision.actions else "",
        "value": value,
        "changes": [_change(change) for change in decision.diff],
        "items": [_item_line(card, i, part) for i, part in enumerate(decision.actions)],
    }


def _answered(card: Card, decision: Decision) -> Any:
    if decision.kind == "option":
        for option in card.question.options:
            if _same(option.value, decision.value):
                return option.label
    return decision.value


def _batch_words(decision: Decision) -> str:
    done = sum(part.approved for part in decision.actions)
    count = len(decision.actions)
    if done == count:
        return f"approved all {count}"
    rejected = sum(part.rejected for part in decision.actions)
    said = count - done - rejected
    parts = [(done, "approved"), (rejected, "rejected"), (said, "answered")]
    return ", ".join(f"{number} {word}" for number, word in parts if number)


def _item_line(card: Card, index: int, decision: Decision) -> State:
    return {
        "name": readable(card.question.actions[index].name),
        "text": readable(decision_line(decision)),
        "changes": [_change(change) for change in decision.diff],
    }


def _stale(card: Card) -> State:
    """Why the question is not open any more; `show` where no newer one is in sight."""
    return {"text": readable(card.error or ""), "show": not card.session.open_cards}


def _change(change: Change) -> State:
    return {
        "name": readable(change.name),
        "old": None if change.kind == "added" else readable(shown(change.old)),
        "now": None if change.kind == "removed" else readable(shown(change.new)),
    }


def _clock_time(at: str | None) -> str | None:
    """A time as it is read: `2026-11-20 12:03:11 UTC`."""
    if at is None:
        return None
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _progress(session: ReviewSession) -> State:
    progress = session.progress
    return {
        "node": readable(progress.node) if progress else "",
        "step": progress.step if progress else None,
        "elapsed": progress.elapsed if progress else 0.0,
        "text": readable(progress.text[-2000:]) if progress else "",
    }


def run_state(session: ReviewSession) -> State:
    """Return how the thread's run stands, for the line above the cards."""
    sending = any(card.state == "sending" for card in session.cards)
    failed = any(card.state == "failed" for card in session.cards)
    running = session.state == "running" and not sending
    return {
        "state": session.state,
        "progress": _progress(session) if running else None,
        "error": readable(session.error) if session.error and not failed else None,
    }


def summary(cards: Sequence[Card]) -> str:
    """Return the line above several cards: "3 open questions"; empty when one or none is open."""
    count = sum(card.waits for card in cards)
    return f"{count} open questions" if count > 1 else ""
