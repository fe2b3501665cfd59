"""Which classes a schema speaks of: what `compile()` registers."""

from __future__ import annotations

import dataclasses
import types
from typing import TYPE_CHECKING, Any, get_args, get_type_hints, is_typeddict

from nbhitl.checkpoint.serde.usertypes import is_named_tuple, is_pydantic, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def classes_in(*schemas: Any) -> Iterator[type]:
    """Yield the dataclasses, pydantic models, Enums and NamedTuples in annotations, at any depth."""
    waiting, seen = list(schemas), set[int]()
    while waiting:
        schema = waiting.pop()
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        if isinstance(schema, type) and not isinstance(schema, types.GenericAlias):
            if kind_of(schema) is not None:
                yield schema
            waiting.extend(_field_types(schema))
        elif isinstance(schema, types.FunctionType):
            continue
        else:
            waiting.extend(_parts(schema))


def _parts(annotation: Any) -> list[Any]:
    origin = getattr(annotation, "__origin__", None)
    alias = getattr(annotation, "__value__", None)  # type X = ...
    return [part for part in (origin, alias, *get_args(annotation)) if part is not None]


def _field_types(cls: type) -> list[Any]:
    if is_pydantic(cls):
        return [field.annotation for field in cls.model_fields.values()]  # type: ignore[attr-defined]
    if not (is_typeddict(cls) or dataclasses.is_dataclass(cls) or is_named_tuple(cls)):
        return []
    try:
        return list(get_type_hints(cls, include_extras=True).values())
    except (NameError, TypeError):
        # A name that only the caller's function knows: its class is registered by hand, or using it fails.
        return [hint for hint in getattr(cls, "__annotations__", {}).values() if not isinstance(hint, str)]
