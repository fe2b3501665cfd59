"""Which answer belongs to which question."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.constants import ERROR, INTERRUPT, NO_WRITES, RESUME, RETURN, TASKS
from nbhitl.engine.questions import (
    is_answer_map,
    is_interrupt_id,
    match_answers,
    open_questions,
    payload_digest,
    resume_entries,
    saved_entries,
    validated_answer,
)
from nbhitl.errors import UnknownInterruptError, is_invalid_resume
from nbhitl.types import Interrupt, Send

A, B, C = "a" * 32, "b" * 32, "c" * 32
FALSY = [None, False, 0, 0.0, "", [], {}]


def asked(*ids: str) -> list[Interrupt]:
    return [Interrupt(f"question {id[0]}", id) for id in ids]


# -- what an answer map is -------------------------------------------------------------------------
@pytest.mark.parametrize("key", [A, "0123456789abcdef" * 2])
def test_an_interrupt_id(key):
    assert is_interrupt_id(key)


@pytest.mark.parametrize("key", ["", "a" * 31, "a" * 33, "A" * 32, "g" * 32, 1, None, b"a" * 32])
def test_not_an_interrupt_id(key):
    assert not is_interrupt_id(key)


@pytest.mark.parametrize("resume", [{A: 1}, {A: None, B: {}}])
def test_an_answer_map(resume):
    assert is_answer_map(resume)


@pytest.mark.parametrize("resume", [*FALSY, {1: 2}, {"approve": True}, {A: 1, "note": 2}, [A], A])
def test_an_ordinary_answer(resume):
    assert not is_answer_map(resume)


# -- what is open ----------------------------------------------------------------------------------
def test_every_question_of_every_task_is_open():
    writes = [("t1", INTERRUPT, asked(A, B)), ("t2", INTERRUPT, tuple(asked(C)))]
    assert open_questions(writes) == {"t1": asked(A, B), "t2": asked(C)}


def test_a_single_interrupt_is_a_list_of_one():
    assert open_questions([("t1", INTERRUPT, asked(A)[0])]) == {"t1": asked(A)}


def test_an_answered_question_is_not_open():
    writes = [("t1", INTERRUPT, asked(A, B)), ("t1", RESUME, [[A, "digest", None]])]
    assert open_questions(writes) == {"t1": asked(B)}
    assert open_questions([*writes, ("t1", RESUME, [[A, "", 1], [B, "", 2]])]) == {}


@pytest.mark.parametrize(
    ("channel", "value"), [("log", ["x"]), (NO_WRITES, None), (RETURN, 1), (TASKS, Send("a", 1))]
)
def test_a_task_that_is_done_asks_nothing(channel, value):
    assert open_questions([("t1", INTERRUPT, asked(A)), ("t1", channel, value)]) == {}


def test_a_failed_task_still_asks():
    assert open_questions([("t1", INTERRUPT, asked(A)), ("t1", ERROR, "boom")]) == {"t1": asked(A)}


def test_no_writes_no_questions():
    assert open_questions([]) == {}


# -- whose answer it is ----------------------------------------------------------------------------
@pytest.mark.parametrize("resume", [*FALSY, "yes", {"approve": True}, {1: 2}, {A: 1, "note": 2}])
def test_any_value_answers_the_one_open_question(resume):
    assert match_answers(resume, {"t1": asked(A)}, False) == {A: resume}


@pytest.mark.parametrize("answer", FALSY)
def test_a_map_names_its_question(answer):
    assert match_answers({A: answer}, {"t1": asked(A)}, False) == {A: answer}


def test_a_map_may_answer_some_or_all():
    pending = {"t1": asked(A), "t2": asked(B, C)}
    assert match_answers({B: 1}, pending, False) == {B: 1}
    assert match_answers({A: 1, C: 2, B: 3}, pending, False) == {A: 1, C: 2, B: 3}


def test_a_map_with_one_unknown_id_answers_nothing():
    with pytest.raises(UnknownInterruptError, match=f"{C} is open.*open are: {A}, {B}") as caught:
        match_answers({A: 1, C: 2}, {"t1": asked(A), "t2": asked(B)}, False)
    assert caught.value.reason == "not_pending"
    assert caught.value.interrupt_ids == (C,)
    assert caught.value.pending_ids == (A, B)


def test_a_map_is_not_taken_for_a_go_on():
    with pytest.raises(UnknownInterruptError, match="open are: none"):
        match_answers({A: 1}, {}, True)


@pytest.mark.parametrize("pending", [{"t1": asked(A), "t2": asked(B)}, {"t1": asked(A, B)}])
def test_one_answer_for_two_questions_is_refused(pending):
    with pytest.raises(RuntimeError, match=f"you must specify the interrupt id when resuming.*{A}, {B}"):
        match_answers("yes", pending, False)


@pytest.mark.parametrize("resume", [*FALSY, "yes"])
def test_at_a_breakpoint_any_value_means_go_on(resume):
    assert match_answers(resume, {}, True) == {}


@pytest.mark.parametrize("resume", [*FALSY, "yes"])
def test_where_nothing_is_open_there_is_nothing_to_answer(resume):
    with pytest.raises(UnknownInterruptError, match="no question is open"):
        match_answers(resume, {}, False)


ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(string.ascii_letters, max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(derandomize=True, max_examples=80, deadline=None, database=None)
@given(
    answers=st.dictionaries(st.sampled_from([A, B, C]), ANSWERS, min_size=1), tasks=st.permutations([A, B, C])
)
def test_no_answer_reaches_another_question(answers, tasks):
    pending = {f"task {id[0]}": asked(id) for id in tasks}
    assert match_answers(answers, pending, False) == answers
    entries = resume_entries(pending, answers, {})
    assert {row[0]: row[2] for rows in entries.values() for row in rows} == answers
    assert all(task == f"task {rows[0][0][0]}" for task, rows in entries.items())
    saved = [(task, INTERRUPT, ask) for task, ask in pending.items()]
    saved += [(task, RESUME, rows) for task, rows in entries.items()]
    assert {i.id for left in open_questions(saved).values() for i in left} == {A, B, C} - set(answers)


# -- what is saved of an answer --------------------------------------------------------------------
def test_answers_are_saved_with_what_was_asked_after_those_before():
    before = {"t1": [[A, payload_digest("question a"), "first"]]}
    entries = resume_entries({"t1": asked(B), "t2": asked(C)}, {B: None}, before)
    assert entries == {
        "t1": [[A, payload_digest("question a"), "first"], [B, payload_digest("question b"), None]]
    }
    assert before == {"t1": [[A, payload_digest("question a"), "first"]]}


def test_saved_entries_are_found_again():
    writes = [("t1", "log", []), ("t1", RESUME, ([A, "", 1],)), ("t2", INTERRUPT, asked(B))]
    assert saved_entries(writes) == {"t1": [[A, "", 1]]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", 1),
        (1, 1.5),
        (1, True),
        (0, False),
        (None, "None"),
        ("", None),
        ({"a": 1}, {"a": 2}),
        ([1, 2], [2, 1]),
        ("a", b"a"),
        ("\ud800", "\ud801"),
    ],
)
def test_different_questions_have_different_digests(one, other):
    assert payload_digest(one) != payload_digest(other)


def test_equal_questions_have_equal_digests():
    assert payload_digest({"a": 1, "b": [None]}) == payload_digest({"b": [None], "a": 1})
    assert payload_digest("question") == payload_digest("ques" + "tion")


def test_a_digest_never_changes():
    # Answers wait in stores under it.
    assert payload_digest("delete?") == "f3e0a3373a613780880d198ec84daf095ec6e00e4216111004de91b8792acf62"


# -- what an answer must look like -----------------------------------------------------------------
def test_an_answer_becomes_an_instance_of_its_schema():
    from pydantic import BaseModel

    class Choice(BaseModel):
        yes: bool

    assert validated_answer({"yes": True}, Choice) == Choice(yes=True)
    assert validated_answer("3", int) == 3


def test_an_answer_that_does_not_fit_is_told_from_the_nodes_own_errors():
    from pydantic import ValidationError

    with pytest.raises(ValidationError) as caught:
        validated_answer("three", int)
    assert is_invalid_resume(caught.value)
    assert not is_invalid_resume(ValueError("three"))


@pytest.mark.parametrize("schema", [None, {"type": "integer"}])
@pytest.mark.parametrize("answer", [*FALSY, "three"])
def test_without_a_class_an_answer_passes_as_it_is(schema, answer):
    assert validated_answer(answer, schema) is answer
