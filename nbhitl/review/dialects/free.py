"""Plain text, and any other JSON: the shape of the answer is not known, so no button is offered.

The person writes a text, or edits a JSON value that starts from a ready-made one, and sees what is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbhitl.errors import InvalidAnswer
from nbhitl.review.dialects.parts import Asked, split_text
from nbhitl.review.questions import Parts, ReadyValue

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.questions import Question

READY = (
    ReadyValue("true", True),
    ReadyValue("false", False),
    ReadyValue('"approve"', "approve"),
    ReadyValue('"reject"', "reject"),
    ReadyValue('{"type": "approve"}', {"type": "approve"}),
    ReadyValue('{"action": "approve"}', {"action": "approve"}),
    ReadyValue("null", None),
)
"""Answers that hand-written nodes often look for."""


def _encode_response(question: Question, decision: Decision) -> Any:
    if decision.kind != "respond":
        raise InvalidAnswer(
            f"How node {question.node!r} wants to be told {decision.kind!r} is not known. Send the value "
            f"that it looks for with answer(value), or name it once: GraphThread(..., replies={{"
            f"{question.node!r}: {{{decision.kind!r}: value}}}})."
        )
    return decision.value


class Text:
    """A payload that is a string."""

    name = "text"

    def parse(self, asked: Asked) -> Parts | None:
        """Return the text as the question; the answer is free."""
        if not isinstance(asked.payload, str):
            return None
        return Parts(dialect=self.name, text=asked.payload, allowed=("respond",), free_text=True, ready=READY)

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return the text that the person wrote."""
        return _encode_response(question, decision)


class Json:
    """Any payload that no other dialect knows."""

    name = "json"

    def parse(self, asked: Asked) -> Parts | None:
        """Return the payload's entries to look at; the answer is free."""
        payload = asked.payload
        ready = (*READY, ReadyValue("what was asked, to edit", payload))
        if not isinstance(payload, Mapping):
            return Parts(
                dialect=self.name,
                details={"value": payload},
                allowed=("respond",),
                free_text=True,
                ready=ready,
            )
        text, details, tables = split_text(payload)
        return Parts(
            dialect=self.name,
            text=text,
            details=details,
            tables=tables,
            allowed=("respond",),
            free_text=True,
            ready=ready,
        )

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return the value that the person wrote."""
        return _encode_response(question, decision)
