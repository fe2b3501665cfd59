"""`GraphThread(..., replies={node: {"approve": value, ...}})`: the reader says what a node looks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast, get_args

from nbhitl.errors import InvalidAnswer
from nbhitl.review.decisions import DecisionKind
from nbhitl.review.dialects.action import as_action
from nbhitl.review.dialects.parts import Asked, split_text
from nbhitl.review.plain import to_plain
from nbhitl.review.questions import Option, Parts

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.questions import Action, Question

_KINDS: tuple[str, ...] = tuple(kind for kind in get_args(DecisionKind) if kind != "option")


class Replies:
    """Any payload of a node for which replies were given.

    `approve`, `edit`, `reject` and `respond` become those buttons, other names become options. A value may be
    a function: of the arguments for `edit`, the reason for `reject`, the text for `respond`.
    """

    name = "replies"

    def parse(self, asked: Asked) -> Parts | None:
        """Return one button a reply."""
        if asked.replies is None:
            return None
        payload = asked.payload
        actions: tuple[Action, ...] = ()
        if isinstance(payload, Mapping):
            found = as_action(payload)
            actions = (found[0],) if found else ()
            text, details, tables = split_text(payload, skip=found[1] if found else ())
        else:
            text, details, tables = (
                (payload, {}, ()) if isinstance(payload, str) else ("", {"value": payload}, ())
            )
        named = tuple(kind for kind in _KINDS if kind in asked.replies)
        options = tuple(Option(n, to_plain(v)) for n, v in asked.replies.items() if n not in _KINDS)
        kinds = cast("tuple[DecisionKind, ...]", (*named, *(("option",) if options else ())))
        return Parts(
            dialect=self.name,
            text=text,
            details=details,
            tables=tables,
            actions=tuple(_narrowed(action, kinds) for action in actions),
            options=options,
            allowed=kinds,
        )

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return the value that was given for this decision."""
        if decision.kind == "option":
            return decision.value
        replies = question.replies or {}
        reply = replies.get(decision.kind)
        if not callable(reply):
            if decision.kind == "edit":
                raise InvalidAnswer(
                    f"replies[{question.node!r}]['edit'] must be a function of the edited arguments, "
                    f"for example lambda args: {{'args': args}}; it is {reply!r}."
                )
            return reply
        given = {"edit": dict(decision.args or {}), "reject": decision.reason, "respond": decision.value}
        return reply(given[decision.kind]) if decision.kind in given else reply()


def _narrowed(action: Action, kinds: tuple[DecisionKind, ...]) -> Action:
    from dataclasses import replace

    return replace(action, allowed=tuple(kind for kind in kinds if kind != "option"))
