"""JSON Schemas of a graph's input, output and context; loads pydantic when somebody asks."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin


def json_schema_of(schema: Any, name: str) -> dict[str, Any]:
    """Return the JSON Schema of what a graph takes or returns; `name` is the title of what has none of its own."""
    from nbhitl.graph._schema import is_annotated

    if is_dataclass(schema):
        return _schema_of_fields(name, schema)
    found = json_schema(schema)
    return found if is_annotated(schema) else dict(sorted({"default": None, **found, "title": name}.items()))


def _schema_of_fields(name: str, schema: Any) -> dict[str, Any]:
    """Return the JSON Schema of a dataclass under another name, what its factories make shown as defaults."""
    from pydantic import ConfigDict, create_model

    from nbhitl.graph._schema import bare, type_hints

    hints = type_hints(schema)
    filled: dict[str, Any] = {
        field.name: (bare(hints[field.name]), _default(field, hints[field.name]))
        for field in fields(schema)
        if field.name in hints
    }
    model = create_model(name, __config__=ConfigDict(arbitrary_types_allowed=True), **filled)
    found: dict[str, Any] = model.model_json_schema()
    return found


def _default(field: Field[Any], hint: Any) -> Any:
    """What a field is without being given; one that may be None need not be, although the class asks for it."""
    if field.default_factory is not MISSING:
        return field.default_factory()
    if field.default is not MISSING:
        return field.default
    return None if _may_be_none(hint) else ...


def _may_be_none(hint: Any) -> bool:
    from nbhitl.graph._schema import bare

    hint = bare(hint)
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


def json_schema(schema: Any) -> dict[str, Any]:
    """Return the JSON Schema of a TypedDict, dataclass, model or any type that pydantic knows."""
    from pydantic import ConfigDict, TypeAdapter, create_model
    from pydantic.errors import PydanticUserError

    from nbhitl.graph._schema import has_keys, type_hints

    schema = _with_messages(schema)
    try:
        return TypeAdapter(schema).json_schema()
    except PydanticUserError:
        # typing.TypedDict before Python 3.12, and types that pydantic cannot look into.
        if not has_keys(schema):
            raise
        keys: dict[str, Any] = {name: (hint, None) for name, hint in type_hints(schema).items()}
        model = create_model(schema.__name__, __config__=ConfigDict(arbitrary_types_allowed=True), **keys)
        schema_of_model: dict[str, Any] = model.model_json_schema()
        return schema_of_model


def _with_messages(schema: Any) -> Any:
    """Return a TypedDict with LangChain's messages in the place of `AnyMessage`, which is Any here; else `schema`."""
    from nbhitl._langchain import langchain_module
    from nbhitl.graph._schema import bare, type_hints
    from nbhitl.graph.message import MessagesState

    hints = (
        {name: bare(hint) for name, hint in type_hints(schema).items()}
        if hasattr(schema, "__optional_keys__")
        else {}
    )
    names = [name for name, hint in hints.items() if _holds_messages(hint)]
    messages: Any = langchain_module("messages") if names else None
    if messages is None:
        return schema
    from typing import NotRequired

    from typing_extensions import TypedDict

    hints.update((name, list[messages.AnyMessage]) for name in names)
    keys = {
        key: NotRequired[hint] if key in schema.__optional_keys__ else hint for key, hint in hints.items()
    }
    make: Any = TypedDict
    shown = make(schema.__name__, keys)
    shown.__doc__ = None if schema is MessagesState else schema.__doc__
    return shown


def _holds_messages(hint: Any) -> bool:
    """Whether a key is a list of messages of any kind: its reducer tells."""
    from nbhitl.graph.message import add_messages

    return (
        get_origin(hint) is Annotated and get_args(hint)[0] == list[Any] and add_messages in hint.__metadata__
    )


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

    from nbhitl.graph._schema import bare, has_keys, type_hints

    if schema is None or not has_keys(schema):
        return input_model(name, Any if schema is None else schema)
    hints = type_hints(_with_messages(schema))
    keys: dict[str, Any] = {key: (bare(hint), None) for key, hint in hints.items()}
    return create_model(name, __config__=ConfigDict(arbitrary_types_allowed=True), **keys)
