"""The cards' script in Chromium, without a kernel: what is shown, what is sent, and what is not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from review.fake_session import fake_session
from widgets.hostile import HOSTILE, hostile_session

from nbhitl.review import decisions
from nbhitl.review.session import Progress
from nbhitl.widgets.card_state import card_state, summary
from nbhitl.widgets.panels import CARDS_SCRIPT, script, style
from nbhitl.widgets.record import cards_html

from .bare import Bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .lab import Shots

SQL = "DELETE FROM penguins WHERE body_mass_g IS NULL"
ASK: dict[str, Any] = {
    "kind": "nbhitl.ask",
    "version": 1,
    "question": "Run this statement?",
    "action": "run_sql",
    "args": {"statement": SQL, "database": "penguins.db", "limit": 100},
    "table": {
        "title": "rows that it would touch",
        "columns": ["id", "species", "island", "bill_length_mm", "body_mass_g", "sex"],
        "rows": [[3, "Adelie", "Torgersen", None, None, None], [271, "Gentoo", "Biscoe", None, None, None]],
    },
    "allow": ["approve", "edit", "respond", "reject"],
    "reasons": ["too many rows", "wrong table", "ask the owner first"],
}
CALLS = {
    "tool_calls": [
        {"name": "run_sql", "args": {"statement": SQL}, "id": "1"},
        {"name": "send_email", "args": {"to": "ada@example.org", "body": "Dear Ada,\n" + "ok. " * 270}},
    ]
}  # fmt: skip


@pytest.fixture(scope="module")
def tab(chromium: Any) -> Iterator[Any]:
    """One tab for all tests of this file: each draws into an empty page."""
    page = chromium.new_page()
    page.clock.install()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    page.close()


@pytest.fixture
def bare(tab: Any) -> Iterator[Bare]:
    tab.faults.clear()
    yield Bare(tab, script(CARDS_SCRIPT), style())
    assert tab.faults == []


def states(session: Any, **how: Any) -> dict[str, Any]:
    """What the panel of a session is told."""
    return {"cards": [card_state(card, **how) for card in session.cards], "summary": summary(session.cards)}


def ask(**changes: Any) -> dict[str, Any]:
    return states(fake_session({**ASK, **changes}))


def decided(bare: Bare) -> list[dict[str, Any]]:
    return [message["decision"] for message in bare.sent()]


# -- buttons and keys ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["click", "key"])
def test_approve(bare: Bare, how: str) -> None:
    bare.show(ask())
    if how == "click":
        bare.page.click("[data-k=approve]")
    else:
        bare.page.focus(".nbh-card")
        bare.page.keyboard.press("a")
    assert decided(bare) == [{"kind": "approve"}]
    assert bare.sent()[0]["digest"] == ask()["cards"][0]["digest"]
    assert bare.page.locator(".nbh-bar button").count() == 0, "while it is sent there is nothing to press"
    assert bare.page.get_by_text("resuming…").is_visible()


def test_a_double_click_and_held_keys_send_one_decision(bare: Bare) -> None:
    bare.show(ask())
    bare.page.dblclick("[data-k=approve]")
    for _ in range(3):
        bare.page.keyboard.press("a")
    assert len(decided(bare)) == 1


def test_a_double_click_on_reject_only_opens_the_reason(bare: Bare) -> None:
    bare.show(ask())
    bare.page.dblclick("[data-k=reject]")
    assert decided(bare) == []
    bare.page.locator("[data-k=why]").wait_for()


def test_a_card_that_moves_under_the_pointer_takes_no_click(bare: Bare) -> None:
    state = states(fake_session(ASK, {**ASK, "question": "Drop the table?"}))
    bare.show({"cards": state["cards"][:1], "summary": ""})
    bare.put("cards", state["cards"][1:])
    bare.page.evaluate("document.querySelector('[data-k=approve]').click()")
    assert decided(bare) == []
    bare.ready()
    bare.page.click("[data-k=approve]")
    assert [message["card"] for message in bare.sent()] == ["q2"]


def test_reject_with_a_ready_made_reason(bare: Bare) -> None:
    bare.show(ask())
    bare.page.focus(".nbh-card")
    bare.page.keyboard.press("x")
    bare.ready()
    bare.page.get_by_role("button", name="wrong table").click()
    bare.page.keyboard.type(", and too many")
    bare.page.click("[data-k=reject]")
    assert decided(bare) == [{"kind": "reject", "reason": "wrong table, and too many", "route": None}]


def test_edit_shows_the_change_before_it_is_approved(bare: Bare) -> None:
    bare.show(ask())
    bare.page.click("[data-k=edit]")
    bare.ready()
    assert bare.page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    bare.page.keyboard.press("End")
    bare.page.keyboard.type(" AND year = 2007")
    bare.page.locator(".nbh-form input").nth(1).fill("5")
    assert bare.page.locator(".nbh-preview ins").all_inner_texts() == [" AND year = 2007", "5"]
    assert bare.page.locator(".nbh-preview del").all_inner_texts() == ["100"]
    bare.page.get_by_role("button", name="Approve with 2 changes").click()
    assert decided(bare) == [
        {"kind": "edit", "fields": {"statement": SQL + " AND year = 2007", "limit": "5"}}
    ]


def test_an_edit_that_changes_nothing_is_an_approval(bare: Bare) -> None:
    bare.show(ask())
    bare.page.click("[data-k=edit]")
    bare.ready()
    bare.page.locator("textarea").first.fill("x")
    bare.page.locator("textarea").first.fill(SQL)
    bare.page.get_by_role("button", name="Approve unchanged").click()
    assert decided(bare) == [{"kind": "approve"}]


def test_errors_of_a_draft_appear_at_the_field(bare: Bare) -> None:
    bare.show(ask())
    bare.page.click("[data-k=edit]")
    bare.ready()
    limit = bare.page.locator(".nbh-form input").nth(1)
    limit.fill("ten")
    bare.page.wait_for_function("window.sent.some((m) => m.type === 'check')")
    assert bare.sent("check")[-1]["drafts"] == {"0": {"limit": "ten"}}
    told = {"type": "checked", "card": "q1", "errors": {"0": {"limit": "must be a whole number"}}}
    bare.page.evaluate("(m) => window.model.emit('msg:custom', m)", told)
    assert limit.get_attribute("aria-invalid") == "true"
    described = limit.get_attribute("aria-describedby").split()[0]
    assert bare.page.locator(f"[id='{described}']").inner_text() == "must be a whole number"


def test_what_was_typed_outlives_a_refusal_and_another_cards_news(bare: Bare) -> None:
    session = fake_session(ASK, "other?")
    bare.show(states(session))
    bare.page.click("[data-k=edit]")
    bare.ready()
    bare.page.locator("textarea").first.fill("DROP TABLE penguins")
    session.cards[1].respond("x")
    bare.put("cards", states(session)["cards"])
    assert bare.page.locator("[data-card=q1] textarea").first.input_value() == "DROP TABLE penguins"
    bare.ready()
    bare.page.click("[data-card=q1] [data-k=approve]")
    refused = states(session, rev=1, errors={"0": {"statement": "is not allowed"}})["cards"]
    bare.put("cards", refused)
    assert bare.page.locator("[data-card=q1] textarea").first.input_value() == "DROP TABLE penguins"
    assert bare.page.get_by_text("is not allowed").is_visible()


def test_escape_leaves_and_ctrl_enter_sends(bare: Bare) -> None:
    bare.show(ask())
    bare.page.focus(".nbh-card")
    bare.page.keyboard.press("r")
    bare.ready()
    bare.page.keyboard.type("no")
    bare.page.keyboard.press("Escape")
    bare.ready()
    assert bare.page.locator("textarea").count() == 0
    bare.page.keyboard.press("r")
    bare.ready()
    bare.page.keyboard.type(", a copy")
    bare.page.keyboard.press("Control+Enter")
    assert decided(bare) == [{"kind": "respond", "text": "no, a copy"}]


def test_letters_typed_into_a_field_are_no_commands(bare: Bare) -> None:
    bare.show(ask())
    bare.page.click("[data-k=respond]")
    bare.ready()
    bare.page.keyboard.type("aexr")
    assert decided(bare) == []
    assert bare.page.locator("textarea").input_value() == "aexr"


def test_options_free_text_and_ready_made_values(bare: Bare) -> None:
    bare.show(states(fake_session({"question": "Which?", "options": ["a", "b"]}, {"amount": 1})))
    assert bare.page.get_by_text("2 open questions").is_visible()
    assert bare.page.locator(".nbh-is-primary").count() == 1, "an option is never the default"
    bare.page.get_by_role("button", name="what was asked, to edit").click()
    bare.ready()
    assert bare.page.locator("textarea").input_value() == '{"amount": 1}'
    bare.page.locator("textarea").fill('{"amount": 2}')
    bare.page.click("[data-k=send]")
    bare.ready()
    bare.page.get_by_role("button", name="b", exact=True).click()
    assert decided(bare) == [{"kind": "answer", "json": '{"amount": 2}'}, {"kind": "option", "index": 1}]


def test_a_batch_is_sent_when_each_action_has_a_decision(bare: Bare, shots: Shots) -> None:
    bare.show(states(fake_session(CALLS, breakpoint=True)))
    submit = bare.page.locator("[data-k=submit]")
    assert submit.is_disabled()
    bare.page.click("[data-k='pick:0:edit']")
    bare.ready()
    bare.page.locator("textarea").first.fill(SQL + " LIMIT 1")
    bare.page.click("[data-k='pick:1:approve']")
    bare.ready()
    assert submit.inner_text() == "Submit 2 decisions"
    shots.take(bare.page, "batch-light-1200")
    submit.click()
    edit = {"kind": "edit", "fields": {"statement": SQL + " LIMIT 1"}}
    assert decided(bare) == [{"kind": "batch", "actions": [edit, {"kind": "approve"}]}]


# -- states ------------------------------------------------------------------------------------------


def every_state() -> dict[str, Any]:
    """One card in each state after open."""
    session = fake_session(*[{**ASK, "question": f"Run statement {n}?"} for n in range(1, 6)])
    rejected, edited, running, failed, stale = session.cards
    session.take(rejected, decisions.reject("wrong table"))
    session.delivered(rejected)
    session.take(edited, decisions.edit(statement=SQL + " AND year = 2007"))
    session.delivered(edited)
    session.take(running, decisions.approve())
    session.take(failed, decisions.approve())
    session.failed(failed, ValueError("no such table: penguins"))
    session.went_stale(stale, "This question has changed since it was shown.")
    session.state, session.progress = "running", Progress("delete_rows", 3, 4.2, "deleting\n2 of 2")
    told = states(session)
    told["cards"][0]["folded"] = True
    return told


def test_every_state_says_what_it_is_and_offers_what_it_can(bare: Bare) -> None:
    bare.show(every_state())
    said = {
        key: bare.page.locator(f"[data-card={key}]").inner_text() for key in ("q1", "q2", "q3", "q4", "q5")
    }
    assert "rejected · ada (unverified) · 2026-11-20 12:00:42 UTC · waited 0:42" in said["q1"]
    assert "approved with 1 change" in said["q2"]
    assert "running delete_rows · step 3 · 0:0" in said["q3"]
    assert "ValueError: no such table: penguins" in said["q4"]
    assert "This question has changed since it was shown." in said["q5"]
    buttons = bare.page.locator(".nbh-bar button").all_inner_texts()
    assert buttons == ["Stop", "Retry", "Answer anew", "Show the new one"]
    bare.page.click("[data-k=stop]")
    bare.page.click("[data-k=retry]")
    bare.ready()
    bare.page.click("[data-k=show]")
    assert [m["card"] for kind in ("retry", "show") for m in bare.sent(kind)] == ["q4", "q5"]
    assert len(bare.sent("stop")) == 1


def test_nothing_jumps_when_a_card_is_sent(bare: Bare) -> None:
    bare.show({**ask(), "summary": ""})
    before = bare.page.locator(".nbh-card").bounding_box()
    bare.page.click("[data-k=approve]")
    after = bare.page.locator(".nbh-card").bounding_box()
    assert abs(before["height"] - after["height"]) <= 1


def test_without_a_kernel_the_buttons_do_nothing_and_say_why(bare: Bare) -> None:
    bare.show({**ask(), "gone": True})
    bare.page.evaluate("window.model.emit('comm_live_update')")
    assert bare.page.get_by_text("The kernel that asked this is gone.").is_visible()
    bare.page.click("[data-k=approve]")
    assert decided(bare) == []


def test_the_state_is_fetched_when_its_fold_opens(bare: Bare) -> None:
    bare.show(ask())
    bare.page.get_by_text("state", exact=True).click()
    bare.page.wait_for_function("window.sent.some((m) => m.type === 'state')")
    row = {"name": "action", "value": {"t": "text", "text": "delete 42 rows"}}
    bare.put("cards", states(fake_session(ASK), rev=1, state_rows=[row])["cards"])
    assert bare.page.get_by_text("delete 42 rows").is_visible()


# -- safety -------------------------------------------------------------------------------------------


def test_hostile_texts_do_nothing_in_a_browser(bare: Bare) -> None:
    """Every text in every field, in live cards, in the editor and in the record, with all folds open."""
    cards, records = [], []
    for number, text in enumerate(HOSTILE):
        session = hostile_session(text)
        records.append(cards_html(session.cards, who=True))
        for state in states(session, errors={"0": {text: text}}, fault=text)["cards"]:
            cards += [{**state, "key": f"{number}-{state['key']}"}]
            if "edit" in state["verbs"] and state["phase"] == "open":
                cards += [{**state, "key": f"{number}-edit", "home": "edit"}]
    bare.show({"cards": cards, "summary": "".join(HOSTILE), "run": {"error": "".join(HOSTILE)}})
    bare.page.evaluate(OPEN_ALL, "".join(records))
    bare.page.wait_for_timeout(300)
    assert bare.page.locator(".nbh-form").count() == len(HOSTILE)
    assert bare.page.evaluate(FOREIGN) == []
    assert bare.page.evaluate("window.pwned") is None
    assert bare.page.url == "about:blank"


OPEN_ALL = """
(record) => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const box = document.createElement("div");
  box.id = "record";
  box.innerHTML = record;
  document.body.append(box);
}
"""

FOREIGN = """
() => [...document.querySelectorAll("#root *, #record *")]
  .filter((node) => /^(script|img|iframe|object|embed|video|audio|link|meta|base|form|template|a|marquee)$/i
    .test(node.localName) || [...node.attributes].some(({name}) => name.startsWith("on")))
  .map((node) => node.outerHTML)
"""


def test_what_cannot_be_seen_is_spelled_out(bare: Bare) -> None:
    bare.show(states(fake_session("Pay \u202eADA\u202c?")))
    assert bare.page.locator(".nbh-question").inner_text() == "Pay U+202EADAU+202C?"


# -- looks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_all_text_can_be_read(bare: Bare, dark: bool) -> None:
    """4.5:1 for every text in every state, against the colour behind it."""
    bare.show({**every_state(), "summary": "3 open questions"}, dark=dark)
    pages = [bare.page.evaluate(CONTRAST)]
    bare.show(states(fake_session(ASK, "free?"), errors={"0": {"limit": "wrong"}}), dark=dark)
    pages.append(bare.page.evaluate(CONTRAST))
    for verb in ("edit", "reject"):
        bare.page.click(f"[data-k={verb}]")
        bare.ready()
        pages.append(bare.page.evaluate(CONTRAST))
        bare.page.click("[data-k=cancel]")
        bare.ready()
    assert [low for page in pages for low in page] == []


CONTRAST = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const ground = (node) => {
    if (!node) return [255, 255, 255];
    const color = rgba(getComputedStyle(node).backgroundColor);
    return color[3] === 1 ? color.slice(0, 3) : over(color, ground(node.parentElement));
  };
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const lum = (c) => c.map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  for (const node of document.querySelectorAll(".nbh *")) {
    const words = [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
    if (!words || !node.checkVisibility({visibilityProperty: true})) continue;
    const behind = ground(node);
    const ink = over(rgba(getComputedStyle(node).color), behind);
    const [low, high] = [lum(behind), lum(ink)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${words.slice(0, 40)}`);
  }
  return found;
}
"""


FOCUSED = "document.activeElement.dataset.k ?? document.activeElement.className"


def test_it_can_be_used_by_keyboard_and_read_aloud(bare: Bare) -> None:
    bare.show(ask())
    order = []
    bare.page.focus(".nbh-card")
    for _ in range(7):
        bare.page.keyboard.press("Tab")
        order.append(
            bare.page.evaluate("document.activeElement.dataset.k ?? document.activeElement.className")
        )
    assert order == ["nbh-scroll", "fold:f-state", "fold:f-sends", "approve", "edit", "respond", "reject"]
    card = bare.page.get_by_role("group", name="Run this statement?")
    assert card.get_by_role("button").count() == 4
    assert bare.page.locator("[data-k=reject]").get_attribute("aria-keyshortcuts") == "x"
    outline = bare.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


LOOKS = [(width, dark) for dark in (False, True) for width in (1200, 600)]


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_it_fits(bare: Bare, dark: bool, width: int) -> None:
    bare.show(every_state(), dark=dark, width=width)
    wide = bare.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, "the page scrolls sideways"


@pytest.mark.skipif("NBHITL_SCREENSHOTS" not in os.environ, reason="no folder for screenshots")
@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_photographs(bare: Bare, shots: Shots, dark: bool, width: int) -> None:
    """Not a test: what the looks were judged by. Each panel, light and dark, wide and narrow."""
    name = f"{'dark' if dark else 'light'}-{width}"
    bare.show(ask(), dark=dark, width=width)
    shots.take(bare.page, f"open-{name}")
    for verb in ("edit", "reject"):
        bare.page.click(f"[data-k={verb}]")
        bare.ready()
        if verb == "edit":
            bare.page.locator("textarea").first.fill(SQL + " AND year = 2007")
        shots.take(bare.page, f"{verb}-{name}")
        bare.page.click("[data-k=cancel]")
        bare.ready()
    bare.show(every_state(), dark=dark, width=width)
    shots.take(bare.page.locator(".nbh-cards"), f"states-{name}")
    schema = {"type": "object", "properties": {"amount": {"type": "number"}, "urgent": {"type": "boolean"}}}
    others = [{"question": "Which?", "options": ["ship it", "hold"]}, "Your name?", {"amount": 12}]
    told = states(fake_session(*others))["cards"]
    (form,) = states(fake_session("Refund?", schema=schema), errors={"form": {"amount": "is missing"}})[
        "cards"
    ]
    told.append({**form, "key": "q4"})
    bare.show({"cards": told, "summary": "4 open questions"}, dark=dark, width=width)
    shots.take(bare.page.locator(".nbh-cards"), f"others-{name}")
