"""From what a person chose to what is sent: checks a decision against its question. Pure.

Everything that can be wrong with an answer is found here, before anything is recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.constants import END
from nbhitl.errors import InvalidAnswer
from nbhitl.review.decisions import Decision, batch
from nbhitl.review.dialects import encode
from nbhitl.review.diff import Change, changes, same
from nbhitl.review.forms import read_fields
from nbhitl.review.schema import errors_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbhitl.review.questions import Action, Question


class Preview(NamedTuple):
    """An edit before it is sent: the arguments it would run, what it changes, and what is wrong by field."""

    args: dict[str, Any]
    diff: tuple[Change, ...]
    errors: dict[str, str]


def preview(action: Action, given: Mapping[str, Any], *, typed: bool = True) -> Preview:
    """Return what an edit of `action` would do; `given` holds all arguments, as typed or as values."""
    args, errors = read_fields(action.fields, given, typed=typed)
    return Preview(args, changes(action.args, args), errors)


def prepare(question: Question, decision: Decision) -> Decision:
    """Return `decision` completed for `question`: arguments, diff, question, digest, and the answer to send.

    Raises:
        InvalidAnswer: the decision does not fit the question; says what would.
    """
    if decision.exact:
        completed = _exact(question, decision)
    elif len(question.actions) > 1:
        completed = _complete_batch(question, decision)
    else:
        completed = _complete(question, decision)
    answer = completed.value if completed.exact else encode(question, completed)
    _check_schema(question, answer)
    return replace(completed, answer=answer, question_id=question.id, digest=question.digest)


def _exact(question: Question, decision: Decision) -> Decision:
    if question.kind == "breakpoint":
        raise InvalidAnswer(
            f"The breakpoint at node {question.node!r} takes no value: approve, edit or reject it."
        )
    return decision


def _complete_batch(question: Question, decision: Decision) -> Decision:
    if not decision.actions and decision.kind in ("approve", "reject"):
        decision = batch([decision] * len(question.actions))
    if len(decision.actions) != len(question.actions):
        raise InvalidAnswer(
            f"Node {question.node!r} asks about {len(question.actions)} actions "
            f"({', '.join(a.name for a in question.actions)}): give one decision for each of them."
        )
    if question.dialect == "tool_calls" and len({part.rejected for part in decision.actions}) > 1:
        # The stopped node runs all of its pending calls, and a rejected one has no call left to answer.
        raise InvalidAnswer(
            f"The breakpoint at node {question.node!r} stops before all of its tool calls at once: reject "
            "all of them or none. To decide about each call, ask inside the tool, with ask()."
        )
    parts = [
        _complete_action(question, action, part)
        for action, part in zip(question.actions, decision.actions, strict=True)
    ]
    return replace(batch(parts), diff=tuple(change for part in parts for change in part.diff))


def _complete(question: Question, decision: Decision) -> Decision:
    if decision.actions:
        if len(decision.actions) != 1:
            raise InvalidAnswer(f"Node {question.node!r} asks one thing: give one decision.")
        decision = decision.actions[0]
    match decision.kind:
        case "option":
            return _complete_option(question, decision)
        case "respond":
            return _complete_response(question, decision)
    _check_allowed(question, question.node, decision, question.allowed)
    decision = _complete_route(question, decision)
    if question.actions:
        return _complete_action(question, question.actions[0], decision)
    if decision.kind == "edit":
        raise InvalidAnswer(f"The question of node {question.node!r} has no arguments to edit.")
    return decision


def _check_allowed(question: Question, what: str, decision: Decision, allowed: tuple[str, ...]) -> None:
    if decision.kind not in allowed:
        if question.ready:
            encode(question, decision)  # says how to name the value that this node looks for
        can = ", ".join(allowed) or "a response (respond(...) or answer(value)) only"
        raise InvalidAnswer(f"{what!r} can't be answered with {decision.kind!r}; it takes: {can}.")


def _complete_action(question: Question, action: Action, decision: Decision) -> Decision:
    _check_allowed(question, action.name, decision, action.allowed)
    if decision.kind == "approve":
        return replace(decision, args=dict(action.args))
    if decision.kind != "edit":
        return decision
    base = action.args if decision.args is None else decision.args
    seen = preview(action, {**base, **decision.edits}, typed=False)
    if seen.errors:
        listed = "; ".join(f"{name} {problem}" for name, problem in seen.errors.items())
        raise InvalidAnswer(
            f"The edit of {action.name!r} (node {question.node!r}) does not fit: {listed}.",
            fields=seen.errors,
        )
    return replace(decision, args=seen.args, edits={}, diff=seen.diff)


def _complete_option(question: Question, decision: Decision) -> Decision:
    for choice in question.options:
        if same(decision.value, choice.value) or decision.value == choice.label:
            return replace(decision, value=choice.value)
    listed = ", ".join(repr(choice.label) for choice in question.options) or "none"
    raise InvalidAnswer(
        f"{decision.value!r} is not an option of node {question.node!r}; its options are: {listed}."
    )


def _complete_response(question: Question, decision: Decision) -> Decision:
    if question.form:
        if not isinstance(decision.value, dict):
            raise InvalidAnswer(
                f"Node {question.node!r} wants the fields {', '.join(f.name for f in question.form)}: "
                "respond({'name': value, ...})."
            )
        values, errors = read_fields(question.form, decision.value, typed=False)
        if errors:
            listed = "; ".join(f"{name} {problem}" for name, problem in errors.items())
            raise InvalidAnswer(
                f"The answer to node {question.node!r} does not fit: {listed}.", fields=errors
            )
        return replace(decision, value=values)
    if not question.free_text:
        _check_allowed(question, question.node, decision, question.allowed)
    return decision


def _complete_route(question: Question, decision: Decision) -> Decision:
    """Say where a rejected breakpoint goes on, if its pending tool calls do not say it."""
    if decision.kind != "reject" or question.kind != "breakpoint" or question.dialect == "tool_calls":
        return decision
    route = decision.route or (question.routes[0] if len(question.routes) == 1 else None)
    if route is None or (route != END and route not in question.routes):
        raise InvalidAnswer(
            f"Rejecting the breakpoint at {question.node!r} needs a route, where the graph goes instead: "
            f"reject(reason, route=...), one of {', '.join(map(repr, question.routes))}."
        )
    return replace(decision, route=route)


def _check_schema(question: Question, answer: Any) -> None:
    """Hold an answer against what is shown.

    A type may take more (pydantic reads `"12"` as a number): a person's answer has to be what the card asks for, and who
    sends another one by Command is judged by the type.
    """
    if question.response_schema is None:
        return
    wrong = dict(errors_of(answer, question.response_schema))
    if wrong:
        listed = "; ".join(f"{path or 'the answer'} {problem}" for path, problem in wrong.items())
        raise InvalidAnswer(f"The answer to node {question.node!r} does not fit: {listed}.", fields=wrong)
