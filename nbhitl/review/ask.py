"""`ask()`: a typed question of a node, in a graph of nbhitl's or of LangGraph's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from nbhitl._context import CURRENT_TASK, current_task
from nbhitl._langchain import in_node_of_langgraph
from nbhitl.review.decisions import Decision, DecisionKind
from nbhitl.review.dialects.asked import KIND, VERSION, read_answer
from nbhitl.review.dialects.options import as_options
from nbhitl.review.dialects.parts import as_table
from nbhitl.review.plain import to_plain
from nbhitl.types import interrupt

__all__ = ["ask"]


def ask(
    question: str,
    *,
    action: str | None = None,
    args: Mapping[str, Any] | None = None,
    options: Sequence[Any] | Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    table: Any = None,
    reasons: Sequence[str] = (),
    allow: Sequence[DecisionKind] | None = None,
    args_schema: Mapping[str, Any] | None = None,
) -> Decision:
    """Ask a person from inside a node, and return the decision.

    The node stops here and starts again from its top when the answer is there, as with `interrupt()`.

        decision = ask("Run this statement?", action="run_sql", args={"statement": sql}, table=rows)
        if decision.approved:
            run_sql(**decision.args)
        name = ask("Who is it for?", allow=["respond"]).value
        size = ask("Which size?", options=["small", "large"]).value

    Args:
        question: what the person reads first.
        action: the tool or function that would run; needs `args`.
        args: its arguments, JSON values; they can be edited.
        options: answers to choose from: values, `{"label", "value"}` dicts, or `{label: value}`.
        details: what else the person should see, `{name: JSON value}`.
        table: rows that belong to the question: a list of dicts, `{"columns": [...], "rows": [...]}`, or a
            DataFrame.
        reasons: ready-made reasons to reject.
        allow: the decisions to offer. By default "option" with options, else "approve" and "reject", and
            "edit" with `args`.
        args_schema: a JSON Schema of the arguments: titles, types and limits for the form.

    Returns:
        A Decision: `.approved`, `.rejected`, `.args` (edited, or those given), `.reason` (None if none was given), and
        `.value` (of the option or the response).

    Raises:
        RuntimeError: called outside of a running node.
        ValueError: the arguments contradict each other, or `allow` or `args` is of another form.
    """
    payload = question_payload(
        question,
        action=action,
        args=args,
        options=options,
        details=details,
        table=table,
        reasons=reasons,
        allow=allow,
        args_schema=args_schema,
    )
    answer = _interrupt(payload)
    while True:
        try:
            return read_answer(answer, payload)
        except ValueError as error:
            # Asked again rather than raised: a node that raises keeps its bad answer for ever.
            answer = _interrupt({**payload, "problem": str(error)})


def question_payload(
    question: str,
    *,
    action: str | None = None,
    args: Mapping[str, Any] | None = None,
    options: Sequence[Any] | Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    table: Any = None,
    reasons: Sequence[str] = (),
    allow: Sequence[DecisionKind] | None = None,
    args_schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the payload that `ask()` sends; its form is described in `review.dialects.asked`."""
    if args is not None and not isinstance(args, Mapping):
        raise ValueError(f"ask(args={args!r}): arguments are a dict, {{name: JSON value}}.")
    if action is not None and args is None:
        raise ValueError(f"ask(action={action!r}) needs args={{...}}, the arguments that would run.")
    _refuse_decisions({**(details or {}), **(args or {})})
    allowed = _allowed(allow) if allow is not None else _default_decisions(args, options)
    if ("edit" in allowed and args is None) or ("option" in allowed and not options):
        raise ValueError(f'ask(allow={allowed!r}): "edit" needs args=, "option" needs options=.')
    listed = [{"label": o.label, "value": to_plain(o.value)} for o in as_options(_listed(options))]
    optional: dict[str, Any] = {
        "action": action,
        "args": None if args is None else to_plain(args),
        "args_schema": None if args_schema is None else to_plain(args_schema),
        "options": listed or None,
        "details": to_plain(details) if details else None,
        "table": None if table is None else table_payload(table),
        "reasons": [str(reason) for reason in reasons] or None,
    }
    given = {key: value for key, value in optional.items() if value is not None}
    return {"kind": KIND, "version": VERSION, "question": question, **given, "allow": allowed}


def _refuse_decisions(shown: Mapping[str, Any]) -> None:
    for name, value in shown.items():
        if isinstance(value, Decision):
            raise ValueError(
                f"ask(...): {name!r} is a Decision, what another ask() has returned. Show what was decided: its .value "
                "(of a response or an option) or its .args."
            )


def _allowed(allow: Sequence[DecisionKind]) -> list[DecisionKind]:
    kinds = get_args(DecisionKind)
    if isinstance(allow, str) or not allow or any(kind not in kinds for kind in allow):
        raise ValueError(
            f"ask(allow={allow!r}) takes a list of decisions, of: {', '.join(map(repr, kinds))}."
        )
    return list(allow)


def _default_decisions(args: Mapping[str, Any] | None, options: Any) -> list[DecisionKind]:
    if options and args is None:
        return ["option"]
    allowed: list[DecisionKind] = ["approve", "reject"]
    if args:
        allowed.insert(1, "edit")
    return [*allowed, "option"] if options else allowed


def _listed(options: Sequence[Any] | Mapping[str, Any] | None) -> Any:
    return options if options is None or isinstance(options, Mapping) else list(options)


def table_payload(table: Any) -> dict[str, Any]:
    """Return rows as `{"columns": [str, ...], "rows": [[JSON value, ...], ...]}`.

    Raises:
        ValueError: they are neither dicts, nor columns and rows, nor a DataFrame.

    >>> table_payload([{"id": 1, "name": "Ada"}, {"id": 2}])
    {'columns': ['id', 'name'], 'rows': [[1, 'Ada'], [2, None]]}
    """
    plain = to_plain(table)
    if isinstance(plain, list) and all(isinstance(row, dict) for row in plain):
        columns = list(dict.fromkeys(name for row in plain for name in row))
        return {"columns": columns, "rows": [[row.get(name) for name in columns] for row in plain]}
    if isinstance(plain, dict) and as_table(plain) is not None:
        return plain
    raise ValueError(
        f"ask(table=...) takes a list of dicts, {{'columns': [...], 'rows': [...]}} or a DataFrame, "
        f"not a {type(table).__name__}."
    )


def _interrupt(payload: dict[str, Any]) -> Any:
    """Ask by the engine whose node is running. LangGraph is only looked at if the program has loaded it."""
    if CURRENT_TASK.get() is None and in_node_of_langgraph():
        from nbhitl.review.attach_langgraph import ask_langgraph

        return ask_langgraph(payload)
    current_task("ask")
    return interrupt(payload)
