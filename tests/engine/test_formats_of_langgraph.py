"""Checkpoints in LangGraph's form as nbhitl's and back: by value, where a thread would lose or mix up what it holds."""

from __future__ import annotations

import operator
from types import SimpleNamespace

import pytest

from nbhitl.channels import BinaryOperatorAggregate, LastValue, Topic
from nbhitl.checkpoint.base import CheckpointTuple
from nbhitl.checkpoint.records import Frame, StoredCheckpoint
from nbhitl.checkpoint.task_ids import task_id
from nbhitl.constants import ERROR, INTERRUPT, NULL_TASK_ID, PULL, RESUME, SCHEDULED, START, TASKS
from nbhitl.engine.from_langgraph import _split, adopt
from nbhitl.engine.tasks import interrupt_id, task_namespace
from nbhitl.engine.to_langgraph import Names, answers_of, checkpoint_of, writes_of
from nbhitl.errors import BundleError
from nbhitl.types import Interrupt, Send

NOON = "2026-11-20T12:00:00.000000+00:00"
PATH = (PULL, "ask")
OWN = task_id("1", "", 3, "ask", PATH)
FIRST, SECOND = (interrupt_id(task_namespace("", "ask", OWN), number) for number in (0, 1))
SCHEMA = {"type": "string"}


def listed(id, values=(), *, parent=None, seen=None, writes=(), ns="", **metadata):
    """A checkpoint as LangGraph's savers list it."""
    place = {"thread_id": "t", "checkpoint_ns": ns, "checkpoint_id": id}
    checkpoint = {
        "v": 4, "id": id, "ts": NOON, "channel_values": dict(values), "channel_versions": {},
        "versions_seen": seen or {}, "updated_channels": None,
    }  # fmt: skip
    above = None if parent is None else {"configurable": {**place, "checkpoint_id": parent}}
    return CheckpointTuple({"configurable": place}, checkpoint, {"step": 2, **metadata}, above, list(writes))


def adopted(*found, tasks=(("theirs", ("ask", PATH)),)):
    return adopt(found, dict(tasks), lambda ns: {})


# -- from LangGraph ------------------------------------------------------------------------------------------


def test_channels_are_values_or_who_runs_next():
    known = {"log": BinaryOperatorAggregate(list, operator.add), "odd": Topic(str), "n": LastValue(int)}
    sent = SimpleNamespace(node="a", arg=1)
    found = {
        "log": ["x"], "odd": ["y"], "n": 1, "unknown": 2, START: {"n": 1}, "branch:to:a": None,
        "branch:to:late": ("x", False), "join:a+b:c": {"a"}, TASKS: [sent, "no Send"],
    }  # fmt: skip
    values, frame = _split(found, known)
    assert values == {"log": ["x"], "n": 1, "unknown": 2}
    assert (frame.triggers, frame.start) == ((START, "branch:to:a"), {"n": 1})
    assert frame.sends == (Send("a", 1), "no Send")
    assert frame.channels == {"odd": ["y"], "branch:to:late": ("x", False), "join:a+b:c": {"a"}}
    assert _split({}, known)[1] == Frame()


def test_a_task_that_is_known_by_name_has_nbhitls_id():
    writes = [("theirs", "log", ["x"]), ("others", "log", ["y"]), (NULL_TASK_ID, "log", ["z"])]
    (stored,) = adopted(listed("1", writes=writes)).checkpoints
    assert stored.writes == [(OWN, "log", ["x"]), ("others", "log", ["y"]), (NULL_TASK_ID, "log", ["z"])]


def test_a_checkpoint_knows_its_parent_and_those_above():
    first = listed("0", seen={"a": {"k": 1}, "__input__": {}})
    second = listed(
        "1", parent="0", seen={"a": {"k": 1}, "b": {"k": 2}, START: {"k": 1}, "__input__": {"k": 1}}
    )
    below = listed("2", ns="ask:theirs", parents={"": "1"}, writes=[("t2", "log", [])])
    found = adopted(below, second, first, listed("1", writes=[("theirs", "log", [])])).checkpoints
    assert [(c.ns, c.checkpoint_id, c.parent_id) for c in found[:2]] == [("", "0", None), ("", "1", "0")]
    assert [found[0].frame.writers, found[1].frame.writers] == [("a",), ("b", START)]
    assert (found[-1].ns, found[-1].metadata["parents"]) == (f"ask:{OWN}", {"": "1"})
    assert found[0].metadata["parents"] == {}


def test_questions_and_answers_get_nbhitls_ids():
    asked = SimpleNamespace(id="theirs 2", value="again?", response_schema=SCHEMA)
    writes = [
        ("theirs", RESUME, ["yes"]),
        ("theirs", INTERRUPT, [asked]),
        ("theirs", ERROR, ValueError("no")),
    ]
    found = adopted(listed("1", writes=writes))
    again = Interrupt("again?", SECOND, response_schema=SCHEMA)
    (stored,) = found.checkpoints
    assert stored.writes == [
        (OWN, INTERRUPT, [again]),
        (OWN, ERROR, "ValueError('no')"),
        (OWN, RESUME, [[FIRST, "", "yes"]]),
    ]
    assert stored.writes[0][2][0].response_schema == SCHEMA
    assert [(q.interrupt_id, q.task_id, q.node, q.payload) for q in found.questions] == [
        (SECOND, OWN, "ask", "again?")
    ]
    assert found.names == {OWN: ("ask", PATH)}
    assert found.renamed == {NULL_TASK_ID: NULL_TASK_ID, "theirs": OWN, "theirs 2": SECOND}


def test_a_schema_that_is_a_type_stays_with_the_node():
    asked = SimpleNamespace(id="i", value="n?", response_schema=int)
    (stored,) = adopted(listed("1", writes=[("theirs", INTERRUPT, asked)])).checkpoints
    assert stored.writes == [(OWN, INTERRUPT, [Interrupt("n?", FIRST)])]
    assert stored.writes[0][2][0].response_schema is None


def test_answers_stand_where_their_task_does():
    later = listed("2", parent="1", writes=[("other", "log", [])])
    found = adopted(listed("1", writes=[("theirs", RESUME, ["a", "b"]), ("theirs", "log", [])]), later)
    first, second = found.checkpoints
    assert first.writes == [(OWN, "log", []), (OWN, RESUME, [[FIRST, "", "a"], [SECOND, "", "b"]])]
    assert second.writes == [("other", "log", [])]


def test_a_question_of_nobody_known_is_refused():
    asked = SimpleNamespace(id="i", value="n?", response_schema=None)
    with pytest.raises(BundleError, match="Answer it with LangGraph first"):
        adopted(listed("1", writes=[("unknown", INTERRUPT, [asked])]))


# -- to LangGraph --------------------------------------------------------------------------------------------


def kept(writes=(), frame=None, values=(), **metadata):
    about = {"source": "loop", "step": 2, "parents": {}, **metadata}
    return StoredCheckpoint("t", "", "1", None, NOON, about, frame or Frame(), dict(values), list(writes))


def names_for(stored):
    names = Names([stored])
    names.note(stored, [SimpleNamespace(name="ask", path=PATH, id="theirs")])
    return names


def sent(node, arg):
    return ("sent", node, arg)


def test_who_runs_next_is_told_in_channels():
    frame = Frame(
        ("branch:to:a", START), (Send("b", 1),), {"join:a+b:c": {"a"}}, {"n": 1}, ("a", INTERRUPT, "b")
    )
    made = checkpoint_of(kept(frame=frame, values={"n": 0}), 7, 6, sent)
    assert made["channel_values"] == {
        "n": 0, "branch:to:a": None, START: {"n": 1}, "join:a+b:c": {"a"}, TASKS: [("sent", "b", 1)],
    }  # fmt: skip
    assert made["channel_versions"] == dict.fromkeys(made["channel_values"], 7)
    assert made["versions_seen"] == {"__input__": {}, "a": {"branch:to:a": 6}, "b": {"branch:to:b": 6}}
    first = checkpoint_of(kept(frame=Frame(writers=("a",))), 1, None, sent)
    assert (first["versions_seen"], first["channel_values"]) == ({"__input__": {}}, {})


def test_pending_writes_are_told_by_task():
    writes = [
        (OWN, INTERRUPT, [Interrupt("q", FIRST), Interrupt("of nobody", "0" * 32)]),
        (OWN, RESUME, [[FIRST, "", "yes"]]),
        (OWN, SCHEDULED, 2),
        ("unknown", TASKS, Send("b", 1)),
        ("unknown", TASKS, "no Send"),
        ("unknown", "log", ["x"]),
    ]
    stored = kept(writes)
    asked = writes_of(stored, names_for(stored), lambda *question: question, sent)
    assert dict(asked) == {
        "theirs": [(INTERRUPT, [("q", "ask:theirs", 0, None)])],
        "unknown": [(TASKS, ("sent", "b", 1)), (TASKS, "no Send"), ("log", ["x"])],
    }


def test_answers_are_told_in_the_order_of_asking():
    writes = [
        (OWN, RESUME, [[SECOND, "", "b"], [FIRST, "", "a"], ["0" * 32, "", "of nobody"]]),
        (OWN, "log", []),
    ]
    stored = kept(writes)
    assert answers_of(stored, names_for(stored)) == {("", "1", "theirs"): ["a", "b"]}
