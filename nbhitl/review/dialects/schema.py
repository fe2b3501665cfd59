"""A question with a response schema: the schema says what an answer looks like, whatever the payload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbhitl.review.dialects.parts import Asked, split_text
from nbhitl.review.forms import fields_of_schema
from nbhitl.review.questions import Option, Parts, ReadyValue
from nbhitl.review.schema import resolve

if TYPE_CHECKING:
    from nbhitl.review.decisions import Decision
    from nbhitl.review.questions import Question


def _options(schema: Mapping[str, Any]) -> tuple[Option, ...]:
    if "enum" in schema:
        return tuple(
            Option(value if isinstance(value, str) else json.dumps(value), value) for value in schema["enum"]
        )
    if schema.get("type") == "boolean":
        return (Option("yes", True), Option("no", False))
    return ()


def skeleton(schema: Any, root: Mapping[str, Any]) -> Any:
    """Return a value to start from: defaults where there are, else the empty value of each type."""
    schema = resolve(schema, root) if isinstance(schema, Mapping) else {}
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return skeleton(schema[key][0], root)
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", ())
        return {n: skeleton(part, root) for n, part in schema.get("properties", {}).items() if n in required}
    empty: dict[Any, Any] = {"array": [], "string": "", "integer": 0, "number": 0, "boolean": False}
    return empty.get(kind)


class ResponseSchema:
    """Any payload asked with `interrupt(payload, response_schema=...)`."""

    name = "schema"

    def parse(self, asked: Asked) -> Parts | None:
        """Return options for a few values, a form for an object, else text or a JSON editor."""
        if asked.schema is None:
            return None
        payload, root = asked.payload, asked.schema
        if isinstance(payload, Mapping):
            text, details, tables = split_text(payload)
        else:
            text, details, tables = (
                (payload, {}, ()) if isinstance(payload, str) else ("", {"value": payload}, ())
            )
        schema = resolve(root, root)
        options = _options(schema)
        form = fields_of_schema(root) if not options and schema.get("properties") else ()
        return Parts(
            dialect=self.name,
            text=text or str(schema.get("title", "")),
            details=details,
            tables=tables,
            options=options,
            form=form,
            allowed=("option",) if options else ("respond",),
            free_text=not options and not form and schema.get("type") == "string",
            ready=() if options or form else (ReadyValue("an answer to fill in", skeleton(root, root)),),
        )

    def encode(self, question: Question, decision: Decision) -> Any:
        """Return the chosen or filled-in value."""
        return decision.value
