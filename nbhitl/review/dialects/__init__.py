"""The payload shapes that are known, most particular first. What none of them knows is shown as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.review.dialects.action import ToolAction
from nbhitl.review.dialects.asked import Ask
from nbhitl.review.dialects.breakpoint import StoppedNode, ToolCalls
from nbhitl.review.dialects.free import Json, Text
from nbhitl.review.dialects.options import Options
from nbhitl.review.dialects.replies import Replies
from nbhitl.review.dialects.schema import ResponseSchema

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.dialects.parts import Asked, Dialect
    from nbhitl.review.questions import Parts, Question

FOR_INTERRUPTS: tuple[Dialect, ...] = (
    Replies(),
    Ask(),
    ResponseSchema(),
    Options(),
    ToolAction(),
    Text(),
    Json(),
)
"""Tried in this order; the first that knows the payload is used, and Json knows every payload."""

FOR_BREAKPOINTS: tuple[Dialect, ...] = (ToolCalls(), StoppedNode())

_BY_NAME: dict[str, Dialect] = {dialect.name: dialect for dialect in (*FOR_INTERRUPTS, *FOR_BREAKPOINTS)}


def parse(asked: Asked, *, breakpoint: bool = False) -> Parts:
    """Return what to draw for a payload."""
    known = FOR_BREAKPOINTS if breakpoint else FOR_INTERRUPTS
    return next(parts for dialect in known if (parts := dialect.parse(asked)) is not None)


def encode(question: Question, decision: Decision) -> Any:
    """Return the value to send for a checked decision.

    Raises:
        InvalidAnswer: the question's dialect has no such answer.
    """
    return _BY_NAME[question.dialect].encode(question, decision)
