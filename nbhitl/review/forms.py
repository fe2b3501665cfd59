"""Forms as data: which fields an edit or an answer has, and how what a person typed becomes JSON values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any, Literal

from nbhitl.review.schema import errors_of, json_type, resolve
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

FieldKind = Literal["text", "longtext", "integer", "number", "boolean", "choice", "json"]

LONG_TEXT = 60
"""Strings with a line break or more characters than this get a text area."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    `value` is what it starts with, MISSING if nothing. `choices` are the values of a choice. `schema` is the
    part of the JSON Schema that holds for it, None if none is known; `root` is the schema around it.
    """

    name: str
    kind: FieldKind
    value: Any = MISSING
    title: str = ""
    description: str = ""
    required: bool = True
    choices: tuple[Any, ...] = ()
    schema: Mapping[str, Any] | None = None
    root: Mapping[str, Any] | None = dataclass_field(default=None, repr=False)


def _kind_of_value(value: Any) -> FieldKind:
    if isinstance(value, str):
        return "longtext" if "\n" in value or len(value) > LONG_TEXT else "text"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "json"


def _kind_of_schema(schema: Mapping[str, Any], value: Any) -> FieldKind:
    if "enum" in schema:
        return "choice"
    name = schema.get("type")
    if name == "string":
        return _kind_of_value(value) if isinstance(value, str) else "text"
    if name in ("boolean", "integer", "number"):
        return name  # type: ignore[no-any-return]
    return "json"


def fields_of_args(args: Mapping[str, Any], schema: Mapping[str, Any] | None = None) -> tuple[Field, ...]:
    """Return one field an argument, in order; then those that only the schema knows.

    >>> [(f.name, f.kind) for f in fields_of_args({"sql": "SELECT 1", "limit": 5})]
    [('sql', 'text'), ('limit', 'integer')]
    """
    if schema is None:
        return tuple(Field(name, _kind_of_value(value), value, title=name) for name, value in args.items())
    return fields_of_schema(schema, args)


def fields_of_schema(schema: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> tuple[Field, ...]:
    """Return the fields of an object schema, filled with `values`, else with its defaults."""
    values = values or {}
    root = schema
    schema = resolve(schema, root)
    required = schema.get("required", ())
    fields: list[Field] = []
    for name, part in schema.get("properties", {}).items():
        field_schema = resolve(part, root) if isinstance(part, dict) else {}
        value = values.get(name, field_schema.get("default", MISSING))
        fields.append(
            Field(
                name=name,
                kind=_kind_of_schema(field_schema, value),
                value=value,
                title=str(field_schema.get("title", name)),
                description=str(field_schema.get("description", "")),
                required=name in required,
                choices=tuple(field_schema.get("enum", ())),
                schema=field_schema,
                root=root,
            )
        )
    known = {field.name for field in fields}
    fields.extend(Field(n, _kind_of_value(v), v, title=n) for n, v in values.items() if n not in known)
    return tuple(fields)


def parse_json(text: str) -> Any:
    """Return the JSON value that `text` spells.

    Raises:
        ValueError: it is not JSON; the message says where, for a person. NaN and Infinity are not JSON.
    """

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not a JSON value")

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"this is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None


def _number(field: Field, text: str) -> int | float:
    value = parse_json(text.strip()) if text.strip() else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"must be a number, not {text!r}")
    if field.kind == "integer" and isinstance(value, float):
        raise ValueError(f"must be a whole number, not {text!r}")
    return value


def read_field(field: Field, given: Any, *, typed: bool = True) -> Any:
    """Return the JSON value for what a person typed into a field (`typed`), or code gave for it.

    Typed strings are parsed for fields that do not hold text; other values are taken as they are.

    Raises:
        ValueError: it does not fit the field; the message is for the person.
    """
    value = given
    if typed and isinstance(given, str):
        if field.kind in ("integer", "number"):
            value = _number(field, given)
        elif field.kind in ("boolean", "json"):
            value = parse_json(given)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must be a finite number, not {value}")
    if field.schema:
        for path, problem in errors_of(value, field.schema, field.root):
            raise ValueError(f"{path} {problem}".strip())
    elif field.value is not MISSING:
        _check_kind(field.value, value)
    return value


def _check_kind(shown: Any, value: Any) -> None:
    """Refuse a value of another JSON type than the one that was shown: nothing else says what is allowed."""
    old, new = json_type(shown), json_type(value)
    if old == "null":
        return
    if old != new and not (old == "number" and new == "integer"):
        raise ValueError(f"must be of type {old}, as in the question, not {new}")


def read_fields(
    fields: Sequence[Field], given: Mapping[str, Any], *, typed: bool = True
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return `(values, errors)`: the JSON values for what was typed or given, and for each wrong field why.

    A required field that is left out, and a name that is no field, are errors.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field in fields:
        if field.name not in given or given[field.name] is MISSING:
            if field.required:
                errors[field.name] = "is missing"
            continue
        try:
            values[field.name] = read_field(field, given[field.name], typed=typed)
        except ValueError as error:
            errors[field.name] = str(error)
    known = ", ".join(field.name for field in fields) or "none"
    errors.update(
        (name, f"is not one of the question's fields: {known}")
        for name in given
        if name not in {field.name for field in fields}
    )
    return values, errors
