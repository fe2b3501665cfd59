"""From a state schema to channels: what each annotated key means; pure."""

from __future__ import annotations

import inspect
import sys
import typing
from dataclasses import is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NotRequired, Required, get_args, get_origin

from nbhitl._langchain import is_message_class
from nbhitl.channels.base import BaseChannel
from nbhitl.channels.binop import BinaryOperatorAggregate
from nbhitl.channels.last_value import LastValue
from nbhitl.engine.program import ROOT, Reader
from nbhitl.graph._signature import first_parameter
from nbhitl.managed.base import is_managed_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# typing has ReadOnly from Python 3.13 on.
_MARKERS = (Required, NotRequired, getattr(typing, "ReadOnly", Required))


class SchemaKeys(NamedTuple):
    """What a schema declares: `{key: channel}`, and `{key: managed value}` for those that the engine fills."""

    channels: dict[str, BaseChannel[Any, Any, Any]]
    managed: dict[str, Any]


def schema_keys(schema: Any) -> SchemaKeys:
    """Return the keys of a schema; a schema without keys is one value, under the key ROOT.

    Raises:
        ValueError: a reducer does not take two arguments.
    """
    if not has_keys(schema):
        hint = schema.__annotations__[ROOT] if is_annotated(schema) else schema
        return SchemaKeys({ROOT: _channel(ROOT, hint, schema)}, {})
    channels: dict[str, BaseChannel[Any, Any, Any]] = {}
    managed: dict[str, Any] = {}
    for name, hint in type_hints(schema).items():
        if name == "__slots__":
            continue
        marker = _managed_of(hint)
        if marker is not None:
            managed[name] = marker
        else:
            channels[name] = _channel(name, hint, schema)
    return SchemaKeys(channels, managed)


def has_keys(schema: Any) -> bool:
    """Whether a schema names the keys of the state."""
    return is_annotated(schema) and not _is_root(schema)


def is_annotated(schema: Any) -> bool:
    """Whether a schema is a class with annotations, of its own or inherited."""
    if not isinstance(schema, type) or get_origin(schema) is not None:
        return False
    return any(getattr(base, "__annotations__", None) for base in schema.__mro__)


def _is_root(schema: type) -> bool:
    """Whether a schema's only key is ROOT: another way to write a state without keys."""
    return tuple(getattr(schema, "__annotations__", ())) == (ROOT,)


def keyed_parameter(target: Any, hints: dict[str, Any] | None) -> Any:
    """Return the type of a function's first parameter where it names state keys, else None.

    `hints` are what `hints_of(target)` returned.
    """
    hint = first_parameter(target, hints)
    return hint if hint is not None and has_keys(hint) else None


def type_hints(schema: Any) -> dict[str, Any]:
    """Return a schema's annotations with their metadata, those of its base classes included."""
    return typing.get_type_hints(schema, include_extras=True)


def bare(hint: Any) -> Any:
    """Return an annotation without what says whether the key has to be there."""
    while _is_marker(get_origin(hint)):
        hint = get_args(hint)[0]
    return hint


def _is_marker(origin: Any) -> bool:
    if origin is None or origin in _MARKERS:
        return origin is not None
    # A hint of that package's own ReadOnly is only there if the package is loaded; nothing else here needs it.
    return origin is getattr(sys.modules.get("typing_extensions"), "ReadOnly", None)


def _managed_of(hint: Any) -> Any:
    hint = bare(hint)
    if get_origin(hint) is not Annotated:
        return None
    return next((extra for extra in hint.__metadata__ if is_managed_value(extra)), None)


def _channel(name: str, hint: Any, schema: Any) -> BaseChannel[Any, Any, Any]:
    hint = bare(hint)
    if get_origin(hint) is Annotated:
        typ, marker = bare(hint.__origin__), hint.__metadata__[-1]
        # A channel counts wherever it stands, a reducer only as the last.
        for extra in hint.__metadata__:
            if isinstance(extra, BaseChannel):
                channel = extra.copy()
                channel.typ, channel.key = typ, name
                return channel
            if isinstance(extra, type) and issubclass(extra, BaseChannel):
                return extra(typ, key=name)
        if callable(marker):
            return BinaryOperatorAggregate(typ, _checked_reducer(marker, name, schema), name)
        hint = typ
    return LastValue(hint, name)


def is_plain(channel: BaseChannel[Any, Any, Any]) -> bool:
    """Whether a key just holds the last value written to it."""
    return type(channel) is LastValue


def _checked_reducer(reducer: Any, name: str, schema: Any) -> Any:
    owner = f"key {name!r} of {getattr(schema, '__name__', schema)}"
    try:
        parameters = list(inspect.signature(reducer).parameters.values())
    except ValueError as error:
        raise ValueError(
            f"{error}, so it cannot be seen whether it is a reducer for {owner}. Wrap it: "
            f"lambda a, b: {getattr(reducer, '__name__', 'it')}(a, b)."
        ) from None
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) == 2:
        return reducer
    raise ValueError(
        f"Invalid reducer signature. Expected (a, b) -> c. Got {inspect.signature(reducer)} for {owner}. "
        "A reducer takes the old value and one write, and returns the new value."
    )


def builder_of(schema: Any) -> Callable[[dict[str, Any]], Any] | None:
    """Return what makes a schema's instance of a dict of state; None for schemas that are dicts."""
    if not isinstance(schema, type) or get_origin(schema) is not None:
        return None
    if is_dataclass(schema) or hasattr(schema, "model_fields"):
        return lambda state: schema(**state)
    return None


def reader_of(schema: Any, keys: SchemaKeys, state_keys: Iterable[str]) -> Reader:
    """Return how input of type `schema`, which declares `keys`, is made from a state with `state_keys`."""
    if not has_keys(schema):
        return Reader(keys=None, root=True)
    wanted = tuple(keys.channels)
    whole = set(wanted) == set(state_keys)
    return Reader(
        keys=None if whole else wanted,
        build=builder_of(schema),
        managed=tuple(keys.managed.items()),
    )


def schema_types(schemas: Iterable[Any]) -> tuple[type, ...]:
    """Return the classes named in the schemas' annotations: those that a store must be able to hold."""
    found: dict[Any, bool] = {}
    for schema in schemas:
        _collect(schema, found)
    return tuple(cls for cls, held in found.items() if held)


def _collect(hint: Any, found: dict[Any, bool]) -> None:
    """Note the classes that an annotation names, and whether a store can hold instances of them."""
    given = bare(hint)
    hint = _named_type(given)
    if hint is not given and not isinstance(given, Enum):
        if given in found:
            return  # an alias may stand for what names it
        found[given] = False
    if get_origin(hint) is Annotated:
        _collect(hint.__origin__, found)
        return
    for argument in get_args(hint):
        _collect(argument, found)
    if not isinstance(hint, type) or hint in found or hint.__module__ in _PLAIN_MODULES:
        return
    if is_message_class(hint):
        return  # every store holds messages
    found[hint] = (
        is_dataclass(hint) or hasattr(hint, "model_fields") or issubclass(hint, Enum) or _is_named_tuple(hint)
    )
    if is_annotated(hint):
        try:
            hints = type_hints(hint)
        except (NameError, TypeError):
            return  # annotations that cannot be resolved are reported where a value of the type is saved
        for inner in hints.values():
            _collect(inner, found)


def _named_type(hint: Any) -> Any:
    """Return what a NewType, an alias or a type variable stands for, and of an Enum's member the Enum."""
    if isinstance(hint, Enum):
        return type(hint)
    for name in ("__supertype__", "__value__", "__bound__"):
        meant = None if isinstance(hint, type) else getattr(hint, name, None)
        if meant is not None:
            return _named_type(meant)
    return hint


def _is_named_tuple(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


_PLAIN_MODULES = frozenset({"builtins", "typing", "typing_extensions", "collections", "collections.abc"})
