"""What the columns of a row may hold. SQLite keeps any kind of value in any of them, and others change files too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbhitl.checkpoint._once import OnceRow
from nbhitl.checkpoint._rows import StepRow, WriteRow
from nbhitl.checkpoint.claims import Question
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Kinds = frozenset[type]

_TEXT, _NUMBER, _BYTES = frozenset({str}), frozenset({int}), frozenset({bytes})
_ID = _TEXT | _BYTES
_NONE = frozenset({type(None)})

_NAMES: dict[type, str] = {
    str: "text",
    int: "an integer",
    float: "a real number",
    bytes: "bytes",
    type(None): "NULL",
}


class Columns:
    """What the rows of a query may hold.

    Args:
        table: where they come from.
        names: of their columns, in order.
        kinds: what columns may hold that do not hold text alone, by name.
    """

    __slots__ = ("_kinds", "_names", "_sound", "_table")

    def __init__(self, table: str, names: Sequence[str], kinds: Mapping[str, Kinds]) -> None:
        self._table = table
        self._names = names
        self._kinds = [kinds.get(name, _TEXT) for name in names]
        self._sound: set[tuple[type, ...]] = set()

    def refuse_others(self, store: str, row: Sequence[Any]) -> None:
        """Check a row of the store of that name.

        Raises:
            StoreError: a column holds what it cannot hold.
        """
        kinds = (*map(type, row),)
        if kinds not in self._sound:  # there are few that are sound: each is looked through once
            for name, found, allowed in zip(self._names, kinds, self._kinds, strict=True):
                if found not in allowed:
                    raise self._refusal(store, row, name, found, allowed)
            self._sound.add(kinds)

    def _refusal(self, store: str, row: Sequence[Any], name: str, found: type, allowed: Kinds) -> StoreError:
        place = dict(zip(self._names, row, strict=True))
        thread = place.get("thread_id")
        whose = f", thread {thread!r}" if isinstance(thread, str) else ""
        if "interrupt_id" in place:
            whose += f", question {place['interrupt_id']}"
        belongs = " or ".join(_NAMES[kind] for kind in _NAMES if kind in allowed)
        delete = f", or delete the thread: saver.delete_thread({thread!r})" if isinstance(thread, str) else ""
        return StoreError(
            f"{store}{whose}: column {name} of table {self._table} holds {_NAMES[found]} and can hold only "
            f"{belongs}. Somebody else has changed the file: restore it from a copy{delete}."
        )


_STEP: dict[str, Kinds] = {
    "checkpoint_id": _ID,
    "parent_id": _ID | _NONE,
    "base_id": _ID | _NONE,
    "depth": _NUMBER,
    "since": _NUMBER,
    "size": _NUMBER,
    "metadata": _BYTES,
    "body": _BYTES,
}
_WRITE: dict[str, Kinds] = {"checkpoint_id": _ID, "task_id": _ID, "idx": _NUMBER, "value": _BYTES}
_QUESTION: dict[str, Kinds] = {
    "checkpoint_id": _ID,
    "task_id": _ID,
    "payload": _BYTES,
    "answer": _BYTES | _NONE,
    **dict.fromkeys(("by", "at", "owner", "lease_until"), _TEXT | _NONE),
    **dict.fromkeys(("asking", "starts", "resuming"), _BYTES | _NONE),
    "nth": _NUMBER | _NONE,
}

STEP = Columns("nbhitl_steps", StepRow._fields, _STEP)
WRITE = Columns("nbhitl_writes", WriteRow._fields, _WRITE)
QUESTION = Columns("nbhitl_questions", Question._fields, _QUESTION)

_LEAN = "checkpoint_id", "parent_id", "created_at", "metadata", "body"
_BESIDE = (
    *("thread_id", "ns", "checkpoint_id", "task_id", "node", "path"),
    *("asking", "starts", "resuming", "nth"),
)
_OPEN = "how many are open"
_NAMED = "thread_id", "checkpoint_id", "created_at", _OPEN

# Of other queries, by what `SqlRows` calls them.
READ = {
    "outline": Columns("nbhitl_steps", _LEAN, _STEP),
    "spaces": Columns("nbhitl_steps", ("thread_id", "ns"), {}),
    "threads": Columns("nbhitl_steps", _NAMED, {**_STEP, _OPEN: _NUMBER}),
    "beside": Columns("nbhitl_questions", _BESIDE, _QUESTION),
    "once": Columns("nbhitl_once", OnceRow._fields, {"result": _BYTES | _NONE, "done_at": _TEXT | _NONE}),
}
