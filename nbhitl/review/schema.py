"""Checks a JSON value against a JSON Schema: the part of the standard that forms and answers use.

Keywords that only annotate are ignored. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: (
        (isinstance(v, int) and not isinstance(v, bool)) or (isinstance(v, float) and v.is_integer())
    ),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "null": lambda v: v is None,
}


def json_type(value: Any) -> str:
    """Return the JSON name of a value's type.

    >>> json_type(True), json_type(1), json_type(1.5), json_type(None)
    ('boolean', 'integer', 'number', 'null')
    """
    for name in ("boolean", "integer", "number", "string", "array", "object", "null"):
        if _TYPES[name](value) and not (name == "integer" and isinstance(value, float)):
            return name
    return type(value).__name__


def resolve(schema: Any, root: Mapping[str, Any]) -> Any:
    """Return what `schema` refers to by `$ref: "#/..."`, or `schema` itself.

    Raises:
        ValueError: the reference leads nowhere, or outside of the schema.
    """
    seen: set[str] = set()
    while isinstance(schema, dict) and isinstance(ref := schema.get("$ref"), str):
        if ref in seen or not ref.startswith("#"):
            raise ValueError(f"the response schema refers to {ref!r}, which it does not hold")
        seen.add(ref)
        target: Any = root
        for part in filter(None, ref[1:].split("/")):
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or name not in target:
                raise ValueError(f"the response schema refers to {ref!r}, which it does not hold")
            target = target[name]
        schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def errors_of(
    value: Any, schema: Any, root: Mapping[str, Any] | None = None, path: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield `(path, what is wrong)` for each way in which `value` does not fit; the path of the whole is "".

    >>> list(errors_of({"n": "x"}, {"type": "object", "properties": {"n": {"type": "integer"}}}))
    [('n', "must be of type integer, not string ('x')")]
    """
    if schema is True or schema == {}:
        return
    if schema is False:
        yield path, "is not allowed here"
        return
    root = schema if root is None else root
    schema = resolve(schema, root)
    types = schema.get("type")
    names = [types] if isinstance(types, str) else list(types or ())
    if names and not any(_TYPES.get(name, lambda _: True)(value) for name in names):
        yield path, f"must be of type {' or '.join(names)}, not {json_type(value)} ({_brief(value)})"
        return
    yield from _values(value, schema, path)
    yield from _alternatives(value, schema, root, path)
    if isinstance(value, dict):
        yield from _object(value, schema, root, path)
    if isinstance(value, list):
        yield from _array(value, schema, root, path)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _values(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if "const" in schema and not _equal(value, schema["const"]):
        yield path, f"must be {schema['const']!r}, not {_brief(value)}"
    if "enum" in schema and not any(_equal(value, choice) for choice in schema["enum"]):
        yield path, f"must be one of {', '.join(map(repr, schema['enum']))}, not {_brief(value)}"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number(value, schema, path)
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield path, f"must have at least {schema['minLength']} characters"
        if len(value) > schema.get("maxLength", len(value)):
            yield path, f"must have at most {schema['maxLength']} characters"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield path, f"must match {schema['pattern']!r}"


def _equal(value: Any, other: Any) -> bool:
    """Whether they are equal as JSON Schema has it: `1` and `1.0` are one number, and `true` is none."""
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(_equal(value[key], other[key]) for key in value)
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(map(_equal, value, other))
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _number(value: float, schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    if value < schema.get("minimum", value):
        yield path, f"must be at least {schema['minimum']}, not {value}"
    if value > schema.get("maximum", value):
        yield path, f"must be at most {schema['maximum']}, not {value}"
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield path, f"must be more than {schema['exclusiveMinimum']}, not {value}"
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        yield path, f"must be less than {schema['exclusiveMaximum']}, not {value}"


def _fits(value: Any, schema: Any, root: Mapping[str, Any]) -> bool:
    return next(errors_of(value, schema, root), None) is None


def _alternatives(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    for part in schema.get("allOf", ()):
        yield from errors_of(value, part, root, path)
    for key in ("anyOf", "oneOf"):
        choices = schema.get(key) or ()
        fitting = sum(_fits(value, choice, root) for choice in choices)
        if key == "oneOf" and fitting > 1:
            yield (
                path,
                f"fits {fitting} of the {len(choices)} forms that it may have, and has to fit one alone",
            )
        if not choices or fitting:
            continue
        named = [list(errors_of(value, choice, root, path)) for choice in choices]
        closest = max(named, key=lambda found: max(len(where) for where, _ in found))
        yield from closest


def _object(
    value: dict[str, Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield _join(path, name), "is missing"
    for name, item in value.items():
        if name in properties:
            yield from errors_of(item, properties[name], root, _join(path, name))
        elif (extra := schema.get("additionalProperties", True)) is False:
            known = ", ".join(properties) or "none"
            yield _join(path, name), f"is not known; the fields are: {known}"
        elif isinstance(extra, dict):
            yield from errors_of(item, extra, root, _join(path, name))


def _array(
    value: list[Any], schema: Mapping[str, Any], root: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    if len(value) < schema.get("minItems", 0):
        yield path, f"must have at least {schema['minItems']} items"
    if len(value) > schema.get("maxItems", len(value)):
        yield path, f"must have at most {schema['maxItems']} items"
    items = schema.get("items", True)
    for index, item in enumerate(value):
        yield from errors_of(item, items, root, _join(path, str(index)))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
