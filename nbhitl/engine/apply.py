"""Apply the writes of a step: the one place where a thread's state changes."""

from __future__ import annotations

from sys import getrefcount
from typing import TYPE_CHECKING, Any

from nbhitl._slotted import made, quick, slotted
from nbhitl.channels.binop import fold
from nbhitl.channels.last_value import concurrent_update_error
from nbhitl.constants import CHILDREN, PULL, TASKS
from nbhitl.engine.head import show_objects
from nbhitl.engine.keys import KeyKind
from nbhitl.engine.read import in_schema_order
from nbhitl.engine.tasks import apply_order
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from nbhitl.checkpoint._edits import Edits
    from nbhitl.engine.head import Head
    from nbhitl.engine.keys import KeyRule
    from nbhitl.engine.program import Program
    from nbhitl.engine.tasks import TaskResult
    from nbhitl.types import Send

_LAST, _REDUCE = KeyKind.LAST, KeyKind.REDUCE


@slotted
class Changes:
    """What a step changed, by state key: new values, and what lists only gained.

    `written` are the keys that got writes, those with a channel object included. The lists in `appended` belong to
    the changes. `edits` tells of new values that are lists what was edited.
    """

    values: dict[str, Any] = made(factory=dict)
    appended: dict[str, list[Any]] = made(factory=dict)
    written: AbstractSet[str] = made(factory=set)
    edits: dict[str, Edits] | None = None

    def add(self, then: Changes, state: Mapping[str, Any]) -> None:
        """Take in the changes of a later step, for which it costs what that step changed; `state` is what is now."""
        if self.edits or then.edits:
            self.edits = {**_edits_besides(self, then), **_edits_besides(then, self)}
        self.values.update(then.values)
        self.written = self.written | then.written
        for key in then.values:
            self.appended.pop(key, None)
        for key, items in then.appended.items():
            if key in self.values:
                self.values[key] = state[key]
            elif key in self.appended:
                self.appended[key].extend(items)
            else:
                self.appended[key] = items


_changes = quick(Changes)


def _edits_besides(changes: Changes, others: Changes) -> dict[str, Edits]:
    """The edits of keys that the other changes leave alone: of what both have changed, the new value counts."""
    edits = changes.edits or {}
    return {key: edits[key] for key in edits if key not in others.values and key not in others.appended}


def apply_writes(
    program: Program, head: Head, results: Sequence[TaskResult], *, ends_step: bool = True
) -> Changes:
    """Fold the writes of `results` into `head`, in an order that does not depend on who finished first.

    Args:
        ends_step: whether a step ended. False for writes from outside (the `update=` and `goto=` of a
            Command), which leave what was about to run in place.

    Raises:
        InvalidUpdateError: writes that a key cannot combine.
    """
    if len(results) > 1:
        results = sorted(results, key=apply_order)
    if ends_step:
        _consume(head, results)
    known = len(head.values)
    changed: dict[str, Any] = {}
    triggers, sends, updates, opened = _sort_out(program, head, results, changed)
    changes = _changes(changed, {}, changed.keys(), None)
    if updates:
        _fold(program, head, results, updates, changes)
    head.values.update(changed)
    if not ends_step:
        head.triggers = tuple(dict.fromkeys((*head.triggers, *triggers)))
        head.sends = (*head.sends, *sends)
        head.newest = (*head.newest, *triggers)
    else:
        head.triggers = tuple(triggers)
        head.sends = tuple(sends)
        if head.objects and any(result.task.triggers for result in results):
            _end_step(program, head, changes, starts=opened or bool(triggers))
    has_come_in = show_objects(program, head) if program.objects else False
    if has_come_in or len(head.values) != known:
        head.values = in_schema_order(program, head.values, len(head.values) - known)
    return changes


def _fold(
    program: Program,
    head: Head,
    results: Sequence[TaskResult],
    updates: Mapping[str, list[Any]],
    changes: Changes,
) -> None:
    """Fold the writes to each key into the state; `changes` has the plain new values already, and gets the rest."""
    changed, values = changes.values, head.values
    changes.written = changed.keys() | updates.keys() if changed else updates.keys()
    # Of several conflicts, the one written first is told of, whatever the values are.
    if changed and not changed.keys().isdisjoint(updates):
        written = dict.fromkeys(channel for result in results for channel, _ in result.writes)
        updates = {key: updates[key] for key in written if key in updates}
    for key, writes in updates.items():
        rule = program.keys[key]
        try:
            if rule.kind is _LAST:
                # The first write is among the plain new values.
                raise concurrent_update_error(key, len(writes) + 1)
            elif rule.kind is _REDUCE:
                _reduce(rule, head, writes, changes)
            else:
                head.objects[key].update(writes)
        except Exception as error:
            from nbhitl.engine.unfit import note_writers

            note_writers(error, rule, values.get(key, MISSING), results)
            raise


def _consume(head: Head, results: Sequence[TaskResult]) -> None:
    """Take back the triggers that started these tasks; of those a Command fired last its nodes wrote last."""
    started_by_edge = []
    newest, head.newest = head.newest, ()
    for result in results:
        task = result.task
        if task.path[0] != PULL or task.failed is not None:
            continue
        if not newest or not set(newest).isdisjoint(task.triggers):
            started_by_edge.append(task.name)
    if started_by_edge:
        head.writers = tuple(started_by_edge)
    head.start = MISSING
    if head.objects:
        for result in results:
            for trigger in result.task.triggers:
                gate = head.objects.get(trigger)
                if gate is not None:
                    gate.consume()


def _sort_out(
    program: Program, head: Head, results: Sequence[TaskResult], changed: dict[str, Any]
) -> tuple[list[str], list[Send], dict[str, list[Any]], bool]:
    """Return the triggers and Sends among the writes, the writes that have to be folded by key, and whether a gate opens.

    What is simply the new value of its key goes to `changed`.
    """
    triggers: list[str] = []
    sends: list[Send] = []
    updates: dict[str, list[Any]] = {}
    plain, keys, starts, gates = program.plain, program.keys, program.starts, program.gates
    gate_writes: dict[str, list[Any]] = {}
    for result in results:
        for channel, value in result.writes:
            if channel in plain and channel not in changed:
                changed[channel] = value
            elif channel in keys:
                updates.setdefault(channel, []).append(value)
            elif channel in gates:
                gate_writes.setdefault(channel, []).append(value)
            elif channel in starts:
                if channel not in triggers:
                    triggers.append(channel)
            elif channel == TASKS:
                sends.append(value)
            elif channel == CHILDREN:
                head.children = {**head.children, **value}
    opened = False
    for channel, values in gate_writes.items():
        gate = head.objects.get(channel)
        if gate is None:
            gate = head.objects[channel] = gates[channel].from_checkpoint(MISSING)
        opened = (gate.update(values) and gate.is_available()) or opened
    return triggers, sends, updates, opened


def _reduce(rule: KeyRule, head: Head, writes: list[Any], changes: Changes) -> None:
    assert rule.operator is not None
    name = rule.name
    if rule.grown is not None and len(writes) == 1 and _grow(rule, head, writes[0], changes):
        return
    old = head.values.get(name, MISSING)
    new = rule.folded(old, writes) if rule.batched else fold(rule.operator, old, writes, name)
    head.values[name] = new
    if rule.appended is None or old is MISSING:
        changes.values[name] = new
        return
    tail = rule.appended(old, new, writes[0]) if len(writes) == 1 else _joined_tail(rule, old, new, writes)
    if tail is not None and head.lengths.get(name) == len(old) and len(new) == len(old) + len(tail):
        changes.appended[name] = [*tail]
    else:
        tail, changes.values[name] = None, new
    head.lengths[name] = len(new) if type(new) is list else -1
    if rule.edits and head.tells_edits:
        _note_items(head, name, tail, writes, changes)


def _grow(rule: KeyRule, head: Head, update: Any, changes: Changes) -> bool:
    """Fold an update into a list that nobody else has, without a copy of it: whether that was possible.

    To copy a list costs the more the longer it is, so that each step of a long run would cost more than the one before.
    Whoever has got the list (a node that keeps its input, a reader of the stream, a saver) keeps the list that it got.
    """
    assert rule.grown is not None
    name, values, kind = rule.name, head.values, update.__class__
    size = head.lengths.get(name, -1)
    if size < 0 or kind.__name__ == "Overwrite" or kind is dict or _holders(values, name) != _NOBODY_ELSE:
        return False
    if len(values[name]) != size or (grown := rule.grown(values[name], update)) is None:
        return False
    new, tail = grown
    values[name] = new
    head.lengths[name] = len(new)
    if tail is None:
        changes.values[name] = new
    else:
        changes.appended[name] = [*tail]
    if rule.edits and head.tells_edits:
        _note_items(head, name, tail, [update], changes)
    return True


def _note_items(
    head: Head, name: str, tail: Sequence[Any] | None, writes: Sequence[Any], changes: Changes
) -> None:
    """Note which items a list has now: those of before and a tail, or others; then tell what was edited."""
    before, new = head.stored.get(name), head.values[name]
    if tail is not None and before is not None:
        before.extend(tail)
        return
    if tail is None and before is not None and type(new) is list and not any(map(_replaces, writes)):
        from nbhitl.checkpoint._edits import edits_between

        given = {id(item) for write in writes for item in (write if type(write) is list else (write,))}
        edits = edits_between(before, new, given)
        if edits is not None:
            changes.edits = {**(changes.edits or {}), name: edits}
    if type(new) is list:
        head.stored[name] = new.copy()
    else:
        head.stored.pop(name, None)


def _replaces(write: Any) -> bool:
    """Whether a write may be an Overwrite, in whichever form."""
    return type(write) is dict or type(write).__name__ == "Overwrite"


def _holders(values: Mapping[str, Any], name: str) -> int:
    """Count the references to a value, that of `values` and those of the interpreter's own included."""
    return getrefcount(values[name])


_NOBODY_ELSE = _holders({"a list": []}, "a list")


def _joined_tail(rule: KeyRule, old: Any, new: Any, writes: list[Any]) -> list[Any] | None:
    """Return what several writes appended together, or None when one of them did more than append."""
    assert rule.appended is not None
    if type(new) is not list or type(old) is not list:
        return None
    if any(rule.appended(old, new, write) is None for write in writes):
        return None
    return new[len(old) :]


def _end_step(program: Program, head: Head, changes: Changes, *, starts: bool) -> None:
    """Let the channels that are objects know that the step is over, and that no edge `starts` another one.

    Sends do not hold deferred nodes back, nor does what was about to run before a change by hand; that is how
    LangGraph counts too.
    """
    for name in program.objects:
        if name not in changes.written:
            head.objects[name].update(())
    if starts:
        return
    for channel in head.objects.values():
        channel.finish()
