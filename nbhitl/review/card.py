"""A question as it stands in a session: its state, its decision, and the verbs that its buttons call."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal

from nbhitl.checkpoint.claims import instant
from nbhitl.errors import InvalidAnswer
from nbhitl.review import decisions
from nbhitl.review.answering import Preview, prepare, preview
from nbhitl.review.verbs import Answerable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nbhitl.review.decisions import Decision
    from nbhitl.review.questions import Action, Question
    from nbhitl.review.session import ReviewSession

CardState = Literal["open", "editing", "rejecting", "responding", "sending", "decided", "stale", "failed"]

_WAITING = ("open", "editing", "rejecting", "responding")


class Card(Answerable):
    """A question of a thread, to look at and to answer.

    Attributes:
        question: what is asked. Its fields are attributes of the card too: `card.node`, `card.payload`, ...
        label: `q1`, `q2`, ... in the order of asking.
        state: see `review.session`.
        error: what went wrong, for the person: of the last try to answer, or why it is stale or failed.
        field_errors: `{field: what is wrong}` of the last try to answer.
        decision: what was decided, once it was taken.
        runs: how often the asking node has started, as far as this session saw.
        actions: one `CardAction` an action.
    """

    def __init__(
        self, session: ReviewSession, question: Question, label: str, *, runs: int, shown_at: datetime
    ) -> None:
        self.session = session
        self.question = question
        self.label = label
        self.runs = runs
        self.shown_at = shown_at
        self.state: CardState = "open"
        self.error: str | None = None
        self.field_errors: dict[str, str] = {}
        self.decision: Decision | None = None
        self.actions = tuple(CardAction(self, index) for index in range(len(question.actions)))
        self._settled = threading.Event()
        self._sender: int | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "question":
            raise AttributeError(name)
        return getattr(self.question, name)

    @property
    def waits(self) -> bool:
        """Whether a person can answer now."""
        return self.state in _WAITING

    def waited(self, now: datetime | None = None) -> float:
        """Return for how many seconds the question has been open, or was: at least since it was shown."""
        if self.decision is not None and self.decision.waited is not None:
            return self.decision.waited
        try:
            asked = instant(self.question.asked_at or "")
        except ValueError:  # none, or somebody else has written into the store
            asked = self.shown_at
        return max(0.0, ((now or self.session.clock()) - asked).total_seconds())

    # -- looking ------------------------------------------------------------------------------

    def show(self, state: Literal["open", "editing", "rejecting", "responding"]) -> None:
        """Say what the person is at; ignored once the card is answered."""
        if self.waits and self.state != state:
            self.state, self.error, self.field_errors = state, None, {}
            self.session.changed()

    def preview_edit(self, typed: Mapping[str, Any], action: int = 0) -> Preview:
        """Return `(args, diff, errors)` for the fields of an edit as they are typed; sends nothing."""
        return preview(self.question.actions[action], typed)

    def sends(self, decision: Decision) -> Any:
        """Return the value that `decision` would send to the graph; None for a breakpoint. Sends nothing.

        Raises:
            InvalidAnswer: the decision does not fit.
        """
        return prepare(self.question, decision).answer

    # -- answering ----------------------------------------------------------------------------

    def decide(self, decision: Decision, *, wait: bool = True) -> None:
        """Answer with `decision`; see `Answerable`."""
        try:
            self.session.decide(self, decision, wait=wait)
        except InvalidAnswer as error:
            self.error, self.field_errors = str(error), error.fields
            self.session.changed()
            if wait:
                raise

    def submit(self, *, wait: bool = True) -> None:
        """Send the drafted decisions of all actions together.

        Raises:
            InvalidAnswer: an action has no decision yet.
        """
        missing = [action.name for action in self.actions if action.decision is None]
        if missing:
            raise InvalidAnswer(f"{self.label}: no decision yet for {', '.join(missing)}.")
        drafted = [action.decision for action in self.actions if action.decision is not None]
        self.decide(decisions.batch(drafted), wait=wait)

    def retry(self, *, wait: bool = True) -> None:
        """Run the failed node again with the answer that was given."""
        self.session.courier.retry(self, wait=wait)

    def ask_again(self, *, wait: bool = True) -> None:
        """Ask a failed or stale question anew, on a fork; a new card appears."""
        self.session.courier.ask_again(self, wait=wait)

    # -- what the session does with it -----------------------------------------------------------

    def taken(self, decision: Decision) -> None:
        """Move to "sending" (called by the session, under its lock)."""
        self.state, self.decision = "sending", decision
        self.error, self.field_errors = None, {}
        self._sender = None
        self._settled.clear()

    def sent_from_here(self) -> None:
        """Note that this thread delivers the decision (called by the courier)."""
        self._sender = threading.get_ident()

    def settled(self, state: Literal["decided", "stale", "failed"], error: str | None = None) -> None:
        """Move out of "sending", or from open to stale (called by the session, under its lock)."""
        if state == "stale" and self.state != "failed":  # what was sent before a failure stays on record
            self.decision = None
        self.state, self.error = state, error
        self._settled.set()

    def doubt_if_any(self) -> None:
        """Fail a question whose answer is in doubt: a person decides between retry and asking anew."""
        if self.question.doubt is not None:
            self.settled("failed", self.question.doubt)

    def resent(self) -> None:
        """Move from "failed" back to "sending" for a retry (called by the session, under its lock)."""
        self.state, self.error = "sending", None
        self._settled.clear()

    def reopened(self, error: str) -> None:
        """Move back to "open" (called by the session, under its lock)."""
        self.state, self.decision, self.error = "open", None, error
        self._settled.set()

    def wait_settled(self, timeout: float | None = None) -> bool:
        """Block until the decision is delivered or has failed; False after `timeout` seconds.

        Comes back at once on the thread that delivers it, which would wait for itself.
        """
        if threading.get_ident() == self._sender:
            return self._settled.is_set()
        return self._settled.wait(timeout)

    def __repr__(self) -> str:
        from nbhitl.review.text import card_text

        return card_text(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


class CardAction(Answerable):
    """One action of a card. In a batch its decision is drafted; the last one submits them together."""

    def __init__(self, card: Card, index: int) -> None:
        self.card = card
        self.index = index
        self.decision: Decision | None = None

    @property
    def action(self) -> Action:
        """What would be done."""
        return self.card.question.actions[self.index]

    @property
    def name(self) -> str:
        """The tool or function."""
        return self.action.name

    @property
    def args(self) -> Mapping[str, Any]:
        """Its arguments."""
        return self.action.args

    def draft(self, decision: Decision | None) -> None:
        """Note a decision without sending it; None takes it back."""
        self.decision = decision
        self.card.session.changed()

    def decide(self, decision: Decision, *, wait: bool = True) -> None:
        """Draft `decision`; when it was the last one missing, submit all."""
        if len(self.card.actions) == 1:
            self.card.decide(decision, wait=wait)
            return
        self.draft(decision)
        if all(action.decision is not None for action in self.card.actions):
            self.card.submit(wait=wait)

    def __repr__(self) -> str:
        stands = "undecided" if self.decision is None else self.decision.kind
        return f"<action {self.index} of {self.card.label}: {self.name}({dict(self.args)!r}), {stands}>"
