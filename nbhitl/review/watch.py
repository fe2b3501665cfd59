"""Follows a run by its stream: where it is, whether it stopped at a breakpoint, when to stop it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from nbhitl.constants import INTERRUPT
from nbhitl.review.session import Progress

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from datetime import datetime

TEXT_SHOWN = 2000
"""Characters of streamed text that a card keeps."""


class Watch:
    """What one run has shown so far.

    Args:
        report: called with a Progress when a task starts or text arrives.
        clock: the time.
        starts: counted up by task id.
        step: the number of the last step before this run.
    """

    def __init__(
        self,
        report: Callable[[Progress], None],
        clock: Callable[[], datetime],
        starts: Counter[str],
        step: int,
    ) -> None:
        self._report = report
        self._clock = clock
        self._starts = starts
        self._step = step
        self._began = clock()
        self._step_ended = True
        self._node = ""
        self._text = ""
        self._stop = threading.Event()
        self.at_breakpoint = False
        self.stopped = False

    def stop(self) -> None:
        """Ask the run to stop after the task that it is in."""
        self._stop.set()

    def seen(self, mode: str, chunk: Any) -> bool:
        """Take in a chunk of the stream; True if the run shall stop here."""
        if mode == "tasks":
            self._see_task(chunk)
        elif mode == "custom":
            self._see_text(chunk)
        elif mode == "updates":
            self.at_breakpoint = isinstance(chunk, dict) and chunk.get(INTERRUPT, None) == ()
            # Only here is a task's work saved, so only here may the run stop.
            self.stopped = self._stop.is_set() and INTERRUPT not in chunk
            return self.stopped
        return False

    def _see_task(self, chunk: Any) -> None:
        if "input" not in chunk:
            self._step_ended = True
            return
        if self._step_ended:
            self._step += 1
            self._step_ended = False
        self._starts[chunk["id"]] += 1
        self._node = chunk["name"]
        self._tell()

    def _see_text(self, chunk: Any) -> None:
        if isinstance(chunk, str):
            self._text = (self._text + chunk)[-TEXT_SHOWN:]
            self._tell()

    def _tell(self) -> None:
        elapsed = (self._clock() - self._began).total_seconds()
        self._report(Progress(self._node, self._step, elapsed, self._text))
