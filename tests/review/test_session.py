"""Cards and their states, without a graph."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest

from nbhitl.errors import AlreadyAnswered, InvalidAnswer, ReviewError
from nbhitl.review.decisions import approve, edit, option, reject
from nbhitl.review.text import card_text

from .fake_session import fake_session

TOOL = {"action": "send", "args": {"to": "ada", "body": "hi"}, "question": "Send?"}
BATCH = {"tool_calls": [{"name": "a", "args": {"x": 1}, "id": "1"}, {"name": "b", "args": {}, "id": "2"}]}


def test_an_answer_is_recorded_with_who_when_and_what():
    session = fake_session(TOOL)
    (card,) = session.open_cards
    card.edit(body="ho")
    assert session.courier.sent == [{"type": "edit", "args": {"to": "ada", "body": "ho"}}]
    decision = card.decision
    assert (decision.by, decision.verified, decision.waited) == ("ada", False, 42.0)
    assert decision.at == "2026-11-20T12:00:42.000+00:00"
    assert (decision.question_id, decision.digest) == (card.question.id, card.question.digest)
    assert session.state == "finished"
    assert session.decisions == [decision]


def test_view_states_last_until_the_answer():
    session = fake_session(TOOL)
    (card,) = session.cards
    for state in ("editing", "rejecting", "responding", "open"):
        card.show(state)
        assert card.state == state
        assert card.waits
    card.show("editing")
    card.approve()
    card.show("editing")
    assert card.state == "decided"


def test_the_same_answer_again_has_no_effect_and_another_is_refused():
    session = fake_session(TOOL)
    (card,) = session.cards
    card.approve()
    card.approve()
    assert len(session.courier.sent) == 1
    for other in (reject("no"), edit(body="x")):
        with pytest.raises(AlreadyAnswered, match="answered with 'approve' by ada"):
            card.decide(other)
    assert len(session.courier.sent) == 1


def test_two_rejections_with_different_reasons_are_two_answers():
    session = fake_session({"tool_calls": [BATCH["tool_calls"][0]]}, breakpoint=True)
    (card,) = session.cards
    card.reject("one")
    with pytest.raises(AlreadyAnswered):
        card.reject("two")


def test_of_many_threads_one_sends():
    session = fake_session(TOOL, seconds=0.05)
    (card,) = session.cards
    barrier = threading.Barrier(32)

    def press():
        barrier.wait()
        card.approve()

    threads = [threading.Thread(target=press) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(session.courier.sent) == 1
    assert card.state == "decided"


def test_a_click_comes_back_at_once_and_reports_progress():
    session = fake_session(TOOL, seconds=0.2)
    (card,) = session.cards
    seen = []
    session.on_change(lambda: seen.append((card.state, session.state, session.progress)))
    card.approve(wait=False)
    assert card.state == "sending"
    assert card.wait_settled(5)
    session.courier.join()
    assert {progress.node for _, _, progress in seen if progress} == {"", "delete_rows"}
    assert seen[-1][:2] == ("decided", "finished")


def test_a_bad_answer_is_shown_at_its_field():
    (card,) = fake_session(TOOL).cards
    card.edit({"to": "ada"}, wait=False)
    assert card.field_errors == {"body": "is missing"}
    assert card.state == "open"
    with pytest.raises(InvalidAnswer):
        card.edit({"to": 3, "body": "x"})
    assert card.field_errors == {"to": "must be of type string, as in the question, not integer"}
    card.approve()
    assert card.field_errors == {}


def test_a_failed_card_can_be_retried():
    session = fake_session(TOOL, fail=lambda decision: ValueError("boom"))
    (card,) = session.cards
    with pytest.raises(ValueError, match="boom"):
        card.approve()
    assert (card.state, card.error, session.state) == ("failed", "ValueError: boom", "failed")
    with pytest.raises(ReviewError, match="is failed: ValueError: boom"):
        card.reject("no")
    card.retry()
    assert card.state == "decided"


def test_listeners_come_and_go_and_a_broken_one_is_logged(caplog):
    session = fake_session(TOOL)
    (card,) = session.cards
    calls = []
    forget = session.on_change(lambda: calls.append(1))

    def broken():
        raise RuntimeError("view")

    session.on_change(broken)
    with caplog.at_level(logging.ERROR, "nbhitl"):
        card.show("editing")
    assert calls == [1]
    assert "failed to redraw" in caplog.text
    forget()
    with caplog.at_level(logging.ERROR, "nbhitl"):
        card.approve()
    assert calls == [1]
    assert card.state == "decided"


def test_a_question_that_is_gone_goes_stale():
    session = fake_session(TOOL, "free?")
    first, second = session.cards
    session.ended("paused", [second.question])
    assert first.state == "stale"
    assert second.state == "open"
    with pytest.raises(ReviewError, match="is stale"):
        first.approve()
    assert [card.label for card in session.open_cards] == ["q2"]


def test_a_question_that_changed_gets_a_new_card():
    session = fake_session(TOOL)
    (card,) = session.cards
    other = fake_session({**TOOL, "args": {"to": "ada", "body": "other"}}).cards[0].question
    assert other.id == card.question.id
    session.sync([other])
    assert [c.state for c in session.cards] == ["stale", "open"]
    assert session.cards[1].actions[0].args["body"] == "other"


def test_a_batch_is_drafted_and_submitted_together():
    session = fake_session(BATCH, breakpoint=True)
    (card,) = session.cards
    first, second = card.actions
    first.draft(approve())
    with pytest.raises(InvalidAnswer, match="no decision yet for b"):
        card.submit()
    first.draft(None)
    second.reject("no")
    assert card.state == "open"
    first.reject("no")
    assert card.state == "decided"
    assert [part.kind for part in card.decision.actions] == ["reject", "reject"]


def test_waiting_time_runs_until_the_answer():
    now = [datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)]
    (card,) = fake_session(TOOL, clock=lambda: now[0]).cards
    assert card.waited() == 10
    now[0] += timedelta(seconds=5)
    card.approve()
    now[0] += timedelta(hours=1)
    assert card.waited() == 15


def test_what_would_be_sent_can_be_looked_at():
    session = fake_session(TOOL)
    (card,) = session.cards
    assert card.sends(approve()) == {"type": "approve"}
    with pytest.raises(InvalidAnswer):
        card.sends(option("x"))
    assert card.state == "open"
    assert session.courier.sent == []


def test_the_text_of_a_card_has_no_times_and_no_ids():
    session = fake_session({**TOOL, "rows": {"columns": ["id"], "rows": [[n] for n in range(30)]}})
    (card,) = session.cards
    card.reject("too many")
    text = card_text(card)
    assert "12:00" not in text
    assert card.question.id not in text
    assert "... 11 more rows" in text
    assert text.endswith("-> rejected: too many")
    assert repr(card) == text


def test_who_waits_for_a_card_that_is_sent_again_waits_for_the_second_try():
    session = fake_session(TOOL, fail=lambda decision: ValueError("boom"))
    (card,) = session.cards
    with pytest.raises(ValueError, match="boom"):
        card.approve()
    assert card.wait_settled(0)
    session.resend(card)
    assert (card.state, card.error, card.wait_settled(0)) == ("sending", None, False)
    session.delivered(card)
    assert card.wait_settled(0)
