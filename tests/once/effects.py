"""Effects that are counted."""

from __future__ import annotations

from typing import Any


class Effect:
    """Counts how often it happened; each time it returns another value."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.seen.append((args, kwargs))
        return {"number": len(self.seen)}


# -- upkeep --------------------------------------------------------------------------------------------------
def started_and_done(saver: Any) -> None:
    assert saver.begin_once("t", "done", "ann", "2026-11-20T12:00:00.000000+00:00") is None
    assert saver.end_once("t", "done", "ann", [1], "2026-11-20T12:00:01.000000+00:00")
    assert saver.begin_once("t", "doubt", "ann", "2026-11-20T12:00:02.000000+00:00") is None
