"""A thread in a cell: pushes the session's state into the panels, and what is clicked into the session.

The session may change on any thread; pushes are made one at a time, under a lock. A click never runs the
graph here: decisions are handed to the session with `wait=False`, which delivers them on another thread.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import IPython.display

from nbhitl.errors import InvalidAnswer, ReviewError
from nbhitl.review.text import card_text
from nbhitl.script import nobody_can_click
from nbhitl.widgets.card_state import card_state, readable_errors, rows_of, run_state, summary
from nbhitl.widgets.graph_state import GraphState
from nbhitl.widgets.inbox import NotReadableError, Problems, check_drafts, check_shown, read_decision
from nbhitl.widgets.panels import CardsPanel, GraphPanel
from nbhitl.widgets.record import cards_html

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nbhitl.review.card import Card

logger = logging.getLogger("nbhitl")

display: Callable[..., Any] = IPython.display.display  # IPython has no types for it

MIN_PAUSE = 0.1
"""Seconds between two pushes while a run reports its progress."""


class ThreadView:
    """The panels of one thread in one cell.

    `cards_panel` and `graph_panel` (None where the graph can't be drawn) are the widgets. `click` does what
    the buttons do, for tests and for scripts.
    """

    def __init__(self, thread: Any) -> None:
        self.thread = thread
        self.session = thread.session
        self.graph = GraphState(thread)
        self.live = True
        self._first = _first_shown(self.session.cards)
        self._revs: dict[str, int] = {}
        self._problems: dict[str, Problems] = {}
        self._faults: dict[str, str] = {}
        self._state_rows: dict[str, list[dict[str, Any]]] = {}
        self._lock = threading.RLock()
        self._pushed = 0.0
        self._timer: threading.Timer | None = None
        self._displays = {"cards": f"nbhitl-{uuid.uuid4().hex}", "graph": f"nbhitl-{uuid.uuid4().hex}"}
        self.cards_panel = CardsPanel(self.cards_record, self.heard, **self._cards_traits())
        self.graph_panel = GraphPanel(self.graph.record, **self.graph.traits()) if self.graph.svg else None
        self._forget = self.session.on_change(self.changed)

    @property
    def cards(self) -> list[Card]:
        """The cards that this view shows: those that were open when it was made, and later ones."""
        return list(self.session.cards[self._first :])

    # -- showing ------------------------------------------------------------------------------

    def show(self) -> None:
        """Display the panels in the current cell."""
        if self.graph_panel is not None:
            display(self.graph_panel, display_id=self._displays["graph"])
        display(self.cards_panel, display_id=self._displays["cards"])

    def cards_record(self, *, who: bool = True) -> dict[str, str]:
        """What stands in a saved notebook beside the live cards."""
        if cards := self.cards:
            return record_bundle(cards, who=who)
        stands = f"thread {self.session.thread_id}: {self.session.state}"
        return {"text/plain": f"{stands} ({self.session.error})" if self.session.error else stands}

    # -- the session changed ---------------------------------------------------------------------

    def changed(self) -> None:
        """Push what has changed; at most one push per `MIN_PAUSE` while only progress is reported."""
        with self._lock:
            if not self.live:
                return
            wait = self._pushed + MIN_PAUSE - time.monotonic()
            if self.session.state == "running" and wait > 0:
                if self._timer is None:
                    self._timer = threading.Timer(wait, self._push_later)
                    self._timer.daemon = True
                    self._timer.start()
                return
            self._push()

    def _push_later(self) -> None:
        with self._lock:
            self._timer = None
            if self.live:
                self._push()

    def _push(self) -> None:
        self._pushed = time.monotonic()
        with self.cards_panel.hold_sync():
            for name, value in self._cards_traits().items():
                setattr(self.cards_panel, name, value)
        if self.graph_panel is not None:
            self.graph_panel.states = self.graph.traits()["states"]
        if self._is_at_rest():
            self._settle()

    def _cards_traits(self) -> dict[str, Any]:
        cards = self.cards
        return {
            "cards": [self._card_state(card, folded=i < len(cards) - 1) for i, card in enumerate(cards)],
            "summary": summary(cards),
            "run": run_state(self.session),
        }

    def _card_state(self, card: Card, *, folded: bool) -> dict[str, Any]:
        key = card.label
        return card_state(
            card,
            rev=self._revs.get(key, 0),
            errors=self._problems.get(key),
            fault=self._faults.get(key),
            folded=folded,
            state_rows=self._state_rows.get(key),
        )

    def _is_at_rest(self) -> bool:
        over = self.session.state in ("finished", "stopped")
        return over and not any(card.waits or card.state in ("sending", "failed") for card in self.cards)

    def _settle(self) -> None:
        """Put the records in the place of the widgets: they need no kernel, so a saved notebook has them.

        The widgets are left open: a page that was reloaded since has forgotten where the outputs belong,
        takes no notice of this, and goes on showing them as they are now.
        """
        self.live = False
        self._forget()
        if self.graph_panel is not None:
            display(self.graph.record(), raw=True, display_id=self._displays["graph"], update=True)
        display(self.cards_record(), raw=True, display_id=self._displays["cards"], update=True)

    # -- the view sent something ------------------------------------------------------------------

    def heard(self, message: dict[str, Any]) -> None:
        """Do what a message of the view asks for. What goes wrong is shown on its card, nothing is raised."""
        kind = message.get("type")
        if kind == "hello":
            self.cards_panel.send({"type": "here"})
            return
        if kind == "stop":
            self.session.courier.stop()
            return
        card = next((card for card in self.cards if card.label == message.get("card")), None)
        if card is None:
            logger.warning("A view of thread %r named no card of it: %r", self.session.thread_id, message)
            return
        if kind == "check":
            self._check(card, message)
            return
        self._act(card, message)

    def _act(self, card: Card, message: dict[str, Any]) -> None:
        key = card.label
        acts = {
            "decide": lambda: self._decide(card, message),
            "retry": lambda: card.retry(wait=False),
            "anew": lambda: card.ask_again(wait=False),
            "show": lambda: card.ask_again(wait=False),
            "state": lambda: self._fetch_state(key),
        }
        with self._lock:
            if message["type"] != "state":
                self._faults.pop(key, None)
                self._problems.pop(key, None)
            self._revs[key] = self._revs.get(key, 0) + 1
        try:
            acts[message["type"]]()
        except NotReadableError as error:
            self._problems[key] = error.problems
        except (InvalidAnswer, ReviewError) as error:
            self._faults[key] = str(error)
        except Exception as error:
            # Whatever it is, the reader sees it on the card: an exception in a callback shows nowhere else.
            logger.exception("A click on %s of thread %r failed", key, self.session.thread_id)
            self._faults[key] = f"{type(error).__name__}: {error}"
        with self._lock:
            if self.live:
                self._push()

    def _decide(self, card: Card, message: dict[str, Any]) -> None:
        check_shown(card, message.get("digest"))
        decision = read_decision(card, message.get("decision") or {})
        card.decide(decision, wait=False)

    def _check(self, card: Card, message: dict[str, Any]) -> None:
        try:
            problems = check_drafts(card, message.get("drafts") or {})
            found = {part: readable_errors(fields) for part, fields in problems.items()}
        except (InvalidAnswer, ReviewError, ValueError, IndexError) as error:
            found = {"0": {"": str(error)}}
        self.cards_panel.send({"type": "checked", "card": card.label, "errors": found})

    def _fetch_state(self, key: str) -> None:
        """Read the thread's state when somebody opens it: until then it is not in the page."""
        from nbhitl.review.plain import to_plain

        values = to_plain(self.thread.snapshot.values)
        self._state_rows[key] = rows_of(values if isinstance(values, dict) else {"value": values})

    # -- for tests and scripts --------------------------------------------------------------------

    def click(self, verb: str, card: str | None = None, **given: Any) -> None:
        """Do what a click on a button of a card does.

        Args:
            verb: approve, edit, reject, respond, form, option, answer, batch; or retry, anew, show, stop.
            card: the card's label (`"q1"`); not needed while exactly one is shown.
            given: what stands in the fields: `fields={}`, `reason=`, `text=`, `index=`, `json=`, `actions=`.

        Raises:
            ValueError: there are several cards, or none, and `card` does not say which.
        """
        if verb == "stop":
            self.heard({"type": "stop"})
            return
        shown = [one for one in self.cards if card in (None, one.label)]
        if len(shown) != 1:
            labels = ", ".join(one.label for one in self.cards) or "none"
            raise ValueError(f"click({verb!r}): say which card; this view shows: {labels}")
        message: dict[str, Any] = {"type": verb, "card": shown[0].label}
        if verb not in ("retry", "anew", "show", "state"):
            decision = {"kind": verb, **given}
            message = {**message, "type": "decide", "digest": shown[0].question.digest, "decision": decision}
        self.heard(message)


def _first_shown(cards: Sequence[Card]) -> int:
    """Where a new view begins: at the first card that still needs somebody, else behind the last."""
    wanted = (i for i, card in enumerate(cards) if card.waits or card.state in ("sending", "failed"))
    return next(wanted, len(cards))


def record_bundle(cards: Sequence[Card], *, who: bool) -> dict[str, str]:
    """The static form of cards: text/plain as the terminal shows them, and HTML; both empty without cards."""
    text = "\n\n".join(card_text(card) for card in cards)
    return {"text/plain": text, "text/html": cards_html(cards, who=who)}


def show_thread(thread: Any, cards: Sequence[Card] = ()) -> ThreadView | None:
    """Display a thread, live while something runs or is open, else as records; see `nbhitl.widgets`."""
    session = thread.session
    unfinished = session.cards[_first_shown(session.cards) :]
    if not _somebody_can_click():
        _show_at_rest(thread, unfinished or cards, who=False)
    elif session.state == "running" or unfinished:
        view = ThreadView(thread)
        view.show()
        return view
    else:
        _show_at_rest(thread, cards, who=True)
    return None


def _somebody_can_click() -> bool:
    """Whether buttons make sense here. Voila runs its kernels as tests do, but shows them to people."""
    return not nobody_can_click() or os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


def show_record(thread: Any, cards: Sequence[Card]) -> None:
    """Display cards as they stand, without times and ids; see `nbhitl.widgets`."""
    _show_at_rest(thread, cards, who=False)


def _show_at_rest(thread: Any, cards: Sequence[Card], *, who: bool) -> None:
    """The same outputs in the same order as a live view leaves behind: the graph, then the cards."""
    display(GraphState(thread).record(), raw=True)
    if cards:
        display(record_bundle(cards, who=who), raw=True)
