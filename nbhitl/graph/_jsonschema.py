"""JSON Schemas of a graph's input, output and context; loads pydantic when somebody asks."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any


def json_schema_of(schema: Any, name: str) -> dict[str, Any]:
    """Return the JSON Schema of what a graph takes or returns; `name` is the title of what has none of its own."""
    from nbhitl.graph._schema import has_keys

    found = json_schema(schema)
    if not has_keys(schema):
        return dict(sorted({"default": None, **found, "title": name}.items()))
    return {**found, "title": name} if is_dataclass(schema) else found


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


def input_model(name: str, schema: Any) -> Any:
    """Return a model of `schema`: itself if it is one, else one that holds such a value."""
    from pydantic import BaseModel, RootModel
    from pydantic.errors import PydanticUserError

    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema
    try:
        return type(name, (RootModel[schema],), {})
    except PydanticUserError:
        # typing.TypedDict before Python 3.12.
        return output_model(name, schema)


def output_model(name: str, schema: Any) -> Any:
    """Return a model with the keys of `schema`, none of them required, or of its one value."""
    from pydantic import ConfigDict, create_model

    from nbhitl.graph._schema import has_keys, type_hints

    if schema is None or not has_keys(schema):
        return input_model(name, Any if schema is None else schema)
    fields: dict[str, Any] = {key: (hint, None) for key, hint in type_hints(schema).items()}
    return create_model(name, __config__=ConfigDict(arbitrary_types_allowed=True), **fields)
