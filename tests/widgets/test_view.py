"""The view of a thread, clicked from Python: what the panels are told, and what a click does."""

from __future__ import annotations

import json
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from review.fake_session import fake_session

from nbhitl.widgets import view as view_module
from nbhitl.widgets.view import ThreadView, show_record, show_thread
from widgets.hostile import HOSTILE, hostile_session

if TYPE_CHECKING:
    from collections.abc import Callable

SQL = "DELETE FROM penguins WHERE body_mass_g IS NULL"
ASK = {
    "kind": "nbhitl.ask",
    "version": 1,
    "question": "Run this statement?",
    "action": "run_sql",
    "args": {"statement": SQL, "limit": 100},
    "allow": ["approve", "edit", "respond", "reject"],
    "reasons": ["too many rows"],
}


class Drawn:
    """A graph that is only drawn: two nodes, no history."""

    def get_graph(self, xray: Any = False) -> Any:
        nodes = {name: SimpleNamespace(name=name, data=None, metadata=None) for name in ("a", "delete_rows")}
        edge = SimpleNamespace(source="a", target="delete_rows", data=None, conditional=False)
        return SimpleNamespace(nodes=nodes, edges=[edge])

    def get_state_history(self, config: Any) -> Any:
        return iter(())


def thread_of(session: Any) -> Any:
    return SimpleNamespace(
        session=session, graph=Drawn(), config={}, snapshot=SimpleNamespace(values={"secret": "in the state"})
    )


@pytest.fixture(autouse=True)
def somebody_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBHITL_UNATTENDED", "0")


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, dict[str, Any]]]:
    """What is displayed, with how."""
    found: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr(view_module, "display", lambda what, **how: found.append((what, how)))
    return found


def view_of(*payloads: Any, **how: Any) -> ThreadView:
    return ThreadView(thread_of(fake_session(*payloads, **how)))


def card(view: ThreadView, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = view.cards_panel.cards[number]
    return found


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "waited for 5 s"
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("verb", "given", "sent"),
    [
        ("approve", {}, {"decision": "approve"}),
        ("edit", {"fields": {"limit": "5"}}, {"decision": "edit", "args": {"statement": SQL, "limit": 5}}),
        ("reject", {"reason": "too many rows"}, {"decision": "reject", "reason": "too many rows"}),
        ("respond", {"text": "use the copy"}, {"decision": "respond", "value": "use the copy"}),
    ],
)
def test_a_click_sends_the_decision(displayed: Any, verb: str, given: Any, sent: Any) -> None:
    view = view_of(ASK)
    view.click(verb, **given)
    view.session.courier.join()
    assert view.session.courier.sent == [sent]
    assert card(view)["phase"] == "decided"


def test_options_and_free_answers(displayed: Any) -> None:
    view = view_of({"question": "Which?", "options": ["a", "b"]}, "Name?", "Value?")
    view.click("option", card="q1", index=1)
    view.session.courier.join()
    view.click("answer", card="q2", text="Ada")
    view.session.courier.join()
    view.click("answer", card="q3", json='{"a": [1]}')
    view.session.courier.join()
    assert view.session.courier.sent == ["b", "Ada", {"a": [1]}]


@pytest.mark.parametrize(
    ("text", "problem"), [("{", "not JSON"), ("NaN", "NaN is not a JSON value"), ("", "not JSON")]
)
def test_an_answer_that_is_not_json_is_not_sent(displayed: Any, text: str, problem: str) -> None:
    view = view_of("Value?")
    view.click("answer", json=text)
    assert problem in card(view)["errors"]["whole"]
    assert card(view)["phase"] == "open"
    assert view.session.courier.sent == []


def test_a_wrong_field_is_named_and_nothing_is_sent(displayed: Any) -> None:
    view = view_of(ASK)
    view.click("edit", fields={"limit": "ten"})
    assert "limit" in card(view)["errors"]["0"]
    assert view.session.courier.sent == []
    view.click("edit", fields={"limit": "10"})
    view.session.courier.join()
    assert view.session.courier.sent[0]["args"]["limit"] == 10


def test_a_draft_is_checked_without_being_sent(displayed: Any) -> None:
    view = view_of(ASK)
    replies: list[Any] = []
    view.cards_panel.send = lambda content, buffers=None: replies.append(content)
    view.heard({"type": "check", "card": "q1", "drafts": {"0": {"limit": "ten"}}})
    view.heard({"type": "check", "card": "q1", "drafts": {"0": {"limit": "10"}}})
    assert [list(reply["errors"]["0"]) for reply in replies] == [["limit"], []]
    assert card(view)["phase"] == "open"


def test_a_form_is_checked_and_sent(displayed: Any) -> None:
    schema = {
        "type": "object",
        "properties": {
            "amount": {"type": "number"},
            "who": {"enum": ["ada", "bob"]},
            "note": {"type": "string"},
        },
        "required": ["amount", "who"],
    }
    view = view_of("Refund?", schema=schema)
    view.click("form", fields={"amount": "x", "who": 1})
    assert list(card(view)["errors"]["form"]) == ["amount"]
    view.click("form", fields={"amount": "2.5", "who": 1})
    view.session.courier.join()
    assert view.session.courier.sent == [{"amount": 2.5, "who": "bob"}]


def test_a_batch_is_sent_whole_or_not_at_all(displayed: Any) -> None:
    calls = {"tool_calls": [{"name": name, "args": {"x": 1}, "id": name} for name in ("mail", "log")]}
    view = view_of(calls, breakpoint=True)
    view.click("batch", actions=[{"kind": "approve"}, {"kind": "edit", "fields": {"x": "one"}}])
    assert list(card(view)["errors"]["1"]) == ["x"]
    view.click("batch", actions=[{"kind": "approve"}, None])
    assert "needs a decision" in card(view)["errors"]["whole"]
    assert view.session.decisions == []
    view.click("batch", actions=[{"kind": "approve"}, {"kind": "reject", "reason": "no"}])
    assert "reject all of them or none" in card(view)["errors"]["whole"]
    view.click("batch", actions=[{"kind": "approve"}, {"kind": "edit", "fields": {"x": "2"}}])
    view.session.courier.join()
    assert [part.kind for part in view.session.decisions[0].actions] == ["approve", "edit"]


def test_two_clicks_have_one_effect(displayed: Any) -> None:
    view = view_of(ASK, seconds=0.05)
    view.click("approve")
    view.click("approve")
    view.click("reject")
    view.session.courier.join()
    assert view.session.courier.sent == [{"decision": "approve"}]
    assert view.session.decisions[0].approved


def test_a_click_on_what_is_not_shown_any_more_is_refused(displayed: Any) -> None:
    view = view_of(ASK)
    message = {"type": "decide", "card": "q1", "digest": "of something else", "decision": {"kind": "approve"}}
    view.heard(message)
    assert "is not the one that was shown" in card(view)["errors"]["whole"]
    assert view.session.courier.sent == []


def until(done: threading.Event) -> Callable[[Any], Exception | None]:
    """Delivers a decision when `done` is set, not sooner."""
    return lambda decision: None if done.wait(5) else TimeoutError("nobody let it go on")


def test_a_click_does_not_wait_for_the_graph(displayed: Any) -> None:
    done = threading.Event()
    view = view_of(ASK, fail=until(done))
    view.click("approve")
    assert card(view)["phase"] == "sending"
    wait_for(lambda: (card(view)["progress"] or {}).get("node") == "delete_rows")
    done.set()
    view.session.courier.join()
    assert card(view)["phase"] == "decided"


def test_a_failure_is_on_the_card_and_can_be_retried(displayed: Any) -> None:
    view = view_of(ASK, fail=lambda decision: ValueError("no such table"))
    view.click("approve")
    view.session.courier.join()
    assert card(view)["phase"] == "failed"
    assert card(view)["error"] == {"text": "ValueError: no such table"}
    assert view.live
    view.click("retry")
    view.session.courier.join()
    assert card(view)["phase"] == "decided"


def test_any_exception_of_a_click_is_shown_on_the_card(displayed: Any, monkeypatch: Any) -> None:
    view = view_of(ASK)

    def broken(card: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(view.session.courier, "deliver_later", broken)
    view.click("approve")
    assert card(view)["errors"]["whole"] == "OSError: the disk is full"


def test_stop_is_handed_to_the_run(displayed: Any) -> None:
    view = view_of(ASK)
    view.click("stop")
    assert view.session.courier.stopped.is_set()


def test_the_state_is_only_sent_when_somebody_opens_it(displayed: Any) -> None:
    view = view_of(ASK)
    assert "in the state" not in json.dumps(view.cards_panel.cards)
    view.click("state")
    assert "in the state" in json.dumps(view.cards_panel.cards)
    assert "in the state" not in json.dumps(view.cards_record())


def test_it_becomes_a_record_when_nothing_is_open(displayed: Any) -> None:
    view = view_of(ASK)
    view.show()
    assert [how.get("update", False) for _, how in displayed] == [False, False]
    view.click("approve")
    view.session.courier.join()
    assert not view.live
    assert view.cards_panel.comm is not None, "a page that was reloaded goes on showing it"
    (graph, how_graph), (cards, how_cards) = displayed[2:]
    assert how_graph["update"]
    assert how_cards["update"]
    assert how_cards["display_id"] == displayed[1][1]["display_id"]
    assert set(cards) == {"text/plain", "text/html"}
    assert "-> approved" in cards["text/plain"]
    assert "text/plain" in graph


def test_while_a_question_is_open_the_record_stands_beside_the_widget(displayed: Any) -> None:
    view = view_of(ASK)
    bundle, _ = view.cards_panel._repr_mimebundle_()
    assert "Run this statement?" in bundle["text/plain"]
    assert "Run this statement?" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_several_questions_have_a_line_above_them(displayed: Any) -> None:
    view = view_of("a?", "b?", "c?")
    assert view.cards_panel.summary == "3 open questions"
    with pytest.raises(ValueError, match="say which card; this view shows: q1, q2, q3"):
        view.click("answer", text="x")
    view.click("answer", card="q1", text="x")
    view.session.courier.join()
    assert view.cards_panel.summary == "2 open questions"
    assert card(view)["folded"] is True


def test_a_second_view_shows_only_what_is_still_open(displayed: Any) -> None:
    first = view_of("a?", "b?")
    first.click("answer", card="q1", text="x")
    first.session.courier.join()
    second = ThreadView(first.thread)
    assert [state["key"] for state in second.cards_panel.cards] == ["q2"]
    second.click("answer", text="y")
    second.session.courier.join()
    assert [state["phase"] for state in first.cards_panel.cards] == ["decided", "decided"]


def test_a_record_is_the_same_every_time_and_says_nothing_private(displayed: Any) -> None:
    for _ in range(2):
        session = fake_session(ASK)
        session.cards[0].reject("too many rows")
        show_record(thread_of(session), session.cards)
    first, second = displayed[:2], displayed[2:]
    assert first == second
    assert "ada" not in json.dumps([what for what, _ in first])


def test_where_nobody_can_click_an_open_question_is_a_record_too(displayed: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("NBHITL_UNATTENDED", "1")
    assert show_thread(thread_of(fake_session(ASK))) is None
    (_, _), (cards, _) = displayed
    assert "Run this statement?" in cards["text/html"]
    assert set(cards) == {"text/plain", "text/html"}
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    assert show_thread(thread_of(fake_session(ASK))) is not None


def test_a_thread_at_rest_is_shown_without_widgets(displayed: Any) -> None:
    session = fake_session(ASK)
    session.cards[0].approve()
    assert show_thread(thread_of(session)) is None
    assert [set(what) & {"application/vnd.jupyter.widget-view+json"} for what, _ in displayed] == [set()]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_travel_as_data(displayed: Any, text: str) -> None:
    view = ThreadView(thread_of(hostile_session(text)))
    json.dumps(view.cards_panel.cards, ensure_ascii=False).encode("utf-8")
    view.graph_panel.states


def test_a_history_that_cannot_be_read_here_leaves_the_rest_of_the_drawing(displayed: Any) -> None:
    thread = thread_of(fake_session(ASK))
    thread.graph.get_state_history = lambda config: (_ for _ in ()).throw(NotImplementedError("async only"))
    view = ThreadView(thread)
    assert {"status": "paused", "text": "paused"} in view.graph_panel.states.values()


def test_the_graph_shows_where_it_waits_and_runs(displayed: Any) -> None:
    done = threading.Event()
    view = view_of(ASK, fail=until(done))
    assert {"status": "paused", "text": "paused"} in view.graph_panel.states.values()
    view.click("approve")
    wait_for(lambda: {"status": "running", "text": "running"} in view.graph_panel.states.values())
    done.set()
    view.session.courier.join()
