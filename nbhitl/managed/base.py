"""State keys that the engine fills in anew for each node, and that are never written or saved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeGuard, TypeVar

__all__ = ["ManagedValue", "ManagedValueMapping", "ManagedValueSpec", "is_managed_value"]

V = TypeVar("V")


class ManagedValue(ABC, Generic[V]):
    """Annotate a state key with a subclass: `steps: Annotated[int, RemainingStepsManager]`."""

    @staticmethod
    @abstractmethod
    def get(scratchpad: Any) -> Any:
        """Return the key's value in superstep `scratchpad.step` of a run that may not reach `scratchpad.stop`."""


ManagedValueSpec = type[ManagedValue[Any]]
"""What marks a state key in an annotation."""

ManagedValueMapping = dict[str, ManagedValueSpec]
"""The managed values of a schema, by state key."""


def is_managed_value(value: object) -> TypeGuard[type[ManagedValue[Any]]]:
    """Whether `value`, from an annotation, is a class of managed values."""
    return isinstance(value, type) and issubclass(value, ManagedValue)
