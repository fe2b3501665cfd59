"""What of a step's results is saved: values of keys that live only while a run lasts never are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.constants import TASKS
from nbhitl.types import Send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.engine.program import Program


def saved_writes(program: Program, writes: Sequence[tuple[str, Any]]) -> Sequence[tuple[str, Any]]:
    """Return the writes of a task that a saver gets; a task that has no other ones runs again after a pause."""
    if not program.untracked:
        return writes
    return [
        (channel, saved_send(program, value) if channel == TASKS else value)
        for channel, value in writes
        if channel not in program.untracked
    ]


def saved_send(program: Program, send: Send) -> Send:
    """Return a Send as a saver gets it: a state that it carries is carried without those keys."""
    if type(send.arg) is not dict or program.untracked.isdisjoint(send.arg):
        return send
    kept = {key: value for key, value in send.arg.items() if key not in program.untracked}
    return Send(send.node, kept, timeout=send.timeout)
