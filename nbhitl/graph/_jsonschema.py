"""JSON Schemas of a graph's input, output and context; loads pydantic when somebody asks."""

from __future__ import annotations

from typing import Any


def json_schema(schema: Any) -> dict[str, Any]:
    """Return the JSON Schema of a TypedDict, dataclass, model or any type that pydantic knows."""
    from pydantic import ConfigDict, TypeAdapter, create_model
    from pydantic.errors import PydanticUserError

    from nbhitl.graph._schema import has_keys, type_hints

    try:
        return TypeAdapter(schema).json_schema()
    except PydanticUserError:
        # typing.TypedDict before Python 3.12, and types that pydantic cannot look into.
        if not has_keys(schema):
            raise
        fields: dict[str, Any] = {name: (hint, None) for name, hint in type_hints(schema).items()}
        model = create_model(schema.__name__, __config__=ConfigDict(arbitrary_types_allowed=True), **fields)
        schema_of_model: dict[str, Any] = model.model_json_schema()
        return schema_of_model
