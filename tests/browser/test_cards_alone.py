"""The cards' script in Chromium, without a kernel: what a person does, and what is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from review.fake_session import fake_session

from nbhitl.review import decisions

if TYPE_CHECKING:
    from .bare import Bare
    from .lab import Shots
from .records import ASK, SQL, ask, states

CALLS = {
    "tool_calls": [
        {"name": "run_sql", "args": {"statement": SQL}, "id": "1"},
        {"name": "send_email", "args": {"to": "ada@example.org", "body": "Dear Ada,\n" + "ok. " * 270}},
    ]
}  # fmt: skip


def decided(bare: Bare) -> list[dict[str, Any]]:
    return [message["decision"] for message in bare.sent()]


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


def test_a_button_that_would_send_nothing_written_says_so(bare: Bare) -> None:
    bare.show(ask(allow=["respond"], args={}))
    button = bare.page.locator("[data-k=send]")
    assert button.inner_text() == "Send an empty answer"
    bare.page.locator("textarea").fill("Ann")
    assert button.inner_text() == "Send answer"
    bare.page.locator("textarea").fill("")
    assert button.inner_text() == "Send an empty answer"
    bare.page.locator("textarea").fill("Ann")
    bare.ready()
    button.click()
    assert decided(bare) == [{"kind": "answer", "text": "Ann"}]


def test_a_failed_card_shows_what_was_answered(bare: Bare) -> None:
    session = fake_session({**ASK, "allow": ["respond", "reject"]}, ASK)
    told, rejected = session.cards
    session.take(told, decisions.respond("many"))
    session.failed(told, ValueError("no number"))
    session.take(rejected, decisions.reject("too many"))
    session.failed(rejected, ValueError("broken"))
    bare.show(states(session))
    first, second = bare.page.locator(".nbh-bar").all_inner_texts()
    assert first.split()[:4] == ["The", "answer", "was:", "many"]
    assert second.startswith("The answer was: rejected: too many")


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
