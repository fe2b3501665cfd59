"""The newest state of a running thread: values, and who runs next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint.records import new_frame
from nbhitl.engine.keys import KeyKind
from nbhitl.engine.saved import saved_send
from nbhitl.types import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbhitl.channels.base import BaseChannel
    from nbhitl.checkpoint.records import Frame, StoredCheckpoint
    from nbhitl.engine.program import Program
    from nbhitl.types import Send


class Head:
    """The state that the engine works on; `apply_writes` alone changes it.

    `values` holds the visible value of every key that has one. `objects` are the channels that are neither a
    plain value nor a reducer: odd state keys, barriers, deferred triggers. `triggers` are the plain trigger
    channels that fired in the last step, `newest` those of them that a Command given as input fired since.
    `children` are the checkpoints of called graphs with state of their own.
    """

    __slots__ = (
        "checkpoint_id",
        "children",
        "lengths",
        "newest",
        "objects",
        "sends",
        "start",
        "stored",
        "tells_edits",
        "triggers",
        "unknown_values",
        "values",
        "writers",
    )

    def __init__(self) -> None:
        self.checkpoint_id = ""
        self.values: dict[str, Any] = {}
        # Stored values of keys that this graph does not have: another version of it may.
        self.unknown_values: dict[str, Any] = {}
        self.objects: dict[str, BaseChannel[Any, Any, Any]] = {}
        self.triggers: tuple[str, ...] = ()
        self.newest: tuple[str, ...] = ()
        self.sends: tuple[Send, ...] = ()
        self.start: Any = MISSING
        self.writers: tuple[str, ...] = ()
        self.children: dict[str, str] = {}
        # Length of each list as last saved: a list that code changed in place is saved whole, not as a delta.
        self.lengths: dict[str, int] = {}
        # Of lists of messages, the items as last saved: what was edited is told as the difference to them.
        self.stored: dict[str, list[Any]] = {}
        self.tells_edits = True  # not where nothing is saved

    def copy(self) -> Head:
        """Return the same state, which stays as it is when this one changes."""
        copy = Head()
        for name in self.__slots__:
            setattr(copy, name, getattr(self, name))
        copy.values, copy.lengths, copy.stored = dict(self.values), dict(self.lengths), {}
        copy.objects = {name: channel.copy() for name, channel in self.objects.items()}
        return copy

    def emptied(self) -> Head:
        """Return the same place without its state, which can be large."""
        place = Head()
        place.checkpoint_id, place.triggers, place.newest = self.checkpoint_id, self.triggers, self.newest
        place.writers = self.writers
        return place

    def become(self, other: Head) -> None:
        """Take the place and the state of another head, which holds lists and constants alone; the lists are copied."""
        self.checkpoint_id, self.triggers, self.newest = other.checkpoint_id, other.triggers, other.newest
        self.writers, self.lengths, self.stored = other.writers, dict(other.lengths), {}
        self.values = {
            key: value.copy() if type(value) is list else value for key, value in other.values.items()
        }

    def ready(self, program: Program) -> tuple[str, ...]:
        """The trigger channels that start tasks in the next step."""
        if not self.objects:
            return self.triggers
        gates = [n for n, gate in self.objects.items() if n in program.gates and gate.is_available()]
        return (*self.triggers, *gates)


def new_head(program: Program) -> Head:
    """Return the state of a thread on which nothing has run."""
    head = Head()
    for name in program.reduced:
        value = program.keys[name].first_value()
        if value is not MISSING:
            head.values[name] = value
    for name in program.objects:
        head.objects[name] = program.keys[name].channel.from_checkpoint(MISSING)
    return head


def head_of(program: Program, stored: StoredCheckpoint) -> Head:
    """Return the state of a stored checkpoint; keys that the graph no longer has are carried along unseen."""
    head = new_head(program)
    head.checkpoint_id = stored.checkpoint_id
    frame = stored.frame
    _take_values(program, head, stored.values)
    ungated = []
    for name, value in frame.channels.items():
        if name in program.keys:
            head.objects[name] = program.keys[name].channel.from_checkpoint(value)
        elif name in program.gates:
            head.objects[name] = program.gates[name].from_checkpoint(value)
        else:  # its node was deferred when this was saved: if it is not any more, it waits for nobody
            ungated.append(name)
    show_objects(program, head)
    head.values = _in_order(program, head.values)
    head.triggers = tuple([t for t in (*frame.triggers, *ungated) if t in program.starts])
    head.sends = frame.sends
    head.start = MISSING if frame.start is None else frame.start
    head.writers = frame.writers
    head.children = dict(frame.children)
    return head


def refill(program: Program, head: Head, values: Mapping[str, Any]) -> None:
    """Give an emptied head its stored values; there are no objects among them."""
    head.values, head.stored = new_head(program).values, {}
    _take_values(program, head, values)
    head.values = _in_order(program, head.values)


def _take_values(program: Program, head: Head, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        rule = program.keys.get(name)
        if rule is None:
            head.unknown_values[name] = value
        elif rule.kind is KeyKind.OBJECT:
            head.objects[name] = rule.channel.from_checkpoint(value)
        else:
            head.values[name] = value
            if rule.appended is not None and type(value) is list:
                head.lengths[name] = len(value)
                if rule.edits:
                    head.stored[name] = value.copy()


def _in_order(program: Program, values: dict[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in program.keys if key in values}


def show_objects(program: Program, head: Head) -> bool:
    """Bring `values` in line with the channels of keys that are objects; return whether keys have come in at the end."""
    known = len(head.values)
    for name in program.objects:
        channel = head.objects[name]
        if channel.is_available():
            head.values[name] = channel.get()
        elif head.values.pop(name, MISSING) is not MISSING:
            known -= 1
    return len(head.values) > known


def frame_of(program: Program, head: Head) -> Frame:
    """Return what a checkpoint stores besides plain values."""
    start = None if head.start is MISSING else head.start
    sends = head.sends
    if sends and program.untracked:
        sends = tuple(saved_send(program, send) for send in sends)
    channels = _stored_channels(program, head) if head.objects else {}
    return new_frame(head.triggers, sends, channels, start, head.writers, head.children)


def _stored_channels(program: Program, head: Head) -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for name, channel in head.objects.items():
        rule = program.keys.get(name)
        if rule is not None and not rule.saved:
            continue
        stored = channel.checkpoint()
        if stored is not MISSING and stored != set():
            channels[name] = stored
    return channels
