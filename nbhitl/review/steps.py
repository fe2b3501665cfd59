"""What a decision about a static breakpoint does to the graph: updates first, then an input. Pure."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.constants import END
from nbhitl.errors import InvalidAnswer
from nbhitl.review.diff import same
from nbhitl.review.pending import pending_tool_calls
from nbhitl.review.plain import to_plain

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.protocol import Snapshot
    from nbhitl.review.questions import Question

REJECTED = "A person rejected this call."


class Update(NamedTuple):
    """A call of `update_state`."""

    values: Any
    as_node: str | None


class Steps(NamedTuple):
    """How to go on from a breakpoint: `updates` in order, then run; `goto` is a node to start, None goes on.

    `run` is False when the thread ends here.
    """

    updates: tuple[Update, ...] = ()
    goto: str | None = None
    run: bool = True


def breakpoint_steps(
    question: Question,
    decision: Decision,
    snapshot: Snapshot,
    last_nodes: tuple[str, ...],
    reducers: frozenset[str],
) -> Steps:
    """Return what `decision` does.

    Args:
        question: the breakpoint.
        decision: checked and completed by `prepare`.
        snapshot: the (sub)graph that stands at the breakpoint.
        last_nodes: the nodes that ran before it, as one of which an edit is written.
        reducers: the state keys that have a reducer, whose value an edit overwrites.
    """
    if question.dialect == "tool_calls":
        return _tool_call_steps(question, decision, snapshot, last_nodes, reducers)
    if decision.kind == "approve":
        return Steps()
    if decision.kind == "edit":
        return _edit_steps(question, decision, _writer(snapshot, last_nodes), reducers)
    if decision.route == END:
        return Steps((Update(None, END),), run=False)
    # Ending the run first takes the stopped node off the plan; then the route is all that runs.
    return Steps((Update(None, END),), goto=decision.route)


def _edit_steps(
    question: Question, decision: Decision, writer: str | None, reducers: frozenset[str]
) -> Steps:
    old, new = question.actions[0].args, decision.args or {}
    changed = {key: value for key, value in new.items() if key not in old or not same(old[key], value)}
    values = {key: {"__overwrite__": value} if key in reducers else value for key, value in changed.items()}
    return Steps((Update(values, writer),)) if values else Steps()


def _writer(snapshot: Snapshot, last_nodes: tuple[str, ...]) -> str | None:
    """Return as which node an edit is written; None lets the engine find the last writer itself."""
    is_update = (snapshot.metadata or {}).get("source") == "update"
    return None if is_update or not last_nodes else last_nodes[0]


def _tool_call_steps(
    question: Question,
    decision: Decision,
    snapshot: Snapshot,
    last_nodes: tuple[str, ...],
    reducers: frozenset[str],
) -> Steps:
    parts = decision.actions or (decision,)
    rejected = [part.rejected for part in parts]
    found = pending_tool_calls(snapshot.values)
    if found is None:
        raise InvalidAnswer(f"The tool calls at node {question.node!r} are no longer pending.")
    key, message = found
    if all(rejected):
        answers = [
            rejection(action.id, action.name, part.reason)
            for action, part in zip(question.actions, parts, strict=True)
        ]
        return Steps((Update({key: _appended(snapshot.values, key, answers, reducers)}, snapshot.next[0]),))
    if any(part.kind == "edit" for part in parts):
        edited = with_tool_args(message, [dict(part.args or {}) for part in parts])
        update = _replacing(snapshot.values, key, message, edited, reducers)
        return Steps((Update({key: update}, _writer(snapshot, last_nodes)),))
    return Steps()


def _replacing(values: Any, key: str, message: Any, edited: Any, reducers: frozenset[str]) -> Any:
    """Return the update that puts `edited` in the place of the last message: by id, else the whole list."""
    has_id = message.get("id") if isinstance(message, Mapping) else getattr(message, "id", None)
    if key in reducers and has_id:
        return [edited]
    whole = values[key] if isinstance(values, Mapping) else getattr(values, key)
    messages = [*whole[:-1], edited]
    return {"__overwrite__": messages} if key in reducers else messages


def _appended(values: Any, key: str, new: list[Any], reducers: frozenset[str]) -> list[Any]:
    if key in reducers:
        return new
    return [*(values[key] if isinstance(values, Mapping) else getattr(values, key)), *new]


def rejection(call_id: str | None, name: str, reason: str | None) -> dict[str, Any]:
    """Return the tool message that answers a rejected call."""
    return {
        "role": "tool",
        "content": f"{REJECTED} Reason: {reason}" if reason else REJECTED,
        "tool_call_id": call_id or "",
        "name": name,
        "status": "error",
    }


def with_tool_args(message: Any, args: list[dict[str, Any]]) -> Any:
    """Return a copy of `message`, with its id, whose tool calls have these arguments."""
    calls = message["tool_calls"] if isinstance(message, Mapping) else message.tool_calls
    # Arguments that were not touched keep their own Python values.
    new = [
        {**call, "args": call["args"] if same(to_plain(call["args"]), edited) else edited}
        for call, edited in zip(calls, args, strict=True)
    ]
    if isinstance(message, Mapping):
        return {**message, "tool_calls": new}
    if callable(model_copy := getattr(message, "model_copy", None)):
        return model_copy(update={"tool_calls": new})
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return dataclasses.replace(message, tool_calls=new)
    edited = copy.copy(message)
    edited.tool_calls = new
    return edited
