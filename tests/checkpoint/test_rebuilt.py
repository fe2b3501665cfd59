"""A thread of another kind of saver as steps: what each changed is found anew, and nothing else is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from langgraph.checkpoint.memory import InMemorySaver as ForeignSaver

from nbhitl.checkpoint._once import OnceRow
from nbhitl.checkpoint._rebuilt import _prints, _record, keep_beside, rebuilt, with_claims, with_questions
from nbhitl.checkpoint.companion import companion_of, existing_companion
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import (
    CheckpointKey,
    ClaimRequest,
    Frame,
    PauseRecord,
    QuestionRecord,
    StoredCheckpoint,
)
from nbhitl.errors import UnsupportedValue

NOON = "2026-11-20T12:00:00.000000+00:00"
ASKED = QuestionRecord("1" * 32, "task", "ask", "interrupt", "really?", "digest", NOON)


@dataclass
class Point:
    x: int


def checkpoint(number, values, *, ns="", parent=None, writes=()):
    parent_id = None if parent is None else f"cp{parent}"
    metadata = {"source": "loop", "step": number, "parents": {}}
    return StoredCheckpoint("t", ns, f"cp{number}", parent_id, NOON, metadata, Frame(), values, list(writes))


@pytest.mark.parametrize(
    ("before", "now", "values", "appended", "removed"),
    [
        ({"k": [1]}, {"k": [1, 2]}, {}, {"k": [2]}, ()),
        ({"k": [1]}, {"k": [1]}, {}, {}, ()),
        ({"k": []}, {"k": [1]}, {}, {"k": [1]}, ()),
        ({"k": [1, 2]}, {"k": [1]}, {"k": [1]}, {}, ()),
        ({"k": [1, 2]}, {"k": [3, 2, 4]}, {"k": [3, 2, 4]}, {}, ()),
        ({"k": 1}, {"k": [1, 2]}, {"k": [1, 2]}, {}, ()),
        ({"k": [1]}, {"k": (1,)}, {"k": (1,)}, {}, ()),
        ({"k": 1, "same": date(2026, 1, 1)}, {"k": 2, "same": date(2026, 1, 1)}, {"k": 2}, {}, ()),
        ({"k": 1, "gone": 2}, {"k": 1}, {}, {}, ("gone",)),
        ({}, {"k": Point(1)}, {"k": Point(1)}, {}, ()),
    ],
)
def test_a_step_holds_what_changed(before, now, values, appended, removed):
    first, second = checkpoint(1, before), checkpoint(2, now, parent=1)
    record = _record(second, _prints(first), _prints(second))
    assert (record.values, record.appended, record.removed) == (values, appended, removed)
    assert record.full() == now


def test_a_step_is_the_difference_to_its_parent_of_the_same_namespace(monkeypatch):
    records = []
    put_step = InMemorySaver.put_step
    monkeypatch.setattr(
        InMemorySaver, "put_step", lambda self, record: records.append(record) or put_step(self, record)
    )
    stored = [
        checkpoint(1, {"k": [1]}),
        checkpoint(1, {"k": [7]}, ns="below"),
        checkpoint(2, {"k": [1, 2]}, parent=1),
        checkpoint(3, {"k": [1, 3]}, parent=1, writes=[("task", "k", [4])]),
        checkpoint(2, {"k": [7, 8]}, ns="below", parent=1),
    ]
    saver = rebuilt(stored, {"task": ("node", ("__pregel_pull", "node"))})
    assert [record.appended for record in records] == [{}, {}, {"k": [2]}, {"k": [3]}, {"k": [8]}]
    for one in stored:
        found = saver.load(CheckpointKey("t", one.ns, one.checkpoint_id))
        assert (found.values, found.parent_id, found.writes) == (one.values, one.parent_id, one.writes)


def test_what_cannot_be_stored_is_named():
    with pytest.raises(UnsupportedValue, match=r"state key 'k' \(thread 't', checkpoint cp1\) cannot be"):
        rebuilt([checkpoint(1, {"k": object()})], {})


def test_what_is_open_is_open_at_the_newest_checkpoint():
    saver = rebuilt([checkpoint(1, {}), checkpoint(2, {}, parent=1)], {})
    with_questions(saver, "t", [])
    assert saver.pending() == []
    with_questions(saver, "t", [ASKED])
    assert [(q.interrupt_id, q.checkpoint_id) for q in saver.pending()] == [(ASKED.interrupt_id, "cp2")]
    empty = InMemorySaver()
    with_questions(empty, "t", [ASKED])
    assert empty.pending() == []


def answered() -> InMemorySaver:
    """A thread with a decision, an open question and an effect."""
    saver = rebuilt([checkpoint(1, {})], {})
    other = ASKED._replace(interrupt_id="2" * 32, task_id="other")
    saver.put_pause(PauseRecord("t", "", "cp1", [], [ASKED, other]))
    entries = {"task": [[ASKED.interrupt_id, "digest", "yes"]]}
    answers = {ASKED.interrupt_id: "yes"}
    saver.claim(ClaimRequest("t", "", "cp1", answers, entries, "ada", NOON, "owner", 60.0))
    saver.report("t", "", "cp1", [ASKED.interrupt_id])
    return saver


def note_effect(saver: InMemorySaver) -> None:
    with saver._rows.atomic("t"):
        saver._rows.put_once([OnceRow("t", "mail", "done", b"\xc0", "owner", NOON)])


def test_claims_and_effects_come_along_under_the_ids_of_now():
    companion, saver = answered(), rebuilt([checkpoint(1, {})], {})
    note_effect(companion)
    with_claims(saver, companion, "t", {ASKED.interrupt_id: "3" * 32, "task": "now"})
    assert [(c.interrupt_id, c.by, c.state) for c in saver.claims("t")] == [("3" * 32, "ada", "applied")]
    assert [question.task_id for question in saver._rows.questions("t")] == ["now"]
    assert [entry.key for entry in saver.once_entries("t")] == ["mail"]


def test_effects_alone_are_kept_beside():
    saver, checkpointer = rebuilt([checkpoint(1, {})], {}), ForeignSaver()
    note_effect(saver)
    keep_beside(saver, checkpointer, "t", {})
    assert [entry.key for entry in companion_of(checkpointer).once_entries("t")] == ["mail"]


def test_decisions_are_kept_beside_and_no_open_question():
    saver, checkpointer = rebuilt([checkpoint(1, {})], {}), ForeignSaver()
    keep_beside(saver, checkpointer, "t", {})
    assert existing_companion(checkpointer) is None
    keep_beside(answered(), checkpointer, "t", {ASKED.interrupt_id: "3" * 32, ASKED.task_id: "now"})
    kept = companion_of(checkpointer).claims("t")
    assert [(claim.interrupt_id, claim.by, claim.state) for claim in kept] == [("3" * 32, "ada", "applied")]
    assert [question.task_id for question in companion_of(checkpointer)._rows.questions("t")] == ["now"]
