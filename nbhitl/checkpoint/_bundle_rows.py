"""Rows of a store as entries of a bundle, and back. Pure; nothing is made of the values in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nbhitl.checkpoint import claims
from nbhitl.checkpoint._compression import compressed, decompressed
from nbhitl.checkpoint._fold import DAMAGE, bodies_newest_first
from nbhitl.checkpoint._ids import packed, unpacked
from nbhitl.checkpoint._metadata import SOURCES
from nbhitl.checkpoint._once import DONE, STARTED, OnceRow
from nbhitl.checkpoint._rows import CLASSIC, DELTA, FULL, StepRow, WriteRow, unreadable
from nbhitl.checkpoint._upkeep import renamed
from nbhitl.checkpoint.claims import Question
from nbhitl.checkpoint.serde.tagged_json import bytes_tree, from_json, loads_inert, to_json
from nbhitl.errors import BundleError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbhitl.checkpoint._rows import Codec

_KINDS = {DELTA: "delta", FULL: "whole", CLASSIC: "put"}
_NUMBERS = {name: number for number, name in _KINDS.items()}
_STATES = frozenset({claims.OPEN, claims.RECORDED, claims.DELIVERED, claims.APPLIED, claims.DROPPED})
_ENCODED = frozenset({"payload", "answer", "value", "result"})
_TIMES = frozenset({"asked_at", "at", "lease_until", "started_at", "done_at"})
_MAY_BE_NONE = frozenset({
    "parent_id", "answer", "by", "at", "owner", "lease_until", "result", "done_at", "since", "size",
})  # fmt: skip
_NUMBERED = frozenset({"depth", "idx"})
_MADE_ANEW = ("base_id", "since", "size")
"""Where a step is folded from follows from its parents, and what it takes from its bytes."""


class ThreadRows(NamedTuple):
    """All rows of one thread; values are encoded as nbhitl's own serializer does. Steps are oldest first."""

    steps: list[StepRow]
    writes: list[WriteRow]
    questions: list[Question]
    once: list[OnceRow]


class Inertly:
    """A codec that reads values and makes nothing of them."""

    def loads(self, data: bytes) -> Any:
        """Return the value, with all that is not plain data inert."""
        return loads_inert(data)

    def dumps(self, value: Any) -> bytes:
        """Refuse: what was read inertly is not written back."""
        raise TypeError("an inert value is not written")


def entries(rows: ThreadRows) -> dict[str, list[dict[str, Any]]]:
    """Return the rows as the lists of a bundle, JSON values only.

    Raises:
        StoreError: a row is damaged.
    """
    return {
        "checkpoints": [_told(row, _step_entry) for row in rows.steps],
        "writes": [_told(row, _entry) for row in rows.writes],
        "questions": [_told(row, _entry) for row in rows.questions],
        "once": [_told(row, _entry) for row in rows.once],
    }


def _told(row: Any, entry: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return the entry of a row; an error tells which row it is."""
    try:
        return entry(row)
    except StoreError as error:
        raise unreadable(row, error) from error
    except DAMAGE as error:
        raise unreadable(row, f"it is damaged and cannot be exported: {error!r}") from error


def rows_of(lists: Mapping[str, Any], thread_id: str) -> ThreadRows:
    """Return the rows that the lists of a bundle hold, checked, for a thread of that name.

    Raises:
        BundleError: they are damaged.
    """
    try:
        rows = ThreadRows(
            _step_rows(_list(lists, "checkpoints"), thread_id),
            [_row(WriteRow, entry, thread_id) for entry in _list(lists, "writes")],
            [_row(Question, entry, thread_id) for entry in _list(lists, "questions")],
            [_row(OnceRow, entry, thread_id) for entry in _list(lists, "once")],
        )
        _check(rows)
    except BundleError:
        raise
    except (*DAMAGE, StoreError) as error:
        raise damaged_bundle(error) from error
    return rows


def under_name(rows: ThreadRows, source: str, thread_id: str) -> ThreadRows:
    """Return the rows of thread `source` as those of another thread."""
    return rows._replace(questions=[
        renamed(question._replace(thread_id=source), thread_id) for question in rows.questions
    ])  # fmt: skip


def recoded(rows: ThreadRows, source: Codec, target: Codec) -> ThreadRows:
    """Return the rows with every value as another codec writes it.

    Raises:
        StoreError: a value that one of them cannot read or write.
    """

    def again(data: bytes | None) -> Any:
        return None if data is None else target.dumps(source.loads(data))

    def body(row: StepRow) -> bytes:
        data = target.dumps(source.loads(decompressed(row.body)))
        return compressed(data) if row.is_whole else data

    return ThreadRows(
        [row._replace(metadata=again(row.metadata), body=body(row)) for row in rows.steps],
        [row._replace(value=again(row.value)) for row in rows.writes],
        [row._replace(payload=again(row.payload), answer=again(row.answer)) for row in rows.questions],
        [row._replace(result=again(row.result)) for row in rows.once],
    )


def _entry(row: Any) -> dict[str, Any]:
    """A row's fields but the thread, without those that are None."""
    return {
        name: to_json(value) if name in _ENCODED else value
        for name, value in row._asdict().items()
        if value is not None and name != "thread_id"
    }


def _step_entry(row: StepRow) -> dict[str, Any]:
    entry = {name: value for name, value in _entry(row).items() if name not in _MADE_ANEW}
    body = _body_entry(decompressed(row.body))
    return {**entry, "metadata": _metadata_entry(row.metadata), "body": body}


def _metadata_entry(data: bytes) -> Any:
    tree = to_json(data)
    if isinstance(tree, list):
        source, step = tree
        return {"source": SOURCES[source], "step": step, "parents": {}}
    return tree


def _body_entry(data: bytes) -> dict[str, Any]:
    kind, frame, values, appended, removed, results, base, *more = to_json(data)
    parts = {
        "frame": frame,
        "values": values,
        "appended": appended,
        "removed": removed,
        "results": [_result_entry(*result) for result in results or ()],
        "base": base,
        "edits": more[0] if more else None,
    }
    return {"kind": _KINDS[kind], **{name: part for name, part in parts.items() if part}}


def _result_entry(named: Any, name: str, path: Any, writes: Any) -> dict[str, Any]:
    """A task's results; the task is named by its step if its id follows from its place."""
    if isinstance(named, int):
        return {"step": named, "name": name, "path": path, "writes": writes}
    own = named if isinstance(named, str) else unpacked(loads_inert(from_json(named)))
    return {"task_id": own, "name": name, "path": path, "writes": writes}


def damaged_bundle(what: object) -> BundleError:
    """Return the error for a bundle whose content is not what it should be; `what` tells what is wrong."""
    return BundleError(f"the bundle is damaged: {what}. Export the thread again.")


# -- and back ------------------------------------------------------------------------------------------------


def _list(lists: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = lists.get(name)
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise damaged_bundle(f"{name!r} is no list of objects")
    return found


def _row(make: type[Any], entry: dict[str, Any], thread_id: str) -> Any:
    """Return the row of an entry; every field is of its type."""
    fields: tuple[str, ...] = make._fields
    unknown = entry.keys() - set(fields)
    if unknown or "thread_id" in entry:
        raise damaged_bundle(f"an entry has the field {min(unknown or {'thread_id'})!r}")
    values = {
        name: None if name in _MAY_BE_NONE and name not in entry else _field(name, entry.get(name))
        for name in fields
        if name != "thread_id"
    }
    return make(thread_id=thread_id, **values)


def _field(name: str, value: Any) -> Any:
    if name in _ENCODED or name in ("metadata", "body"):
        return from_json(value)
    if name in _NUMBERED:
        if type(value) is not int or abs(value) >= 2**63:
            raise _wrong(name, value)
        return value
    if not isinstance(value, str):
        raise _wrong(name, value)
    if name in _TIMES:
        try:
            return claims.moment(value)
        except (ValueError, OverflowError):
            raise _wrong(name, value) from None
    return value


def _wrong(name: str, value: Any) -> BundleError:
    return damaged_bundle(f"an entry's {name!r} is {str(value)[:60]!r}")


def _step_rows(entries: Iterable[dict[str, Any]], thread_id: str) -> list[StepRow]:
    """Return the rows of steps, which come oldest first."""
    rows: list[StepRow] = []
    known: dict[tuple[str, str | None], StepRow] = {}
    for entry in entries:
        row = _placed(_step_row(entry, thread_id), entry["body"]["kind"] == _KINDS[DELTA], known)
        known[row.ns, row.checkpoint_id] = row
        rows.append(row)
    return rows


def _step_row(entry: dict[str, Any], thread_id: str) -> StepRow:
    if not entry.keys().isdisjoint(_MADE_ANEW):
        raise damaged_bundle("a checkpoint has a field that it should not have")
    metadata, body = _metadata_tree(entry.get("metadata")), _body_tree(entry.get("body"))
    row: StepRow = _row(StepRow, {**entry, "base_id": "", "metadata": metadata, "body": body}, thread_id)
    return row


def _placed(row: StepRow, is_delta: bool, known: Mapping[tuple[str, str | None], StepRow]) -> StepRow:
    """Return the row with what it is folded from."""
    size = len(row.body)
    if not is_delta:
        return row._replace(base_id=row.checkpoint_id, since=0, size=size, body=compressed(row.body))
    parent = known.get((row.ns, row.parent_id))
    if parent is None or parent.checkpoint_id >= row.checkpoint_id:
        raise damaged_bundle(
            f"checkpoint {row.checkpoint_id} needs its parent {row.parent_id}, which is not before it"
        )
    return row._replace(base_id=parent.base_id, since=parent.since + size, size=parent.size)


def _metadata_tree(tree: Any) -> Any:
    if not isinstance(tree, dict):
        raise _wrong("metadata", tree)
    usual = (
        tree.keys() == {"source", "step", "parents"} and tree["parents"] == {} and type(tree["step"]) is int
    )
    return [SOURCES.index(tree["source"]), tree["step"]] if usual and tree["source"] in SOURCES else tree


def _body_tree(entry: Any) -> list[Any]:
    if not isinstance(entry, dict) or entry.get("kind") not in _NUMBERS:
        raise _wrong("body", entry)
    results = [_result_tree(result) for result in entry.get("results", [])]
    kind = _NUMBERS[entry["kind"]]
    frame, values = entry.get("frame"), entry.get("values", {})
    more = [entry["edits"]] if "edits" in entry else []
    appended, removed, base = entry.get("appended"), entry.get("removed", []), entry.get("base")
    return [kind, frame, values, appended, removed, results, base, *more]


def _result_tree(result: Any) -> list[Any]:
    try:
        named = result["step"] if "step" in result else packed(result["task_id"])
        own = bytes_tree(named) if isinstance(named, bytes) else named
        return [own, result["name"], result["path"], result["writes"]]
    except (TypeError, KeyError):
        raise _wrong("results", result) from None


def _check(rows: ThreadRows) -> None:
    """Check that each row is there once, and that every state can be folded."""
    _once_each("checkpoint", [row[1:3] for row in rows.steps])
    _once_each("write", [row[1:5] for row in rows.writes])
    _once_each("question", [question[1:4] for question in rows.questions])
    _once_each("effect", [(entry.key,) for entry in rows.once])
    if any(question.state not in _STATES for question in rows.questions):
        raise damaged_bundle("a question has an unknown state")
    if any(entry.state not in (STARTED, DONE) for entry in rows.once):
        raise damaged_bundle("an effect has an unknown state")
    for ns in {row.ns for row in rows.steps}:
        of_space = [row for row in rows.steps if row.ns == ns]
        of_space.sort(key=lambda row: row.checkpoint_id, reverse=True)
        _check_states(of_space)


def _once_each(what: str, keys: list[tuple[Any, ...]]) -> None:
    if len(set(keys)) != len(keys):
        raise damaged_bundle(f"it has the same {what} twice")


def _check_states(newest_first: Iterable[StepRow]) -> None:
    codec = Inertly()
    try:
        for row, body in bodies_newest_first(newest_first, codec):
            body.writes(row)
    except StoreError as error:
        raise BundleError(f"the bundle is damaged: {error}") from error
