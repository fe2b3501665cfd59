"""Names that savers written for LangGraph import from here: reserved channels, and what a Send and a channel are."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from nbhitl.constants import ERROR, INTERRUPT, RESUME, SCHEDULED, TASKS

__all__ = ["ERROR", "INTERRUPT", "RESUME", "SCHEDULED", "TASKS", "ChannelProtocol", "SendProtocol"]


@runtime_checkable
class SendProtocol(Protocol):
    """A Send: which node it starts, and with what."""

    node: str
    arg: Any


class ChannelProtocol(Protocol):
    """A channel, as far as a saver has to know it."""

    def checkpoint(self) -> Any:
        """Return what is stored of it."""

    def from_checkpoint(self, checkpoint: Any) -> Any:
        """Return a channel with that in it."""
