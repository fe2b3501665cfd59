"""Whose writes a state key could not take; pure."""

from __future__ import annotations

from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.engine.keys import KeyRule
    from nbhitl.engine.tasks import TaskResult

_SHOWN = 5


def note_writers(error: Exception, rule: KeyRule, held: Any, results: Sequence[TaskResult]) -> None:
    """Add a note to `error` that tells the state key, what it held, and which tasks wrote what."""
    writes = [(r.task.name, value) for r in results for key, value in r.writes if key == rule.name]
    told = ", ".join(f"node {name!r} ({shortened(value)})" for name, value in writes[:_SHOWN])
    more = f" and {len(writes) - _SHOWN} more" if len(writes) > _SHOWN else ""
    before = "nothing" if held is MISSING else f"a value of type {type(held).__name__}"
    reducer = (
        f" Its reducer is `{getattr(rule.operator, '__name__', rule.operator)}`." if rule.operator else ""
    )
    error.add_note(f"State key {rule.name!r} held {before}; written by: {told}{more}.{reducer}")
