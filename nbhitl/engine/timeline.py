"""Which state a called graph with a state of its own has at a point of its caller's timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl._slotted import made, slotted
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.constants import ERROR, INTERRUPT
from nbhitl.engine.head import head_of
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.questions import tasks_left

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.engine.progress import Progress
    from nbhitl.engine.running import Run, RunningTask


def at_this_point(
    progress: Progress, newest: StoredCheckpoint, key: CheckpointKey, again: bool
) -> Generator[Any, Any, StoredCheckpoint | None]:
    """Return the state that a called graph had at this point of its caller's timeline.

    That is the newest one if the task that calls now made it, before it paused or failed, or before the state of
    its caller was changed by hand, but not if it tries `again`; else the one that the caller's checkpoint
    remembers. So a replay of the caller finds the state of then, at every depth. What starts anew after a new input,
    or after a change by hand, goes on from what it had when it paused or failed.
    """
    caller = progress.run.parent
    assert caller is not None
    made_at = _made_at(newest, caller.run.ns)
    if made_at == caller.task.checkpoint_id and not again:
        return newest
    going_on = caller.run.kept_by().resuming and not again
    asked_at = caller.run.asked_map.get(key.ns) if going_on else None
    if asked_at is not None:
        return (yield from _loaded(key, asked_at))
    if going_on:
        left_here = yield from _left_by(caller, newest, key)
        if left_here is not None:
            return left_here
    if made_at and going_on and _can_go_on(progress, newest) and (yield from _was_left_at(caller, made_at)):
        return newest
    progress.continues = False
    remembered = _remembered(caller, key.ns)
    if remembered == newest.checkpoint_id:
        return newest
    stored = yield from _dropped(caller, newest, key, remembered)
    if stored is None and remembered is not None:
        stored = yield from _loaded(key, remembered)
    if stored is not None and stored is not newest:
        stored.writes = []
    return stored


def _left_by(
    caller: RunningTask, newest: StoredCheckpoint, key: CheckpointKey
) -> Generator[Any, Any, StoredCheckpoint | None]:
    """Return the state that the task that calls now left, where its caller's checkpoint is not the newest any more.

    An answer to what was asked there goes on with that, whatever has run since.
    """
    here, at = caller.task.checkpoint_id, newest
    while at is not None and at.checkpoint_id > here:
        if _made_at(at, caller.run.ns) == here:
            return at
        at = yield StoreCall("load_before", (key._replace(checkpoint_id=at.checkpoint_id),))
    return None


def _made_at(stored: StoredCheckpoint, ns: str) -> str | None:
    """Return the checkpoint of the graph above, in namespace `ns`, whose task has made this one."""
    found: str | None = (stored.metadata.get("parents") or {}).get(ns)
    return found


def _loaded(key: CheckpointKey, checkpoint_id: str) -> Generator[Any, Any, StoredCheckpoint | None]:
    stored: StoredCheckpoint | None = yield StoreCall("load", (key._replace(checkpoint_id=checkpoint_id),))
    return stored


def _can_go_on(progress: Progress, stored: StoredCheckpoint) -> bool:
    head = head_of(progress.program, stored)
    return bool(head.sends or head.ready(progress.program))


def _was_left_at(caller: RunningTask, made_at: str | None) -> Generator[Any, Any, bool]:
    """Whether the caller went on from checkpoint `made_at` to where it is, by changes by hand and steps after them."""
    key = CheckpointKey(caller.run.thread_id or "", caller.run.ns, caller.task.checkpoint_id)
    while key.checkpoint_id != made_at:
        # Without an id the newest would be loaded, and the way back from there be gone for ever.
        stored: StoredCheckpoint | None = (yield StoreCall("load", (key,))) if key.checkpoint_id else None
        if stored is None or stored.metadata.get("source") not in ("update", "loop"):
            return False
        key = key._replace(checkpoint_id=stored.parent_id)
    return True


def _above(caller: RunningTask) -> Iterator[RunningTask]:
    above: RunningTask | None = caller
    while above is not None:
        yield above
        above = above.run.parent


def _remembered(caller: RunningTask, ns: str) -> str | None:
    """Return the checkpoint at which the callers of a graph with state of its own left it, the nearest first.

    A caller that keeps no state starts without memory; those above it remember for it.
    """
    for above in _above(caller):
        known = above.children.get(ns) or above.run.children.get(ns)
        if known is not None:
            return known
    return caller.run.start_map.get(ns)


class _After(NamedTuple):
    """What came after a checkpoint: the id and source of the next one, and whether an input was among all of them."""

    next_id: str
    next_source: str
    has_input: bool


@slotted
class _Line:
    """The checkpoints on the way back from a task, as far as somebody asked: `after` tells of each what came after it."""

    key: CheckpointKey
    run: Run
    has_input: bool = False
    after: dict[str, _After] = made(factory=dict)

    def since(self, checkpoint_id: str) -> Generator[Any, Any, _After | None]:
        """Return what came after a checkpoint; None if it is not on the way."""
        while self.key.checkpoint_id and self.key.checkpoint_id > checkpoint_id:
            stored: StoredCheckpoint | None = yield StoreCall("load", (self.key,))
            if stored is None:
                yield from self._leap()
                continue
            source = str(stored.metadata.get("source"))
            self.has_input = self.has_input or source == "input"
            self.after[stored.parent_id or ""] = _After(stored.checkpoint_id, source, self.has_input)
            self.key = self.key._replace(checkpoint_id=stored.parent_id)
        return self.after.get(checkpoint_id)

    def _leap(self) -> Generator[Any, Any, None]:
        """Go back over the steps of a run that saves only where it ends, to the newest checkpoint, where it began."""
        here, self.key = self.key.checkpoint_id or "", self.key._replace(checkpoint_id=None)
        if self.run.durability != "exit" or self.run.anew is not None:
            return
        begun: StoredCheckpoint | None = yield StoreCall("load", (self.key,))
        if begun is not None and begun.checkpoint_id < here:
            source = "loop" if self.run.resuming else "input"
            self.has_input = self.has_input or source == "input"
            self.after[begun.checkpoint_id] = _After(here, source, self.has_input)
            self.key = self.key._replace(checkpoint_id=begun.checkpoint_id)


def _dropped(
    caller: RunningTask, newest: StoredCheckpoint, key: CheckpointKey, remembered: str | None
) -> Generator[Any, Any, StoredCheckpoint | None]:
    """Return the newest state that a task left which was dropped on the way to here, if nothing is remembered since."""
    bound = next((above.run.anew for above in _above(caller) if above.run.anew is not None), None)
    thread_id = caller.run.thread_id or ""
    lines = [
        _Line(CheckpointKey(thread_id, above.run.ns, above.task.checkpoint_id), above.run)
        for above in _above(caller)
    ]
    at: StoredCheckpoint | None = newest
    if bound is not None and newest.checkpoint_id >= bound:
        at = (yield StoreCall("load_before", (key._replace(checkpoint_id=bound),))) if bound else None
    later: str | None = None
    while at is not None and at.checkpoint_id > (remembered or ""):
        if (yield from _was_dropped(lines, at, later, went_on=at is not newest)):
            return at
        later = at.checkpoint_id
        # What was made since the caller's checkpoint before this one belongs to branches that were left.
        then = max((known for line in lines for known in line.after if "" < known < later), default=later)
        at = yield StoreCall("load_before", (key._replace(checkpoint_id=then),))
    return None


def _was_dropped(
    lines: list[_Line], stored: StoredCheckpoint, later: str | None, *, went_on: bool
) -> Generator[Any, Any, bool]:
    """Whether the task that made a called graph's checkpoint was dropped, of whichever graph above.

    A new input drops it, and so does a change by hand after which the caller does not go on where it paused or failed;
    but nothing does that came to a checkpoint which the thread had left before, to make the called graph's `later` one.
    """
    for line in lines:
        made_at = _made_at(stored, line.key.ns)
        after = (yield from line.since(made_at)) if made_at else None
        if after is None or (later is not None and later < after.next_id):
            continue
        if after.has_input:
            return True
        made_key = line.key._replace(checkpoint_id=made_at)
        if after.next_source == "update" and (yield from _was_left(made_key, went_on=went_on)):
            return True
    return False


def _was_left(key: CheckpointKey, *, went_on: bool) -> Generator[Any, Any, bool]:
    """Whether a step was not finished: a task of it had paused or failed.

    Where the called graph `went_on` after the thread had left the step, so did answers to its questions come.
    """
    stored: StoredCheckpoint | None = yield StoreCall("load", (key,))
    writes = [] if stored is None else stored.writes
    left = tasks_left(writes)
    # The change may have stood in for the task; then its questions are still without an answer.
    asked = (question for _, channel, value in writes if channel == INTERRUPT for question in value)
    return any(went_on or question.id not in left.has_answer for question in asked) or any(
        channel == ERROR and task_id not in left.finished for task_id, channel, _ in writes
    )
