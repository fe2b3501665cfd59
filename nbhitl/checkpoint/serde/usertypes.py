"""A user's own classes: their fields are stored as data, and put back without running their code.

An instance is stored under its class's name. The name is looked up among the classes that were registered
with the serializer; it is never imported. Constructors, `__post_init__` and validators do not run on loading.
"""

from __future__ import annotations

import dataclasses
from enum import Enum
from inspect import getattr_static
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from nbhitl.checkpoint.serde import tags
from nbhitl.checkpoint.serde.plain import listed
from nbhitl.errors import StoreError, UnsupportedValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbhitl.checkpoint.serde.plain import Codec


_FIELDS = frozenset({dict, type(None)})


class Opaque(NamedTuple):
    """A stored value whose class is not known here: its kind, its class's name, and its fields as data."""

    kind: int
    name: str
    data: Any


def type_name(cls: type) -> str:
    """Return the name that instances of `cls` are stored under.

    >>> type_name(Opaque)
    'nbhitl.checkpoint.serde.usertypes:Opaque'
    """
    return f"{cls.__module__}:{cls.__qualname__}"


def is_pydantic(cls: type) -> bool:
    """Whether `cls` is a class of pydantic models; pydantic need not be installed or loaded."""
    return hasattr(cls, "model_fields") and hasattr(cls, "__pydantic_validator__")


def is_older_pydantic(cls: type) -> bool:
    """Whether `cls` is a class of models of `pydantic.v1`, which comes with pydantic."""
    return any(base.__module__ == "pydantic.v1.main" and base.__name__ == "BaseModel" for base in cls.__mro__)


def is_named_tuple(cls: type) -> bool:
    """Whether `cls` is a NamedTuple."""
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def kind_of(cls: type) -> int | None:
    """Return the tag for instances of `cls`, None if it is not a class whose fields are known."""
    if issubclass(cls, Enum):
        return tags.ENUM
    if is_pydantic(cls):
        return tags.PYDANTIC
    if is_older_pydantic(cls):
        return tags.PYDANTIC_V1
    if dataclasses.is_dataclass(cls):
        return tags.DATACLASS
    if is_named_tuple(cls):
        return tags.NAMED_TUPLE
    return None


def user_codec(cls: type) -> Codec:
    """Return how to store instances of `cls`: the tag, and a function to `[class name, ...fields]`."""
    name = type_name(cls)
    kind = kind_of(cls)
    if kind == tags.ENUM:
        return kind, lambda value: [name, *_enum_data(value)]
    if kind == tags.PYDANTIC:
        names = tuple(cast("Any", cls).model_fields)
        return kind, lambda value: [name, *_pydantic_data(value, names)]
    if kind == tags.PYDANTIC_V1:
        return kind, lambda value: [name, *_older_pydantic_data(value)]
    if kind == tags.DATACLASS:
        fields = tuple(field.name for field in dataclasses.fields(cls))
        return kind, lambda value: [name, *_dataclass_data(value, fields)]
    if kind == tags.NAMED_TUPLE:
        return kind, lambda value: [name, list(value)]
    raise UnsupportedValue(f"{name} is not a dataclass, a pydantic model, an Enum or a NamedTuple")


def _enum_data(value: Enum) -> list[Any]:
    named = value.name is not None and value.name in type(value).__members__
    return [value.name] if named else [None, value.value]


def _dataclass_data(value: Any, fields: tuple[str, ...]) -> list[Any]:
    data = {name: getattr(value, name) for name in fields if hasattr(value, name)}
    held = getattr(value, "__dict__", None)
    if held is None or len(held) <= len(data):
        return [data]
    beside = _attributes(type(value), {name: item for name, item in held.items() if name not in fields})
    return [data, beside] if beside else [data]


def _attributes(cls: type, held: dict[str, Any]) -> dict[str, Any]:
    """Return what an instance holds beside its fields, as `__post_init__` may have left it.

    Not what a descriptor of its class keeps there (`cached_property`), nor Python's own notes (`__orig_class__`).

    Raises:
        UnsupportedValue: one hides a method, which data read from a store must never do.
    """
    kept = {}
    for name, item in held.items():
        known = getattr_static(cls, name, None)
        if callable(known) or isinstance(known, classmethod):
            raise UnsupportedValue(
                f"{type_name(cls)} holds an attribute {name!r} in the place of its method. Give it another name, or make "
                "it a field"
            )
        if not (hasattr(known, "__get__") or (name.startswith("__") and name.endswith("__"))):
            kept[name] = item
    return kept


def _is_code(known: object) -> bool:
    return hasattr(known, "__get__") or callable(known)


def _pydantic_data(value: Any, fields: tuple[str, ...]) -> list[Any]:
    private = value.__pydantic_private__
    data = [
        dict(value.__dict__),
        sorted(value.__pydantic_fields_set__),
        value.__pydantic_extra__,
        None if private is None else dict(private),
    ]
    if len(value.__dict__) < len(fields):  # made by model_construct, without all that is required
        data.append([name for name in fields if name not in value.__dict__])
    return data


def _older_pydantic_data(value: Any) -> list[Any]:
    private = {name: getattr(value, name) for name in value.__private_attributes__ if hasattr(value, name)}
    return [dict(value.__dict__), sorted(value.__fields_set__), private]


def rebuild(kind: int, cls: type, data: list[Any]) -> Any:
    """Return the instance of `cls` with these fields.

    Fields that the class has gained since get their defaults; fields that it has lost are left out.

    Raises:
        StoreError: the data does not fit the class any more.
    """
    if kind_of(cls) != kind:
        raise StoreError(
            f"{type_name(cls)} was stored as a {tags.NAMES[kind]} and is none any more. "
            "Register the class as it was, or delete the thread."
        )
    if kind == tags.ENUM:
        return _rebuild_enum(cast("type[Enum]", cls), data)
    if kind == tags.PYDANTIC:
        return _rebuild_pydantic(cls, data)
    if kind == tags.PYDANTIC_V1:
        return _rebuild_older_pydantic(cls, data)
    if kind == tags.DATACLASS:
        return _rebuild_dataclass(cls, *data)
    return _rebuild_named_tuple(cls, listed(data[0]))


def _rebuild_enum(cls: type[Enum], data: list[Any]) -> Enum:
    try:
        return cls(data[1]) if data[0] is None else cls[data[0]]
    except (KeyError, ValueError):
        raise StoreError(
            f"{type_name(cls)} has no member {data[0] or data[1]!r} any more. Add it back, or delete "
            "the thread."
        ) from None


def _rebuild_named_tuple(cls: type[Any], values: list[Any]) -> Any:
    fields: tuple[str, ...] = cls._fields
    defaults: dict[str, Any] = cls._field_defaults
    missing = fields[len(values) :]
    if len(values) > len(fields) or any(name not in defaults for name in missing):
        raise StoreError(
            f"{type_name(cls)} was stored with {len(values)} fields and now has {len(fields)}. Give new "
            "fields "
            "a default, or delete the thread."
        )
    return tuple.__new__(cls, [*values, *(defaults[name] for name in missing)])


def _rebuild_dataclass(cls: Any, values: dict[str, Any], beside: dict[str, Any] | None = None) -> Any:
    if type(values) is not dict or type(beside) not in _FIELDS:
        raise TypeError(f"the fields of a {type_name(cls)} are no dict")
    instance = object.__new__(cls)
    if beside:
        if any(_is_code(getattr_static(cls, name, None)) for name in beside):
            raise TypeError(f"an attribute of a {type_name(cls)} is in the place of a method")
        instance.__dict__.update(beside)
    for field in dataclasses.fields(cls):
        if field.name in values:
            value = values[field.name]
        elif field.default is not dataclasses.MISSING:
            value = field.default
        elif field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        elif field.init:
            raise _lost_field(cls, field.name)
        else:
            continue
        object.__setattr__(instance, field.name, value)
    return instance


def _rebuild_pydantic(cls: Any, data: list[Any]) -> Any:
    values, fields_set, extra, private, *left_out = data
    never_had = set(listed(left_out[0])) if left_out else ()
    if type(values) is not dict or type(extra) not in _FIELDS or type(private) not in _FIELDS or left_out[1:]:
        raise TypeError(f"the fields of a {type_name(cls)} are no dicts")
    kept: dict[str, Any] = {}
    for name, field in cls.model_fields.items():
        if name in values:
            kept[name] = values[name]
        elif name in never_had:
            continue
        elif field.is_required():
            raise _lost_field(cls, name)
        else:
            kept[name] = field.get_default(call_default_factory=True, validated_data=kept)
    instance = cls.__new__(cls)
    object.__setattr__(instance, "__dict__", kept)
    object.__setattr__(
        instance, "__pydantic_fields_set__", set(listed(fields_set)) & (kept.keys() | (extra or {}).keys())
    )
    if not cls.__pydantic_root_model__:  # which has no slots for these: they would become fields
        object.__setattr__(instance, "__pydantic_extra__", extra)
        object.__setattr__(instance, "__pydantic_private__", private)
    return instance


def _rebuild_older_pydantic(cls: Any, data: list[Any]) -> Any:
    values, fields_set, private = data
    if type(values) is not dict or type(private) is not dict:
        raise TypeError(f"the fields of a {type_name(cls)} are no dicts")
    kept = {name: item for name, item in values.items() if name in cls.__fields__ or _takes_more(cls)}
    for name, field in cls.__fields__.items():
        if name in kept:
            continue
        if field.required:
            raise _lost_field(cls, name)
        kept[name] = field.get_default()
    instance = cls.__new__(cls)
    object.__setattr__(instance, "__dict__", kept)
    object.__setattr__(instance, "__fields_set__", set(listed(fields_set)) & kept.keys())
    for name, item in private.items():
        if name in cls.__private_attributes__:
            object.__setattr__(instance, name, item)
    return instance


def _takes_more(cls: Any) -> bool:
    return str(getattr(cls.__config__.extra, "value", cls.__config__.extra)) == "allow"


def _lost_field(cls: type, field: str) -> StoreError:
    return StoreError(
        f"{type_name(cls)} has a field {field!r} that was not stored. Give it a default, or delete the "
        "thread."
    )


def unknown_class(cls: type) -> UnsupportedValue:
    """Return the error for an instance of a class that the serializer does not hold."""
    name = type_name(cls).replace(":", ".")
    if name.startswith("nbhitl."):
        return UnsupportedValue(
            f"the class {name} is none to keep in a state. Return what you need of it, of a Decision its .value, .args "
            "or .reason"
        )
    if kind_of(cls) is not None:
        return UnsupportedValue(
            f"the class {name} is not registered. Name it in the state's schema, or register it once: "
            f"saver.serde.register({cls.__name__})"
        )
    return UnsupportedValue(
        f"the class {name} is not stored as data. Make it a dataclass, a pydantic model, an Enum or a "
        "NamedTuple, "
        "or keep only its data in the state"
    )


def related(classes: list[type]) -> Iterator[type]:
    """Yield `classes` and all their subclasses that this process has loaded."""
    waiting, seen = list(classes), set(classes)
    while waiting:
        cls = waiting.pop()
        yield cls
        subclasses: list[type] = type.__subclasses__(cls)
        for sub in subclasses:
            if sub not in seen:
                seen.add(sub)
                waiting.append(sub)
