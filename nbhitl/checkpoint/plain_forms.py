"""What tasks write, and waiting channels, as plain data, for serializers that know nothing of nbhitl's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
from nbhitl.constants import INTERRUPT, OVERWRITE, TASKS
from nbhitl.types import Interrupt, Overwrite, Send, TimeoutPolicy, TypeSchema

if TYPE_CHECKING:
    from nbhitl.channels.base import BaseChannel

CLAIM = "__claim__"
"""The entry of `configurable` that tells a saver whose answer it gets: owner, by, at and lease of a `ClaimRequest`; None
if the saver has entered the claim already.
"""

_LIMITS = ("run_timeout", "idle_timeout", "refresh_on")
_OF_TYPE = "schema_of_type"
_QUESTION = {"value", "id", "response_schema"}
_SEND = {"node", "arg"}
_OVERWRITE = {"value", "type"}


def gate_to_plain(value: Any) -> Any:
    """Return the stored form of a channel without sets and tuples, which not every serializer keeps."""
    if isinstance(value, set):
        return sorted(value)
    return [gate_to_plain(part) for part in value] if isinstance(value, tuple) else value


def gate_from_plain(gate: BaseChannel[Any, Any, Any], value: Any) -> Any:
    """Return what a waiting channel keeps from its plain form."""
    if isinstance(gate, NamedBarrierValueAfterFinish):
        return set(value[0]), value[1]
    return set(value) if isinstance(gate, NamedBarrierValue) else tuple(value)


def to_plain(channel: str, value: Any, node: str = "") -> Any:
    """Return what a task of `node` wrote to a channel as plain data, if it is a question, a Send or an Overwrite."""
    if channel == INTERRUPT:
        return [_interrupt_to_plain(i, node) for i in value]
    if channel == TASKS and isinstance(value, Send):
        plain = {"node": value.node, "arg": value.arg}
        limits = value.timeout
        if limits is not None:
            plain["timeout"] = {name: getattr(limits, name) for name in _LIMITS}
        return plain
    if type(value) is Overwrite:
        return {"value": value.value, "type": value.type}
    return value


def _interrupt_to_plain(asked: Interrupt, node: str) -> dict[str, Any]:
    schema = asked.response_schema
    plain = {"value": asked.value, "id": asked.id, "response_schema": schema, "node": node}
    if asked.site is not None:
        plain["site"] = asked.site
    if asked.place is not None:
        plain["place"] = asked.place
    return (
        {**plain, "response_schema": dict(schema), _OF_TYPE: True}
        if isinstance(schema, TypeSchema)
        else plain
    )


def _interrupt_from_plain(plain: dict[str, Any]) -> Interrupt:
    schema = plain["response_schema"]
    asked = Interrupt(
        plain["value"], plain["id"], response_schema=TypeSchema(schema) if plain.get(_OF_TYPE) else schema
    )
    asked.site, asked.place = plain.get("site"), plain.get("place")
    return asked


def is_plain_interrupt(value: Any) -> bool:
    """Whether a value is a question in the form that `to_plain` gives it."""
    return isinstance(value, dict) and value.keys() >= _QUESTION


def from_plain(channel: str, value: Any) -> Any:
    """Return what `to_plain` was given."""
    if channel == INTERRUPT and isinstance(value, list):
        return [_interrupt_from_plain(i) if is_plain_interrupt(i) else i for i in value]
    if channel == TASKS and isinstance(value, dict) and value.keys() >= _SEND:
        limits = value.get("timeout")
        return Send(value["node"], value["arg"], timeout=TimeoutPolicy(**limits) if limits else None)
    if type(value) is dict and value.get("type") == OVERWRITE and value.keys() == _OVERWRITE:
        return Overwrite(value["value"])
    return value
