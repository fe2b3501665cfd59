"""`{"action": name, "args": {...}}` and its common spellings: a tool call that a node asks about.

The answer has the form of LangChain's decisions: `{"type": "approve"}`, `{"type": "edit", "args": {...}}`,
`{"type": "reject", "message": reason}`, `{"type": "respond", "message": text}`. A node that looks for other
values names them once, by `GraphThread(..., replies={node: {"approve": value, ...}})`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbhitl.review.dialects.parts import Asked, split_text
from nbhitl.review.forms import fields_of_args
from nbhitl.review.questions import Action, Parts

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.questions import Question

_NAMES = ("action", "tool", "tool_name", "name", "function")
_ARGS = ("args", "arguments", "tool_args", "tool_input", "parameters", "kwargs", "input")
_NESTED = ("tool_call", "action", "action_request")


def as_action(call: Any) -> tuple[Action, tuple[str, ...]] | None:
    """Return the action that a mapping spells and the keys that spell it, or None if it spells none."""
    if not isinstance(call, Mapping):
        return None
    name_key = next((key for key in _NAMES if isinstance(call.get(key), str)), None)
    args_key = next((key for key in _ARGS if isinstance(call.get(key), Mapping)), None)
    if name_key is None or args_key is None:
        return None
    args = dict(call[args_key])
    call_id = call.get("id") if isinstance(call.get("id"), str) else None
    schema = call.get("args_schema") if isinstance(call.get("args_schema"), Mapping) else None
    action = Action(name=call[name_key], args=args, fields=fields_of_args(args, schema), id=call_id)
    return action, tuple(key for key in (name_key, args_key, "id", "args_schema") if key in call)


class ToolAction:
    """A payload that names one action and its arguments."""

    name = "action"

    def parse(self, asked: Asked) -> Parts | None:
        """Return the action with its arguments to approve, edit or reject."""
        payload = asked.payload
        if not isinstance(payload, Mapping):
            return None
        found = as_action(payload)
        if found is None:
            for key in _NESTED:
                nested = as_action(payload.get(key))
                if nested is not None:
                    found = nested[0], (key,)
                    break
        if found is None:
            return None
        action, keys = found
        text, details, tables = split_text(payload, skip=keys)
        return Parts(
            dialect=self.name,
            text=text,
            details=details,
            tables=tables,
            actions=(action,),
            allowed=("approve", "edit", "reject"),
        )

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return the decision as a dict with a `type`."""
        if decision.kind == "edit":
            return {"type": "edit", "args": dict(decision.args or {})}
        if decision.kind == "reject":
            return {"type": "reject", "message": decision.reason or ""}
        return {"type": decision.kind}
