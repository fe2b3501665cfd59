"""How much of the recursion limit is left, as state keys."""

from __future__ import annotations

from typing import Annotated, Any

from nbhitl.managed.base import ManagedValue

__all__ = ["IsLastStep", "IsLastStepManager", "RemainingSteps", "RemainingStepsManager"]


class IsLastStepManager(ManagedValue[bool]):
    """Whether this is the last superstep that the recursion limit allows."""

    @staticmethod
    def get(scratchpad: Any) -> bool:
        """Return whether the superstep after this one would be too many."""
        return bool(scratchpad.step == scratchpad.stop - 1)


class RemainingStepsManager(ManagedValue[int]):
    """How many supersteps the recursion limit allows, this one included."""

    @staticmethod
    def get(scratchpad: Any) -> int:
        """Return the number of supersteps left, this one included."""
        return int(scratchpad.stop - scratchpad.step)


IsLastStep = Annotated[bool, IsLastStepManager]
"""Annotate a state key with it: True in the last superstep that the recursion limit allows."""

RemainingSteps = Annotated[int, RemainingStepsManager]
"""Annotate a state key with it: the number of supersteps left, this one included."""
