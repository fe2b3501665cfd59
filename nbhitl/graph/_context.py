"""The context of a run: what `context=` becomes; pure."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any


def coerced_context(schema: Any, context: Any) -> Any:
    """Return `context` as an instance of `schema`; a dict stays a dict where the schema is a TypedDict.

    What is empty counts as not given, as LangGraph has it.

    Raises:
        TypeError: a dataclass without such a field.
        pydantic.ValidationError: a model that does not accept the values.
    """
    if schema is None or context is None or not isinstance(context, dict):
        return context or None
    if isinstance(schema, type) and is_dataclass(schema):
        try:
            return schema(**context)
        except TypeError as error:
            known = ", ".join(field.name for field in fields(schema) if field.init)
            error.add_note(f"context= is made into a {schema.__name__}; its fields are: {known or 'none'}.")
            raise
    return schema(**context) if hasattr(schema, "model_fields") else context or None
