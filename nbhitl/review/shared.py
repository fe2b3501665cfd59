"""What all sessions of one thread in this process share: who runs it, and who answered what.

Keyed by the checkpointer object, so that two GraphThreads on one thread, an old card further up in the
notebook and a new one, answer each question once. Claims between processes are the store's.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary


class Answered(NamedTuple):
    """Who answered a question, and when (UTC, ISO 8601)."""

    by: str | None
    at: str | None


@dataclass(slots=True)
class SharedThread:
    """One thread of one checkpointer.

    Attributes:
        running: held while a run is under way; runs of one thread never overlap.
        answered: `{question id: Answered}`.
        input_digest: of the input that the open run started with.
        breakpoint_at: the checkpoint at which a run was seen to stop at a static breakpoint.
        starts: `{task id: how often it has started}`.
    """

    running: threading.Lock = field(default_factory=threading.Lock)
    answered: dict[str, Answered] = field(default_factory=dict)
    input_digest: str | None = None
    breakpoint_at: str | None = None
    starts: Counter[str] = field(default_factory=Counter)

    def forget(self) -> None:
        """Start over: nothing was run or answered."""
        self.answered.clear()
        self.starts.clear()
        self.input_digest = self.breakpoint_at = None


_LOCK = threading.Lock()
_BY_SAVER: WeakKeyDictionary[Any, dict[str, SharedThread]] = WeakKeyDictionary()


def shared_thread(saver: Any, thread_id: str) -> SharedThread:
    """Return what the sessions of this thread share.

    Raises:
        TypeError: the checkpointer can not be referred to weakly, or not be hashed.
    """
    with _LOCK:
        threads = _BY_SAVER.setdefault(saver, {})
        return threads.setdefault(thread_id, SharedThread())
