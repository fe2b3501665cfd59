"""The payload and the answer of `ask()`: a typed question of a node, and the decision that it gets back.

Payload:
    {"kind": "nbhitl.ask", "version": 1, "question": str,
     "action": str | absent, "args": {name: JSON value} | absent, "args_schema": JSON Schema | absent,
     "options": [{"label": str, "value": JSON value}] | absent,
     "details": {name: JSON value} | absent,
     "table": {"columns": [str], "rows": [[JSON value]], "title": str} | absent,
     "allow": ["approve", "edit", "reject", "respond", "option"], "reasons": [str] | absent,
     "problem": str | absent}
Answer:
    {"decision": "approve"} | {"decision": "edit", "args": {...}}
    | {"decision": "reject", "reason": str | null}
    | {"decision": "respond", "value": JSON value} | {"decision": "option", "value": JSON value}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast, get_args

from nbhitl.review.decisions import Decision, DecisionKind
from nbhitl.review.dialects.options import as_options
from nbhitl.review.dialects.parts import Asked, as_table
from nbhitl.review.forms import fields_of_args
from nbhitl.review.questions import Action, Parts

if TYPE_CHECKING:
    from nbhitl.review.questions import Question

KIND = "nbhitl.ask"
VERSION = 1


class Ask:
    """A payload made by `ask()`."""

    name = "ask"

    def parse(self, asked: Asked) -> Parts | None:
        """Return the question with what it came with."""
        payload = asked.payload
        if not isinstance(payload, Mapping) or payload.get("kind") != KIND:
            return None
        allowed = tuple(kind for kind in get_args(DecisionKind) if kind in payload.get("allow", ()))
        table = as_table(payload.get("table"))
        actions: tuple[Action, ...] = ()
        if "args" in payload:
            args = dict(payload["args"])
            actions = (
                Action(
                    name=str(payload.get("action", "")),
                    args=args,
                    fields=fields_of_args(args, payload.get("args_schema")),
                    allowed=tuple(kind for kind in allowed if kind not in ("option", "respond")),
                ),
            )
        return Parts(
            dialect=self.name,
            text=str(payload.get("question", "")),
            details=payload.get("details", {}),
            actions=actions,
            tables=(table,) if table else (),
            options=as_options(payload.get("options")),
            allowed=allowed,
            free_text="respond" in allowed,
            reasons=tuple(payload.get("reasons", ())),
            problem=payload.get("problem"),
        )

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return the decision as `ask()` reads it."""
        told: dict[str, Any] = {"decision": decision.kind}
        if decision.kind == "edit":
            told["args"] = dict(decision.args or {})
        elif decision.kind == "reject":
            told["reason"] = decision.reason
        elif decision.kind in ("respond", "option"):
            told["value"] = decision.value
        return told


def read_answer(answer: Any, payload: Mapping[str, Any]) -> Decision:
    """Return the decision that an answer to `ask()` spells; approved arguments are those of the payload.

    Raises:
        ValueError: it is no answer of this form, or a decision that the question does not allow.
    """
    kind = cast("DecisionKind", answer.get("decision") if isinstance(answer, Mapping) else None)
    if kind not in payload["allow"]:
        allowed = ", ".join(f'{{"decision": "{name}", ...}}' for name in payload["allow"])
        raise ValueError(f"the answer {answer!r} is none that ask() takes: {allowed}")
    args = payload.get("args")
    if kind == "edit":
        edited = answer.get("args")
        if not isinstance(edited, Mapping):
            raise ValueError('an edit needs "args", all of the arguments')
        return Decision(kind="edit", args=dict(edited))
    if kind == "approve":
        return Decision(kind="approve", args=None if args is None else dict(args))
    if kind == "reject":
        return Decision(kind="reject", reason=answer.get("reason"))
    return Decision(kind=kind, value=answer.get("value"))
