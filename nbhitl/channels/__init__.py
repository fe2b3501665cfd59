"""The channels that a state key can be annotated with, each imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbhitl.channels.any_value import AnyValue
    from nbhitl.channels.base import BaseChannel
    from nbhitl.channels.binop import BinaryOperatorAggregate
    from nbhitl.channels.ephemeral_value import EphemeralValue
    from nbhitl.channels.last_value import LastValue, LastValueAfterFinish
    from nbhitl.channels.named_barrier_value import NamedBarrierValue, NamedBarrierValueAfterFinish
    from nbhitl.channels.topic import Topic
    from nbhitl.channels.untracked_value import UntrackedValue

__all__ = [
    "AnyValue",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "DeltaChannel",
    "EphemeralValue",
    "LastValue",
    "LastValueAfterFinish",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "Topic",
    "UntrackedValue",
]

_HOMES = {
    "AnyValue": "any_value",
    "BaseChannel": "base",
    "BinaryOperatorAggregate": "binop",
    "DeltaChannel": "delta",
    "EphemeralValue": "ephemeral_value",
    "LastValue": "last_value",
    "LastValueAfterFinish": "last_value",
    "NamedBarrierValue": "named_barrier_value",
    "NamedBarrierValueAfterFinish": "named_barrier_value",
    "Topic": "topic",
    "UntrackedValue": "untracked_value",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
