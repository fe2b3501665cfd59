"""What a task has been answered, on its way into the store: packed as far as the store wants it. Pure."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from nbhitl.checkpoint._rows import decode_write, unreadable, write_row
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.checkpoint.records import are_entries, entry_id
from nbhitl.checkpoint.serde import Serde
from nbhitl.constants import RESUME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from nbhitl.checkpoint._rows import Codec, WriteRow

RESUME_IDX = WRITES_IDX_MAP[RESUME]
_LIST_OF_16_BITS, _LIST_OF_32_BITS = 0xDC, 0xDD
_SHORT_LIST, _LONGEST_SHORT = 0x90, 15


class Answers:
    """The answers of one task with the one that is taken up, each `[interrupt id, digest, answer]`.

    Args:
        place: thread, namespace and checkpoint.
        task_id: the task.
        given: all of them.
        before: those that the task had before.
        codec: turns them into bytes.
    """

    __slots__ = ("_codec", "before", "given", "place", "task_id")

    def __init__(
        self,
        place: tuple[str, str, str],
        task_id: str,
        given: Sequence[Any],
        before: Sequence[Any],
        codec: Codec,
    ) -> None:
        self.place = place
        self.task_id = task_id
        self.given = given
        self.before = before
        self._codec = codec

    def row(self) -> WriteRow:
        """Return the pending write that delivers all of them."""
        return resume_row(self.place, self.task_id, self.given, self._codec)

    def row_after(self, found: WriteRow | None) -> WriteRow | None:
        """Return the write that delivers all of them in place of the one that was `found`; None if that is another one
        than they come after.

        Of what is found nothing is packed again but its last answer: so the hundredth answer costs as much as the first.
        """
        if not self.before:
            return self.row() if found is None else None
        if found is None:
            return None
        if not self.can_be_apart():
            return self.row() if found.value == self.packed_before() else None
        last, before = self.last_apart()
        if not is_list_to(found.value, len(self.before), before):
            return None
        return write_row((*last[:-1], joined([found.value, last.value])))

    def packed_before(self) -> bytes:
        """Return the value of the write that has delivered those before; empty if there are none."""
        return self._codec.dumps(self.before) if self.before else b""

    def can_be_apart(self) -> bool:
        """Whether the new one comes last, and its write can be made of the writes of each: `joined`."""
        if len(self.given) != len(self.before) + 1:
            return False
        return not self.before or (
            self.given[-1] is not self.before[-1] and type(self._codec).dumps is Serde.dumps
        )

    def last_apart(self) -> tuple[WriteRow, bytes]:
        """Return a write with the new answer alone, and the value of one with the answer before it (or empty)."""
        before = self._codec.dumps(self.before[-1:]) if self.before else b""
        return resume_row(self.place, self.task_id, self.given[-1:], self._codec), before


def resume_row(place: tuple[str, str, str], task_id: str, entries: Sequence[Any], codec: Codec) -> WriteRow:
    """Return the pending write that delivers answers to a task."""
    return write_row((*place, task_id, RESUME_IDX, "", "", RESUME, codec.dumps(entries)))


def resume_rows(
    place: tuple[str, str, str],
    resumes: Mapping[str, Sequence[Any]],
    before: Mapping[str, Sequence[Any]],
    codec: Codec,
) -> list[WriteRow]:
    """Return the writes that deliver answers; what others have answered of the same tasks `before` stays."""
    rows = []
    for task, given in resumes.items():
        ids, known = set(map(entry_id, given)), before.get(task, ())
        kept = () if ids.issuperset(map(entry_id, known)) else [e for e in known if e[0] not in ids]
        rows.append(resume_row(place, task, [*kept, *given], codec))
    return rows


def answers_in(rows: Iterable[WriteRow], codec: Codec) -> dict[str, list[Any]]:
    """Return the answers that tasks have been given, of their writes: `{task_id: [[interrupt id, digest, answer], ...]}`.

    Raises:
        StoreError: somebody else has written something there that is no answers.
    """
    return {row.task_id: answers_of(row, codec) for row in rows if row.idx == RESUME_IDX}


def answers_of(row: WriteRow, codec: Codec) -> list[Any]:
    """Return the answers that one write delivers, each `[interrupt id, digest, answer]`.

    Raises:
        StoreError: somebody else has written something there that is no answers.
    """
    entries = decode_write(row, codec)
    if not are_entries(entries):
        raise unreadable(row, "what is stored is damaged: it is no list of answers")
    return cast("list[Any]", entries)


def not_before(
    resumes: Mapping[str, Sequence[Any]], before: Mapping[str, Sequence[Any]], answers: Collection[str]
) -> set[str]:
    """Return the ids of earlier answers that come along with the new `answers`, and are not among those `before`."""
    if sum(map(len, resumes.values())) == len(answers):
        return set()
    ids = set(map(entry_id, chain.from_iterable(resumes.values())))
    return ids.difference(answers, map(entry_id, chain.from_iterable(before.values())))


def is_list_to(data: bytes, count: int, last: bytes) -> bool:
    """Whether `data` is a list in MessagePack of so many items, the last of which is that of the list `last`.

    >>> is_list_to(b"\\x92\\x01\\x02", 2, b"\\x91\\x02")
    True
    """
    return _head(data)[0] == count and data.endswith(last[_head(last)[1] :])


def joined(lists: Sequence[bytes]) -> bytes:
    """Return lists in MessagePack as one list of all their items.

    >>> joined([b"\\x91\\x01", b"\\x92\\x02\\x03"])
    b'\\x93\\x01\\x02\\x03'
    """
    if len(lists) == 1:
        return lists[0]
    count, items = 0, []
    for data in lists:
        size, begin = _head(data)
        count += size
        items.append(data[begin:])
    if count <= _LONGEST_SHORT:
        head = bytes((_SHORT_LIST | count,))
    elif count < 1 << 16:
        head = bytes((_LIST_OF_16_BITS,)) + count.to_bytes(2, "big")
    else:
        head = bytes((_LIST_OF_32_BITS,)) + count.to_bytes(4, "big")
    return head + b"".join(items)


def _head(data: bytes) -> tuple[int, int]:
    """Return how many items a list has, and where the first one begins."""
    kind = data[0]
    if kind == _LIST_OF_16_BITS:
        return int.from_bytes(data[1:3], "big"), 3
    if kind == _LIST_OF_32_BITS:
        return int.from_bytes(data[1:5], "big"), 5
    return kind & _LONGEST_SHORT, 1
