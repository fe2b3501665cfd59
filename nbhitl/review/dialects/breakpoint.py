"""Static breakpoints, `interrupt_before` and `interrupt_after`: no value is sent, the thread acts.

The payload is `{"tool_calls": [{"name", "args", "id"}, ...]}` for pending tool calls, else
`{"node": name, "input": {...}}`, what the stopped node would be started with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbhitl.review.dialects.action import as_action
from nbhitl.review.forms import fields_of_args
from nbhitl.review.questions import Action, Parts

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.dialects.parts import Asked
    from nbhitl.review.questions import Question


class ToolCalls:
    """A breakpoint with pending tool calls."""

    name = "tool_calls"

    def parse(self, asked: Asked) -> Parts | None:
        """Return one action a tool call."""
        calls = asked.payload.get("tool_calls") if isinstance(asked.payload, Mapping) else None
        if not isinstance(calls, list):
            return None
        actions = [found[0] for call in calls if (found := as_action(call))]
        what = "this tool call" if len(actions) == 1 else f"these {len(actions)} tool calls"
        return Parts(
            dialect=self.name,
            text=f"Run {what}?",
            actions=tuple(actions),
            allowed=("approve", "edit", "reject"),
        )

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return None: nothing is sent."""
        return None


class StoppedNode:
    """A breakpoint without tool calls."""

    name = "breakpoint"

    def parse(self, asked: Asked) -> Parts | None:
        """Return the node's input as arguments."""
        if not isinstance(asked.payload, Mapping) or not isinstance(asked.payload.get("input"), Mapping):
            return None
        args = dict(asked.payload["input"])
        node = str(asked.payload.get("node", ""))
        return Parts(
            dialect=self.name,
            text=f"Go on with {node!r}?",
            actions=(Action(name=node, args=args, fields=fields_of_args(args)),),
            allowed=("approve", "edit", "reject"),
        )

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return None: nothing is sent."""
        return None
