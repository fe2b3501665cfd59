"""The rules of claims, by value: no saver, no clock."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.checkpoint import claims
from nbhitl.checkpoint.claims import APPLIED, DELIVERED, DROPPED, LIVE, OPEN, RECORDED, Question
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt

from .building import at

QUESTION = Question("t", "", "c1", "q1", "task", "node", "interrupt", b"payload", "digest", at(0))
TAKEN = claims.take(QUESTION, b"yes", "ann", at(1), "kernel", 30.0)


def take(question: Question, answer: bytes = b"yes", now: float = 2) -> Question:
    return claims.take(question, answer, "bob", at(now), "other", 30.0)


def test_taking_an_open_question():
    assert (
        QUESTION._replace(
            state=DELIVERED, answer=b"yes", by="ann", at=at(1), owner="kernel", lease_until=at(31)
        )
        == TAKEN
    )


@pytest.mark.parametrize("state", [APPLIED, DROPPED])
def test_what_is_over_stays_over(state):
    over = TAKEN._replace(state=state, owner=None, lease_until=None)
    for move in (take, claims.release, lambda q: claims.record(q, b"x", None, at(2))):
        with pytest.raises(AlreadyAnswered):
            move(over)
    assert claims.drop(over) is over
    assert claims.after_step(over, "", "c1", "loop") is over
    assert claims.after_pause(over, ["task"], []) is over
    assert claims.after_results(over, ["task"], []) is over


def test_only_the_noted_answer_can_be_delivered():
    noted = claims.record(QUESTION, b"yes", "ann", at(1))
    assert (noted.state, noted.by, noted.at) == (RECORDED, "ann", at(1))
    with pytest.raises(AlreadyAnswered, match="by ann"):
        take(noted, b"no")
    taken = take(noted, b"yes", now=100)
    assert (taken.by, taken.at, taken.lease_until) == ("ann", at(1), at(130))


@pytest.mark.parametrize(("now", "doubt"), [(30.999, False), (31, True), (31.001, True)])
def test_a_lease_ends_on_the_dot(now, doubt):
    assert claims.is_in_doubt(TAKEN, at(now)) is doubt
    with pytest.raises(AnswerInDoubt if doubt else AlreadyAnswered):
        take(TAKEN, now=now)


@pytest.mark.parametrize(
    ("given", "lease", "until"),
    [
        ("2026-12-31T23:59:59.999999+00:00", 60.0, "2027-01-01T00:00:59.999999+00:00"),
        ("2026-12-31T23:59:59.999999+00:00", 0.5, "2027-01-01T00:00:00.499999+00:00"),
        ("2026-12-31T23:59:59+02:00", 0.0, "2026-12-31T21:59:59.000000+00:00"),
        ("2026-12-31T23:59:59", 86400, "2027-01-01T23:59:59.000000+00:00"),
    ],
)
def test_the_end_of_a_lease_is_spelt_as_all_times_are(given, lease, until):
    assert claims.take(QUESTION, b"yes", "ann", given, "kernel", lease).lease_until == until


@pytest.mark.parametrize(("node", "named"), [("node", "The question of node 'node'"), ("", "The question")])
def test_who_comes_late_is_told_which_question_it_was(node, named):
    with pytest.raises(
        AlreadyAnswered, match=rf"^{named} \(interrupt q1, thread 't'\) was already answered by ann at"
    ):
        take(TAKEN._replace(node=node))


def test_a_released_question_can_be_answered_again():
    assert claims.release(TAKEN) == QUESTION
    assert take(claims.release(TAKEN), b"no").answer == b"no"


@pytest.mark.parametrize(
    ("ns", "parent", "source", "state"),
    [
        ("", "c1", "loop", APPLIED),
        ("", "c1", "update", APPLIED),
        ("", "c0", "loop", DELIVERED),
        ("", "c0", "fork", DELIVERED),
        ("other:1", "c1", "loop", DELIVERED),
    ],
)
def test_a_step_applies_what_was_delivered_at_its_parent(ns, parent, source, state):
    assert claims.after_step(TAKEN, ns, parent, source).state == state


def test_a_step_that_comes_late_leaves_the_questions_of_a_newer_one_open():
    asked = QUESTION._replace(checkpoint_id="c5")
    assert claims.after_step(asked, asked.ns, "c1", "update", "c4").state == OPEN
    assert claims.after_step(asked, asked.ns, "c1", "update", "c6").state == DROPPED


@pytest.mark.parametrize(
    ("ns", "source", "state"),
    [
        ("", "loop", APPLIED),
        ("", "fork", DELIVERED),
        ("a:1", "loop", APPLIED),
        ("a:10", "loop", DELIVERED),
        ("b:1", "loop", DELIVERED),
    ],
)
def test_a_parents_step_ends_what_is_below(ns, source, state):
    below = TAKEN._replace(ns="a:1|b:2")
    assert claims.after_step(below, ns, "p1", source).state == state
    waiting = claims.after_step(QUESTION._replace(ns="a:1|b:2"), ns, "p1", source)
    assert waiting.state == (DROPPED if ns in ("", "a:1") else OPEN)


@pytest.mark.parametrize(
    ("tasks", "asked", "state"),
    [(["task"], ["q2"], APPLIED), (["task"], ["q1"], DELIVERED), (["sibling"], ["q2"], DELIVERED)],
)
def test_a_pause_uses_up_the_answers_of_its_task(tasks, asked, state):
    assert claims.after_pause(TAKEN, tasks, asked).state == state


def test_times_are_compared_as_times():
    there = claims.take(QUESTION, b"", None, "2026-11-20T13:00:01+01:00", "k", 30.0)
    assert (there.at, there.lease_until) == (at(1), at(31))
    assert claims.moment("2026-11-20T12:00:01") == at(1)
    assert claims.moment(at(1)) == claims.moment(at(1).replace("T", " ")) == at(1)
    assert claims.moment("2026-11-20T13:00:01.000000+01:00") == at(1)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone of a process can be set on POSIX only")
def test_a_time_without_an_offset_is_utc_wherever_the_process_runs(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert claims.moment("2026-11-20T12:00:01") == at(1)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("before", "again"),
    [
        (None, OPEN),
        (QUESTION, OPEN),
        (claims.drop(QUESTION), OPEN),
        (claims.record(QUESTION, b"yes", "ann", at(1)), RECORDED),
        (TAKEN, DELIVERED),
        (TAKEN._replace(state=APPLIED), APPLIED),
    ],
    ids=["never", OPEN, DROPPED, RECORDED, DELIVERED, APPLIED],
)
@pytest.mark.parametrize("changed", [False, True], ids=["the same", "another payload"])
def test_asking_again_leaves_an_answer_alone(before, again, changed):
    new = QUESTION._replace(payload=b"other", digest="another") if changed else QUESTION
    found = claims.ask(new, before)
    assert found.state == again
    if again == OPEN:
        assert (found.payload, found.digest, found.answer) == (new.payload, new.digest, None)
    else:
        assert found == before


@pytest.mark.parametrize("failed", [False, True])
def test_only_an_answer_on_its_way_is_reported(failed):
    done = claims.report(TAKEN, failed=failed)
    assert (done.state, done.lease_until) == (DELIVERED if failed else APPLIED, None)
    for other in (QUESTION, claims.record(QUESTION, b"yes", "ann", at(1)), claims.drop(TAKEN)):
        assert claims.report(other, failed=failed) is other


def test_only_an_answer_on_its_way_is_in_doubt():
    assert not claims.is_in_doubt(TAKEN._replace(state=APPLIED), at(100))
    assert not claims.is_in_doubt(TAKEN._replace(lease_until=None), at(100))


def test_who_has_no_claim_cannot_renew_it():
    assert claims.renew(TAKEN, "kernel", at(20), 30.0).lease_until == at(50)
    with pytest.raises(AlreadyAnswered, match="already answered by ann"):
        claims.renew(TAKEN, "other", at(20), 30.0)
    with pytest.raises(AlreadyAnswered, match="already answered by ann"):
        claims.renew(TAKEN._replace(state=APPLIED), "kernel", at(20), 30.0)
    with pytest.raises(AlreadyAnswered, match="held by nobody; claim it first"):
        claims.renew(QUESTION, "kernel", at(20), 30.0)


moves = st.sampled_from(["take", "record", "release", "drop", "step", "pause", "results", "error", "again"])


@settings(derandomize=True)
@given(st.lists(st.tuples(moves, st.integers(0, 100)), max_size=12))
def test_no_order_of_events_applies_two_answers(events):
    """Whatever happens, an answer that was applied is the last one, and only open questions take one."""
    question, applied = QUESTION, None
    for event, now in events:
        before = question
        answer = b"answer %d" % now
        try:
            question = {
                "take": lambda q, a=answer, n=now: claims.take(q, a, None, at(n), "k", 5.0),
                "record": lambda q, a=answer, n=now: claims.record(q, a, None, at(n)),
                "release": claims.release,
                "drop": claims.drop,
                "step": lambda q: claims.after_step(q, "", "c1", "loop"),
                "pause": lambda q: claims.after_pause(q, ["task"], ["q2"]),
                "results": lambda q: claims.after_results(q, ["task"], []),
                "error": lambda q: claims.after_results(q, [], ["task"]),
                "again": lambda q: claims.ask(QUESTION, q),
            }[event](question)
        except (AlreadyAnswered, AnswerInDoubt):
            assert before.state != OPEN or event == "release"
            continue
        if before.state == APPLIED:
            assert question == before
        if question.state == APPLIED:
            assert question.answer == before.answer
            applied = applied or question.answer
            assert applied == question.answer
        if question.state in LIVE - {OPEN}:
            assert question.answer is not None


def test_what_the_thread_went_on_without_is_taken_by_who_names_it_and_once():
    passed_over = claims.drop(QUESTION)
    with pytest.raises(AlreadyAnswered, match="went on without"):
        claims.take(passed_over, b"late", None, at(1), "k", 5.0)
    taken = claims.take(passed_over, b"late", None, at(1), "k", 5.0, passed_over=True)
    assert (taken.state, taken.answer) == (DELIVERED, b"late")
    with pytest.raises(AlreadyAnswered, match="already answered"):
        claims.take(taken, b"later", None, at(2), "k", 5.0, passed_over=True)
