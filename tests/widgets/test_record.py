"""The static record: readable without a kernel, the same every time, and never markup of somebody else's."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from review.fake_session import fake_session

from nbhitl.review import decisions
from nbhitl.widgets.record import cards_html
from widgets.hostile import HOSTILE, hostile_session

SQL = "DELETE FROM penguins WHERE body_mass_g IS NULL"
ASK = {
    "kind": "nbhitl.ask",
    "version": 1,
    "question": "Run this statement?",
    "action": "run_sql",
    "args": {"statement": SQL, "limit": 100},
    "table": {"title": "rows", "columns": ["id", "mass"], "rows": [[3, None]]},
    "allow": ["approve", "edit", "reject"],
}


class Seen(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


OURS = {
    "div", "strong", "p", "span", "table", "tbody", "thead", "tr", "th", "td", "caption", "pre", "code",
    "blockquote", "del", "ins",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    seen = Seen(cards_html(hostile_session(text).cards, who=True))
    assert seen.tags <= OURS
    assert seen.attributes <= {"style", "class"}


def test_hostile_text_is_shown_whole() -> None:
    seen = Seen(cards_html(hostile_session("<b>x</b>").cards, who=True))
    assert seen.text.count("<b>x</b>") >= 10


def test_characters_that_cannot_be_seen_are_spelled_out() -> None:
    html = cards_html(fake_session("pay \u202eADA\u202c").cards, who=False)
    assert "\u202e" not in html
    assert "[U+202E]" in html


def test_without_who_there_are_no_times_and_no_names() -> None:
    session = fake_session(ASK)
    session.cards[0].edit(statement=SQL + " AND year = 2007")
    html = cards_html(session.cards, who=False)
    assert html == cards_html(session.cards, who=False)
    assert "approved with 1 change" in html
    for private in ("ada", "UTC", "2026", "waited", session.cards[0].question.id):
        assert private not in html


def test_with_who_it_says_who_when_and_how_long() -> None:
    session = fake_session(ASK)
    session.cards[0].reject("wrong table")
    html = cards_html(session.cards, who=True)
    for part in ("rejected", "wrong table", "ada (unverified)", "2026-11-20 12:00:42 UTC", "waited 0:42"):
        assert part in html


def test_an_edit_shows_what_it_changed() -> None:
    session = fake_session(ASK)
    session.cards[0].edit(limit=5)
    html = cards_html(session.cards, who=False)
    assert re.search("<del[^>]*>100</del><ins[^>]*>5</ins>", html)


def test_an_edit_of_a_long_text_shows_the_words_that_changed() -> None:
    session = fake_session(ASK)
    session.cards[0].edit(statement=SQL + " AND year = 2007")
    html = cards_html(session.cards, who=False)
    assert re.search("IS NULL<ins[^>]*> AND year = 2007</ins>", html)
    assert "<del" not in html


def test_an_open_card_says_how_to_answer_and_has_nothing_to_press() -> None:
    seen = Seen(cards_html(fake_session(ASK).cards, who=True))
    assert "run this cell again to answer" in seen.text
    assert not seen.tags & {"button", "input", "form", "a"}


def test_a_batch_has_a_line_for_each_action() -> None:
    calls = {"tool_calls": [{"name": name, "args": {"x": 1}, "id": name} for name in ("mail", "log")]}
    session = fake_session(calls, breakpoint=True)
    session.cards[0].decide(decisions.batch([decisions.approve(), decisions.edit(x=2)]))
    text = Seen(cards_html(session.cards, who=False)).text
    assert "approved all 2" in text
    assert "mail approved" in text
    assert "log approved with 1 change" in text


def test_a_failed_card_shows_the_error() -> None:
    session = fake_session(ASK, fail=lambda decision: ValueError("no such table: <penguins>"))
    session.cards[0].approve(wait=False)
    session.courier.join()
    assert "ValueError: no such table: <penguins>" in Seen(cards_html(session.cards, who=False)).text
