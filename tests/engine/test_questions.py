"""Which answer belongs to which question."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.checkpoint.digests import payload_digest
from nbhitl.checkpoint.records import CheckpointKey, Claim
from nbhitl.constants import ERROR, INTERRUPT, NO_WRITES, NULL_TASK_ID, RESUME, RETURN, TASKS
from nbhitl.engine.questions import (
    check_claims,
    is_answer_map,
    is_interrupt_id,
    match_answers,
    open_questions,
    resume_entries,
    tasks_left,
)
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, UnknownInterruptError
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


# -- whose answer it is ------------------------------------------------------------------------------


def writes_of(**tasks: str | list[str]) -> list[tuple[str, str, object]]:
    """Pending writes of tasks that have asked, `{task: ids}`."""
    return [
        (task, INTERRUPT, asked(*([ids] if isinstance(ids, str) else ids))) for task, ids in tasks.items()
    ]


def taken(task: str, *ids: str) -> tuple[str, str, object]:
    """The write of answers that somebody has taken up."""
    return task, RESUME, [[id, "digest", "first"] for id in ids]


@pytest.mark.parametrize("resume", [*FALSY, "yes", {"approve": True}, {1: 2}, {A: 1, "note": 2}])
def test_any_value_answers_the_one_open_question(resume):
    assert match_answers(resume, tasks_left(writes_of(t1=A)), can_go_on=True) == {A: resume}


@pytest.mark.parametrize("answer", FALSY)
def test_a_map_names_its_question(answer):
    assert match_answers({A: answer}, tasks_left(writes_of(t1=A)), can_go_on=True) == {A: answer}


def test_a_map_may_answer_some_or_all():
    left = tasks_left(writes_of(t1=A, t2=[B, C]))
    assert match_answers({B: 1}, left, can_go_on=True) == {B: 1}
    assert match_answers({A: 1, C: 2, B: 3}, left, can_go_on=True) == {A: 1, C: 2, B: 3}


def test_ids_that_are_not_open_are_left_aside_where_others_are():
    assert match_answers({C: 2, A: 1}, tasks_left(writes_of(t1=A, t2=B)), can_go_on=True) == {A: 1}


@pytest.mark.parametrize(("resume", "strict"), [({C: 2}, False), ({A: 1, C: 2}, True)])
def test_a_map_that_reaches_nobody_or_strictly_not_everybody_answers_nothing(resume, strict):
    with pytest.raises(
        UnknownInterruptError, match=f"already-consumed interrupt: {C}.*open are: {A}, {B}"
    ) as caught:
        match_answers(resume, tasks_left(writes_of(t1=A, t2=B)), can_go_on=True, strict=strict)
    assert caught.value.reason == "not_pending"
    assert caught.value.interrupt_ids == (C,)
    assert caught.value.pending_ids == (A, B)


def test_a_map_is_not_taken_for_a_go_on():
    with pytest.raises(UnknownInterruptError, match="open are: none"):
        match_answers({A: 1}, tasks_left([]), can_go_on=True)


@pytest.mark.parametrize("writes", [writes_of(t1=A, t2=B), writes_of(t1=[A, B])])
def test_one_answer_for_two_questions_is_refused(writes):
    with pytest.raises(RuntimeError, match=f"you must specify the interrupt id when resuming.*{A}, {B}"):
        match_answers("yes", tasks_left(writes), can_go_on=True)


@pytest.mark.parametrize("resume", [*FALSY, "yes"])
def test_where_nothing_was_asked_any_value_means_go_on(resume):
    assert match_answers(resume, tasks_left([]), can_go_on=True) == {}
    assert match_answers(resume, tasks_left([("t1", ERROR, "failed")]), can_go_on=True) == {}


@pytest.mark.parametrize("resume", [*FALSY, "yes"])
def test_where_nothing_is_open_there_is_nothing_to_answer(resume):
    done = [*writes_of(t1=A), taken("t1", A), ("t1", "log", ["x"])]
    for writes, can_go_on in (([], False), (done, True), (done, False), ([("t1", "log", [])], True)):
        with pytest.raises(UnknownInterruptError, match="no question is open"):
            match_answers(resume, tasks_left(writes), can_go_on=can_go_on)


@pytest.mark.parametrize("resume", ["no", None, {A: "no"}])
def test_an_answer_that_comes_second_is_matched_so_that_the_claim_refuses_it(resume):
    answer = resume[A] if resume and isinstance(resume, dict) else resume
    left = tasks_left([*writes_of(t1=A), taken("t1", A)])
    assert match_answers(resume, left, can_go_on=True) == {A: answer}


def test_a_plain_answer_goes_to_the_question_that_nobody_has_taken_up():
    left = tasks_left([*writes_of(t1=A, t2=B), taken("t1", A)])
    assert match_answers("yes", left, can_go_on=True) == {B: "yes"}
    left = tasks_left([*writes_of(t1=[A, B]), taken("t1", B)])
    assert match_answers("yes", left, can_go_on=True) == {A: "yes"}


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
    writes = writes_of(**{f"task_{id[0]}": id for id in tasks})
    assert match_answers(answers, tasks_left(writes), can_go_on=True) == answers
    entries = resume_entries(open_questions(writes), answers, {})
    assert {row[0]: row[2] for rows in entries.values() for row in rows} == answers
    assert all(task == f"task_{rows[0][0][0]}" for task, rows in entries.items())
    saved = [*writes, *((task, RESUME, rows) for task, rows in entries.items())]
    assert {i.id for left in open_questions(saved).values() for i in left} == {A, B, C} - set(answers)
    assert tasks_left(saved).taken_up() == set(answers)


# -- what others are doing ---------------------------------------------------------------------------


def test_what_is_taken_up_and_not_applied():
    writes = [*writes_of(t1=[A, B], t2=C), taken("t1", A), taken("t2", C), ("t2", "log", ["done"])]
    assert tasks_left(writes).taken_up() == {A}
    assert tasks_left(writes).asked == {"t1": asked(A, B)}
    assert tasks_left(writes).finished == {"t2"}


def test_answers_before_a_task_s_next_question_are_used_up():
    assert tasks_left([*writes_of(t1=[B]), taken("t1", A)]).taken_up() == set()
    assert tasks_left([taken("t1", A)]).taken_up() == {A}


def test_what_a_command_wrote_is_no_finished_task():
    writes = [(NULL_TASK_ID, "log", ["x"]), ("t1", ERROR, "no"), ("t2", RESUME, [])]
    assert tasks_left(writes).finished == set()


KEY = CheckpointKey("t", "", "cp")
NOON, ONE = "2026-01-01T12:00:00.000000+00:00", "2026-01-01T13:00:00.000000+00:00"


def claim(**changed: object) -> Claim:
    return Claim("t", "", "cp", A, "delivered", "yes", "ada", NOON, "elsewhere", ONE)._replace(**changed)


@pytest.mark.parametrize(
    "harmless",
    [
        {"state": "open"},
        {"state": "applied"},
        {"state": "dropped"},
        {"lease_until": None},
        {"interrupt_id": B},
        {"checkpoint_id": "older"},
        {"thread_id": "other"},
        {"ns": "a:1"},
    ],
    ids=repr,
)
def test_claims_that_stop_nobody(harmless):
    check_claims([claim(**harmless)], KEY, {A}, NOON)


def test_an_answer_that_is_being_applied():
    with pytest.raises(AlreadyAnswered, match=f"'t'.*ada.*another run until {re.escape(ONE)}") as caught:
        check_claims([claim(interrupt_id=B), claim()], KEY, {A}, NOON)
    assert (caught.value.by, caught.value.at) == ("ada", NOON)


@pytest.mark.parametrize("now", [ONE, "2026-01-02T00:00:00.000000+00:00"])
def test_an_answer_of_which_nobody_knows_what_became(now):
    with pytest.raises(AnswerInDoubt, match=r"ada.*not known.*release"):
        check_claims([claim()], KEY, {A}, now)


# -- what is saved of an answer --------------------------------------------------------------------
def test_answers_are_saved_with_what_was_asked_after_those_before():
    before = {"t1": [[A, payload_digest("question a"), "first"]]}
    entries = resume_entries({"t1": asked(B), "t2": asked(C)}, {B: None}, before)
    assert entries == {
        "t1": [[A, payload_digest("question a"), "first"], [B, payload_digest("question b"), None]]
    }
    assert before == {"t1": [[A, payload_digest("question a"), "first"]]}


def test_saved_answers_are_found_again():
    writes = [("t1", "log", []), ("t1", RESUME, ([A, "", 1],)), ("t2", INTERRUPT, asked(B))]
    assert tasks_left(writes).answered == {"t1": [[A, "", 1]]}


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
