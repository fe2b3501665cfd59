"""The newest states of some threads, kept decoded: reading one again costs what has changed since.

What is kept is not handed out where it could be changed unnoticed. Constants are shared; lists are copied; messages
in lists are shared by runs, and looked over before they are shared again; whoever else reads gets copies of them; all
else is decoded each time.

Looking over a message costs little, but of a thousand of them it would make up a third of a turn. So of very
long lists the last messages are looked at each time, and the others by turns: the contents of every fifth, so that
whoever changes many of them is found out at once, and the other fields of some that follow each other.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from itertools import chain, islice, repeat
from operator import itemgetter
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol

from nbhitl import _langchain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbhitl.checkpoint._edits import Edits
    from nbhitl.checkpoint._fold import Folded
    from nbhitl.checkpoint._rows import Body, Codec, StepRow
    from nbhitl.checkpoint.records import Frame

CONSTANT = frozenset({
    str, int, float, bool, bytes, type(None), complex, date, datetime, time, timedelta,
})  # fmt: skip
_CONTENT = itemgetter("content")
_LATE_CONSTANTS = {"decimal": "Decimal", "uuid": "UUID"}
_KEPT_STATES = 32
_EMPTY: dict[type, Any] = {dict: {}, list: []}
"""What empty fields of messages are compared with: one for all, so that it is at hand in the processor's cache."""
_LAST, _BY_TURNS = 64, 64
"""How many messages of a list are looked over in whole: so many at its end, and so many of the others."""
_CONTENTS_EVERY = 5
"""Of every so many of the others, the content of one is looked at. It is odd: people and models speak by turns too."""


class _Kept(Protocol):
    """A kept value."""

    def intact(self) -> bool:
        """Whether it is still what was stored."""

    def handed_out(self, codec: Codec, share: bool) -> Any:
        """Return the value for somebody who may change it; with `share`, messages that are looked over next time."""

    def grown(self, items: list[Any], codec: Codec) -> _Kept:
        """Return the kept list with more items."""

    def edited(self, edits: Edits, codec: Codec) -> _Kept:
        """Return the kept list after edits."""


class _Constant:
    """A value that cannot be changed."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def intact(self) -> bool:
        return True

    def handed_out(self, codec: Codec, share: bool) -> Any:
        return self._value

    def grown(self, items: list[Any], codec: Codec) -> _Kept:
        raise TypeError(f"a {type(self._value).__name__} cannot be appended to")

    def edited(self, edits: Edits, codec: Codec) -> _Kept:
        raise TypeError(f"a {type(self._value).__name__} cannot be edited")


def _copied(fields: dict[str, Any]) -> dict[str, Any]:
    """A copy to compare with, which nobody else can change. Most fields of messages are constants or empty."""
    copied: dict[str, Any] = {}
    for name, value in fields.items():
        kind = type(value)
        if kind in CONSTANT:
            copied[name] = value
        else:
            copied[name] = _EMPTY[kind] if kind in _EMPTY and not value else deepcopy(value)
    return copied


class _Items:
    """A list of constants and messages. Of each message, its fields are kept beside it, to be compared."""

    __slots__ = ("_contents", "_extra", "_fields", "_items", "_next", "_stored", "_stored_extra", "_turn")

    def __init__(self) -> None:
        self._items: list[Any] = []
        self._fields: list[dict[str, Any]] = []
        self._stored: list[dict[str, Any]] = []
        self._extra: list[dict[str, Any] | None] = []
        self._stored_extra: list[dict[str, Any] | None] = []
        self._contents: list[Any] = []
        self._next = 0
        self._turn = 0

    def takes(self, items: Iterable[Any]) -> bool:
        """Add the items, if all of them can be kept in this way; whether they can."""
        for item in items:
            kind = type(item)
            if kind not in CONSTANT and not self._take_message(item) and not _is_late_constant(kind):
                return False
            self._items.append(item)
        return True

    def _take_message(self, item: Any) -> bool:
        if not _langchain.is_message(item) or "content" not in getattr(item, "__dict__", ()):
            return False
        stored = _copied(item.__dict__)
        self._fields.append(item.__dict__)
        self._stored.append(stored)
        extra = getattr(item, "__pydantic_extra__", None)
        self._extra.append(extra)
        self._stored_extra.append(None if extra is None else _copied(extra) if extra else _EMPTY[dict])
        self._contents.append(stored["content"])
        return True

    @property
    def _are_messages(self) -> bool:
        """Whether there is nothing else: then fields have the same places as items."""
        return len(self._fields) == len(self._items)

    def intact(self) -> bool:
        count = len(self._fields)
        try:
            if count <= _LAST + _BY_TURNS:
                return self._intact(0, count)
            first, self._next = self._next, self._next + _BY_TURNS
            if self._next >= count - _LAST:
                self._next = 0
            self._turn = (self._turn + 1) % _CONTENTS_EVERY
            some = slice(self._turn, count - _LAST, _CONTENTS_EVERY)
            return (
                self._intact(count - _LAST, count)
                and [*map(_CONTENT, self._fields[some])] == self._contents[some]
                and self._intact(first, first + _BY_TURNS)
            )
        except Exception:  # a field that cannot be compared, an array for example, counts as changed
            return False

    def _intact(self, first: int, end: int) -> bool:
        part = slice(first, end)
        return self._fields[part] == self._stored[part] and self._extra[part] == self._stored_extra[part]

    def handed_out(self, codec: Codec, share: bool) -> Any:
        if share or not self._fields:
            return self._items.copy()
        from nbhitl._message_forms import message_again

        stored = zip(self._stored, self._stored_extra, strict=True)
        are_messages = repeat(True) if self._are_messages else map(_langchain.is_message, self._items)
        return [
            message_again(item, *next(stored)) if is_message else item
            for item, is_message in zip(self._items, are_messages, strict=False)
        ]

    def grown(self, items: list[Any], codec: Codec) -> _Kept:
        length = len(self._items)
        if self.takes(items):
            return self
        return _Encoded(codec.loads(codec.dumps(self._items[:length])) + items)

    def edited(self, edits: Edits, codec: Codec) -> _Kept:
        from nbhitl.checkpoint._edits import edited

        came = _Items()
        are_kept = came.takes(chain.from_iterable(items for _, _, items in edits))
        if not (are_kept and self._are_messages and came._are_messages):
            return _Encoded(codec.loads(codec.dumps(edited(self._items, edits))))
        for name in _PARALLEL:
            new = iter(getattr(came, name))
            of_name = [[place, gone, [*islice(new, len(items))]] for place, gone, items in edits]
            setattr(self, name, edited(getattr(self, name), of_name))
        return self


_PARALLEL = "_items", "_fields", "_stored", "_extra", "_stored_extra", "_contents"
"""Of a list of messages alone, what has an entry for each of them."""


class _Encoded:
    """Any other value, as bytes, which are made when it is first handed out: until then nobody else has it."""

    __slots__ = ("_data", "_value")

    def __init__(self, value: Any) -> None:
        self._value = value
        self._data: bytes | None = None

    def intact(self) -> bool:
        return True

    def handed_out(self, codec: Codec, share: bool) -> Any:
        if self._data is None:
            self._data, self._value = codec.dumps(self._value), None
        return codec.loads(self._data)

    def _own(self, codec: Codec) -> Any:
        return self._value if self._data is None else codec.loads(self._data)

    def grown(self, items: list[Any], codec: Codec) -> _Kept:
        return _Encoded(self._own(codec) + items)

    def edited(self, edits: Edits, codec: Codec) -> _Kept:
        from nbhitl.checkpoint._edits import edited

        return _Encoded(edited(self._own(codec), edits))


def _is_late_constant(cls: type) -> bool:
    """Whether `cls` is a constant type of a module that need not be loaded."""
    name = _LATE_CONSTANTS.get(cls.__module__)
    return name is not None and getattr(sys.modules.get(cls.__module__), name, None) is cls


def _kept(value: Any) -> _Kept:
    """Keep a value that nobody else has."""
    if type(value) in CONSTANT or _is_late_constant(type(value)):
        return _Constant(value)
    if type(value) is list:
        items = _Items()
        if items.takes(value):
            return items
    return _Encoded(value)


class _State:
    """A kept state, the row at which it was, and its frame if that can be shared."""

    __slots__ = ("_values", "frame", "row")

    def __init__(self, folded: Folded) -> None:
        self.row = folded.row
        self.frame = _constant_frame(folded.body.frame)
        self._values = {key: _kept(value) for key, value in folded.values.items()}

    def intact(self) -> bool:
        return all(value.intact() for value in self._values.values())

    def moved_on(self, row: StepRow, body: Body, codec: Codec) -> None:
        """Apply the step that follows."""
        for key in body.removed:
            self._values.pop(key, None)
        for key, value in body.values.items():
            self._values[key] = _kept(value)
        for key, edits in (body.edits or {}).items():
            self._values[key] = self._values[key].edited(edits, codec)
        for key, items in body.appended.items():
            before = self._values.get(key)
            self._values[key] = before.grown(items, codec) if before else _kept(list(items))
        self.row, self.frame = row, _constant_frame(body.frame)

    def handed_out(self, codec: Codec, share: bool) -> dict[str, Any]:
        return {key: value.handed_out(codec, share) for key, value in self._values.items()}


def _constant_frame(frame: Frame) -> Frame | None:
    return frame if is_constant_frame(frame) else None


def is_constant_frame(frame: Frame) -> bool:
    """Whether nothing in a frame can be changed but what every reader copies."""
    return not (frame.sends or frame.channels or frame.start is not None)


class Recall:
    """The kept states, by thread and namespace; those used last stay."""

    def __init__(self) -> None:
        self._states: OrderedDict[tuple[str, str], _State] = OrderedDict()
        self._lock = RLock()

    def kept_at(self, thread: str, ns: str) -> StepRow | None:
        """Return the row whose state is kept; if the store has another one of its id now, the state is not to be used."""
        state = self._states.get((thread, ns))
        return state.row if state else None

    def follow(
        self, since: StepRow, steps: Sequence[tuple[StepRow, Body]], codec: Codec, share: bool
    ) -> tuple[dict[str, Any], Frame | None] | None:
        """Return the state after the steps that follow the row `since`, and its frame if that can be shared; None if the
        state must be read anew.
        """
        thread, ns = since.thread_id, since.ns
        with self._lock:
            state = self._states.pop((thread, ns), None)
            if state is None or state.row is not since or ((share or steps) and not state.intact()):
                return None
            for row, body in steps:
                state.moved_on(row, body, codec)
            values = state.handed_out(codec, share)
            self._states[thread, ns] = state
            return values, state.frame

    def keep(self, folded: Folded, codec: Codec, share: bool) -> dict[str, Any]:
        """Keep a state that was read; return it for handing out."""
        state = _State(folded)
        with self._lock:
            values = state.handed_out(codec, share)
            self._states[folded.row.thread_id, folded.row.ns] = state
            while len(self._states) > _KEPT_STATES:
                self._states.popitem(last=False)
            return values

    def forget(self, thread: str) -> None:
        """Drop what is kept of a thread."""
        with self._lock:
            for key in [key for key in self._states if key[0] == thread]:
                del self._states[key]
