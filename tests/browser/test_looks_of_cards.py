"""The cards' script in Chromium, without a kernel: how every state looks, to everybody, and hostile texts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from review.fake_session import fake_session
from widgets.hostile import HOSTILE, hostile_session

from nbhitl.review import decisions
from nbhitl.review.session import Progress
from nbhitl.widgets.record import cards_html

if TYPE_CHECKING:
    from .bare import Bare
    from .lab import Shots
from .records import ASK, SQL, ask, states


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
