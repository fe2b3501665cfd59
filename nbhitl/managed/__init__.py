"""State keys that the engine fills in: how many steps a run has left."""

from nbhitl.managed.is_last_step import IsLastStep, RemainingSteps

__all__ = ["IsLastStep", "RemainingSteps"]
