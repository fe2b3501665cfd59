"""What every saver of steps promises; a saver's test class inherits this and says how to open one."""

from __future__ import annotations

from .answers import KeepsAnswers
from .interface import SpeaksLangGraph
from .opening import config
from .read import ReadsAgain
from .saved import SavesSteps
from .upkeep import ForgetsAndCopies

__all__ = ["SaverContract", "config"]


class SaverContract(SavesSteps, ReadsAgain, KeepsAnswers, ForgetsAndCopies, SpeaksLangGraph):
    """The whole contract."""
