"""The terminal's reviewer: a card as text, and a prompt that never waits where nobody can type."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nbhitl.errors import ReviewError
from nbhitl.review import decisions
from nbhitl.review.forms import parse_json, read_field
from nbhitl.review.text import card_text, diff_lines, shown

if TYPE_CHECKING:
    from nbhitl.review.card import Card
    from nbhitl.review.decisions import Decision
    from nbhitl.review.forms import Field
    from nbhitl.thread import GraphThread

__all__ = ["NobodyThere", "print_cards", "review"]

Read = Callable[[str], str]
Write = Callable[[str], None]
Way = Callable[[Read, Write], "Decision | None"]


class NobodyThere(EOFError):
    """There is no input to read an answer from; the question stays open."""


def review(thread: GraphThread, *, read: Read | None = None, write: Write = print) -> bool:
    """Show each open question of `thread` and ask for the answer, until none is open.

    Args:
        thread: whose questions.
        read: called with a prompt, returns a line; `input` by default. Raises EOFError at the end of input.
        write: called with each text to show.

    Returns:
        True if every question was answered. False if the input ended: a message says so, and the question
        stays open.
    """
    ask = read or _read_line
    while thread.questions:
        card = thread.questions[0]
        write(card_text(card))
        try:
            _answer(card, ask, write)
        except EOFError:
            write(
                f"\nThere is no input to answer from: question {card.label} of thread "
                f"{thread.thread_id!r} stays open. Run this in a terminal, or give the answer by script "
                "(answers([...]), --answers)."
            )
            return False
    return True


def print_cards(thread: GraphThread, cards: Sequence[Card]) -> None:
    """Print cards as they stand, and how the thread does if it waits for nobody."""
    for card in cards:
        print(card_text(card))
    if not thread.session.open_cards:
        print(f"thread {thread.thread_id}: {thread.session.state}")


def _read_line(prompt: str) -> str:
    if sys.stdin is None or sys.stdin.closed:
        raise NobodyThere("there is no standard input")
    return input(prompt)


def _answer(card: Card, read: Read, write: Write) -> None:
    """Ask until an answer is taken. What a node raises comes out; the card says it too."""
    while True:
        decision = _decision(card, read, write)
        if decision is None:
            continue
        try:
            card.decide(decision)
        except ReviewError as error:
            write(f"! {error}")
            if card.waits:
                continue
        return


def _decision(card: Card, read: Read, write: Write) -> Decision | None:
    ways = _words(card)
    prompt = " / ".join(ways) + "? "
    typed = read(prompt).strip()
    way = _match(typed, ways)
    if way is None:
        write(f"! {typed!r} is not one of: {', '.join(ways)}.")
        return None
    return ways[way](read, write)


def _match(typed: str, ways: Mapping[str, Any]) -> str | None:
    """Return the way that begins with what was typed, if there is one and only one.

    >>> _match("app", {"approve": 1, "edit": 2}), _match("", {"approve": 1})
    ('approve', None)
    """
    if typed in ways:
        return typed
    found = [way for way in ways if typed and way.lower().startswith(typed.lower())]
    return found[0] if len(found) == 1 else None


def _words(card: Card) -> dict[str, Way]:
    """Return what may be typed, and what each word goes on to ask."""
    question = card.question
    ways: dict[str, Way] = {}
    for kind in question.allowed:
        if kind == "approve":
            ways["approve"] = lambda read, write: decisions.approve()
        elif kind == "edit":
            ways["edit"] = lambda read, write: _edit(card, read, write)
        elif kind == "reject":
            ways["reject"] = lambda read, write: _reject(card, read, write)
        elif kind == "respond":
            ways["respond"] = lambda read, write: _respond(card, read, write)
    for choice in question.options:
        ways[choice.label] = _option_way(choice.value)
    if question.ready:
        ways["value"] = _value
    return ways


def _option_way(value: Any) -> Way:
    return lambda read, write: decisions.option(value)


def _value(read: Read, write: Write) -> Decision | None:
    try:
        return decisions.answer(parse_json(read("  value (JSON): ")))
    except ValueError as error:
        write(f"! {error}")
        return None


def _typed_field(field: Field, read: Read, write: Write, now: Any) -> Any:
    """Return the value typed for a field; an empty line keeps what is there."""
    while True:
        typed = read(f"  {field.name} [{shown(now)}]: ")
        if not typed:
            return now
        try:
            return read_field(field, typed)
        except ValueError as error:
            write(f"! {field.name} {error}")


def _edit(card: Card, read: Read, write: Write) -> Decision | None:
    edited = []
    for index, action in enumerate(card.question.actions):
        args = {
            field.name: _typed_field(field, read, write, action.args.get(field.name))
            for field in action.fields
        }
        seen = card.preview_edit(args, index)
        for line in diff_lines(seen.diff):
            write(f"  {line}")
        edited.append(decisions.edit(seen.args) if seen.diff else decisions.approve())
    if not any(decision.kind == "edit" for decision in edited):
        write("  nothing was changed")
        return None
    if _match(read("approve with these changes, yes / no? ").strip(), {"yes": 1, "no": 2}) != "yes":
        return None
    return edited[0] if len(edited) == 1 else decisions.batch(edited)


def _reject(card: Card, read: Read, write: Write) -> Decision | None:
    reason = read("  reason: ").strip() or None
    routes = card.question.routes
    if len(routes) < 2:
        return decisions.reject(reason)
    route = _match(read(f"  go to {' / '.join(routes)}: ").strip(), dict.fromkeys(routes))
    if route is None:
        write(f"! Say where to go: {', '.join(routes)}.")
        return None
    return decisions.reject(reason, route=route)


def _respond(card: Card, read: Read, write: Write) -> Decision | None:
    if not card.question.form:
        return decisions.respond(read("  answer: "))
    values = {}
    for field in card.question.form:
        default = None if not isinstance(field.value, (str, int, float, bool, list, dict)) else field.value
        values[field.name] = _typed_field(field, read, write, default)
    return decisions.respond({name: value for name, value in values.items() if value is not None})
