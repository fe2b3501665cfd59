"""The channels that a state key can be annotated with."""

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
    "EphemeralValue",
    "LastValue",
    "LastValueAfterFinish",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "Topic",
    "UntrackedValue",
]
