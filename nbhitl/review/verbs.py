"""The verbs of a decision, the same on a thread, on a card and on one action of a card."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from nbhitl.review import decisions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbhitl.review.decisions import Decision


class Answerable(ABC):
    """Something that a decision can be made about."""

    @abstractmethod
    def decide(self, decision: Decision, *, wait: bool = True) -> None:
        """Answer with `decision`. `wait=True` runs the graph to its next pause or end before it comes back
        and raises what went wrong; `wait=False` (a button) comes back at once, errors are on the card.

        Raises:
            InvalidAnswer: the decision does not fit; nothing was sent and the question is still open.
            AlreadyAnswered: another answer came first; says whose.
            StaleQuestion: the question has changed since it was shown; nothing was sent.
        """

    def approve(self, *, wait: bool = True) -> None:
        """Go on exactly as shown."""
        self.decide(decisions.approve(), wait=wait)

    def edit(self, args: Mapping[str, Any] | None = None, *, wait: bool = True, **edits: Any) -> None:
        """Go on with other arguments: all of them (`args`), or single ones by keyword."""
        self.decide(decisions.edit(args, **edits), wait=wait)

    def reject(self, reason: str | None = None, *, route: str | None = None, wait: bool = True) -> None:
        """Do not go on; `route` for a breakpoint without tool calls: the node to go to instead, or END."""
        self.decide(decisions.reject(reason, route=route), wait=wait)

    def respond(self, value: Any, *, wait: bool = True) -> None:
        """Answer with a text, or with the values of the question's form."""
        self.decide(decisions.respond(value), wait=wait)

    def option(self, value: Any, *, wait: bool = True) -> None:
        """Take one of the question's options, by value or label."""
        self.decide(decisions.option(value), wait=wait)

    def answer(self, value: Any, *, wait: bool = True) -> None:
        """Send exactly this value."""
        self.decide(decisions.answer(value), wait=wait)
