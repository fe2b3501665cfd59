"""What LangGraph's programs ask a compiled graph about its channels: which it takes, returns and streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbhitl.constants import START
from nbhitl.engine.program import ROOT

if TYPE_CHECKING:
    from nbhitl.engine.program import Program
    from nbhitl.types import StreamMode


class ChannelNames:
    """The names of a graph's channels; a state without keys is the one channel `__root__`."""

    program: Program
    stream_mode: StreamMode = "updates"
    stream_eager = False

    @property
    def trigger_to_nodes(self) -> dict[str, list[str]]:
        """Which nodes each channel starts."""
        started: dict[str, list[str]] = {}
        for name in self.program.nodes:
            for channel in self.program.triggers.get(name, (name,)):
                started.setdefault(channel, []).append(name)
        return started

    @property
    def input_channels(self) -> str:
        """The channel that a run's input is written to."""
        return START

    @property
    def output_channels(self) -> str | list[str]:
        """The state keys of a run's result."""
        return ROOT if self.program.root_output else list(self.program.output_keys)

    @property
    def stream_channels(self) -> str | list[str]:
        """The state keys that streams show."""
        return ROOT if self.program.root_state else list(self.program.stream_keys)

    stream_channels_asis = stream_channels

    @property
    def stream_channels_list(self) -> list[str]:
        """The state keys that streams show, as a list in any case."""
        return list(self.program.stream_keys)
