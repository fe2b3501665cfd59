"""Questions, answers and breakpoints: the instructions that the loop yields for what it is sent, told by hand."""

from __future__ import annotations

import pytest

from nbhitl.checkpoint.digests import payload_digest
from nbhitl.checkpoint.leases import LEASE
from nbhitl.checkpoint.records import (
    CheckpointKey,
    Claim,
    ClaimRequest,
    PauseRecord,
    QuestionRecord,
    TaskWrites,
)
from nbhitl.constants import INTERRUPT, PULL, RESUME, START
from nbhitl.engine.instructions import Outcome, StoreCall
from nbhitl.engine.loop import superstep_loop
from nbhitl.engine.tasks import TaskResult
from nbhitl.errors import (
    AlreadyAnswered,
    AnswerInDoubt,
    UnknownInterruptError,
    mark_invalid_resume,
)
from nbhitl.types import Command, Interrupt

from .building import NOON, Hand, is_look_at_kept, program_of, pulled, stored
from .stories import BEGINS, CHAIN, CHAIN_PLAYS, FAN, FAN_PLAYS, QUESTION, paused

OTHER = Interrupt("sure?", "2" * 32)


# -- questions -------------------------------------------------------------------------------------
def test_an_interrupt_waits_for_the_others_and_saves_the_question():
    hand = Hand(FAN, {**FAN_PLAYS, "a": (QUESTION,)})
    assert hand.play({"log": []}) == [
        *BEGINS,
        ("put_step", "loop", 0, {"log": []}, ("a", "b")),
        ("start", ["a", "b"]),
        "await",
        "await",
        ("put_pending", "cp2", {"b": [("log", ["b"]), ("join:a+b:c", "b")]}),
        ("put_pause", "cp2", ["a"], [("a", "interrupt", "really?")]),
    ]
    assert hand.outcome == Outcome({"log": ["b"], "total": 0}, (QUESTION,), paused=True)


def test_questions_are_listed_in_the_order_of_the_tasks():
    hand = Hand(FAN, {**FAN_PLAYS, "a": (QUESTION,), "b": (OTHER,)})
    hand.play({"log": []}, arrival=lambda tasks: tasks[::-1])
    assert hand.outcome == Outcome({"log": [], "total": 0}, (QUESTION, OTHER), paused=True)


def test_a_pause_in_full():
    hand = Hand(CHAIN, {})
    steps = superstep_loop(hand.progress(), None, CheckpointKey("t", ""))
    next(steps)
    task = steps.send(stored({}, "a"))
    left = TaskWrites(task.id, "a", (PULL, "a"), [(INTERRUPT, [QUESTION])])
    asked = QuestionRecord(QUESTION.id, task.id, "a", "interrupt", "really?", payload_digest("really?"), NOON)
    call = steps.send(TaskResult(task, [], interrupts=(QUESTION,)))
    assert isinstance(call, StoreCall)
    kept = call.args[0].kept
    assert call == StoreCall("put_pause", (PauseRecord("t", "", "cp", [left], [asked], kept),))
    assert (kept.task, kept.asked, kept.starts) == (task, asked, 1)
    assert (kept.changeable, kept.head.values) == ((True, False), {})


@pytest.mark.parametrize("resume", ["yes", None, False, 0, "", {}, {QUESTION.id: "yes"}, {QUESTION.id: None}])
def test_an_answer_is_claimed_before_any_node_runs(resume):
    hand = Hand(CHAIN, CHAIN_PLAYS)
    answer = resume[QUESTION.id] if resume and isinstance(resume, dict) else resume
    assert hand.play(Command(resume=resume), paused(a=QUESTION)) == [
        ("load", None),
        ("claim", "cp", {QUESTION.id: answer}),
        ("run", "a"),
        ("put_step", "loop", 1, {"log +": ["a"]}, ("b",)),
        ("run", "b"),
        ("put_step", "loop", 2, {"log +": ["b"], "last": "x"}, ()),
    ]


def test_a_claim_in_full_and_the_task_that_gets_the_answer():
    hand = Hand(CHAIN, {}, by="ada", owner="here")
    steps = superstep_loop(hand.progress(), Command(resume=None), CheckpointKey("t", ""))
    assert is_look_at_kept(next(steps))
    steps.send(None)
    rows = [[QUESTION.id, payload_digest("really?"), None]]
    request = ClaimRequest(
        "t", "", "cp", {QUESTION.id: None}, {pulled("a").id: rows}, "ada", NOON, "here", LEASE
    )
    assert steps.send(paused(a=QUESTION)) == StoreCall("claim", (request,))
    assert steps.send(None).answers == {QUESTION.id: [QUESTION.id, payload_digest("really?"), None]}


def test_an_answer_that_came_second_runs_nothing():
    late = AlreadyAnswered("too late")
    seen = Hand(CHAIN, CHAIN_PLAYS).play(Command(resume="no"), paused(a=QUESTION), refusals={"claim": late})
    assert seen == [("load", None), ("claim", "cp", {QUESTION.id: "no"}), late]


def taken_up(lease_until: str | None) -> Claim:
    return Claim("t", "", "cp", QUESTION.id, "delivered", "yes", "ada", NOON, "elsewhere", lease_until)


ANSWERED = (pulled("a").id, RESUME, [[QUESTION.id, payload_digest("really?"), "yes"]])


@pytest.mark.parametrize("given", [None, Command(resume={OTHER.id: "no"}), Command(update={"log": ["x"]})])
@pytest.mark.parametrize(
    ("lease_until", "error"), [("2026-01-01T12:01:00.000000+00:00", AlreadyAnswered), (NOON, AnswerInDoubt)]
)
def test_nothing_runs_and_nothing_is_claimed_while_an_answer_is_being_applied(given, lease_until, error):
    found = paused(a=QUESTION, b=OTHER)
    found.writes.append(ANSWERED)
    hand = Hand(FAN, FAN_PLAYS)
    hand.claims = [taken_up(lease_until)]
    seen = hand.play(given, found)
    assert seen[:-1] == [("load", None), ("claims", "t"), ("load", None)]
    assert isinstance(seen[-1], error)


def test_after_a_failure_the_answer_is_applied_again():
    found = paused(a=QUESTION)
    found.writes += [ANSWERED, (pulled("a").id, "__error__", "no")]
    hand = Hand(CHAIN, CHAIN_PLAYS)
    hand.claims = [taken_up(None)]
    assert hand.play(None, found)[1:4] == [("claims", "t"), ("load", None), ("run", "a")]


def test_a_second_question_of_the_same_task_keeps_the_first_answer():
    first = [QUESTION.id, payload_digest("really?"), "yes"]
    found = paused(a=OTHER)
    found.writes.append((pulled("a").id, RESUME, [first]))
    steps = superstep_loop(Hand(CHAIN, {}).progress(), Command(resume="no"), CheckpointKey("t", ""))
    assert is_look_at_kept(next(steps))
    steps.send(None)
    # The task has used up its first answer, or it would not have come to the second question.
    claim = steps.send(found)
    assert claim.method == "claim"
    assert claim.args[0].answers == {OTHER.id: "no"}
    assert claim.args[0].resumes == {pulled("a").id: [first, [OTHER.id, payload_digest("sure?"), "no"]]}
    answers = steps.send(None).answers
    assert {id: answer for id, (_, _, answer) in answers.items()} == {QUESTION.id: "yes", OTHER.id: "no"}


def test_an_answer_to_one_of_two_runs_both_tasks_and_asks_the_other_again():
    hand = Hand(FAN, {**FAN_PLAYS, "b": (OTHER,)})
    assert hand.play(Command(resume={QUESTION.id: "yes"}), paused(a=QUESTION, b=OTHER)) == [
        ("load", None),
        ("claim", "cp", {QUESTION.id: "yes"}),
        ("start", ["a", "b"]),
        "await",
        ("put_pending", "cp", {"a": [("log", ["a"]), ("join:a+b:c", "a")]}),
        "await",
        ("put_pause", "cp", ["b"], [("b", "interrupt", "sure?")]),
    ]
    assert hand.outcome == Outcome({"log": ["in", "a"], "total": 0}, (OTHER,), paused=True)


def test_a_task_that_was_done_before_the_pause_does_not_run_again():
    found = paused("a", "b", a=QUESTION)
    found.writes += [(pulled("b").id, "log", ["b"]), (pulled("b").id, "join:a+b:c", "b")]
    hand = Hand(FAN, FAN_PLAYS, modes=("updates",))
    assert hand.play(Command(resume="yes"), found) == [
        ("load", None),
        ("claim", "cp", {QUESTION.id: "yes"}),
        ("start", ["a"]),
        "await",
        ("put_pending", "cp", {"a": [("log", ["a"]), ("join:a+b:c", "a")]}),
        "show",
        ("put_step", "loop", 1, {"log +": ["a", "b"]}, ()),
        ("run", "c"),
        ("put_step", "loop", 2, {"total": 1}, ()),
    ]
    assert [chunk for _, _, chunk in hand.chunks] == [
        {"b": {"log": ["b"]}, "__metadata__": {"cached": True}},
        {"a": {"log": ["a"]}},
        {"c": {"total": 1}},
    ]


def test_going_on_without_an_answer_asks_again():
    hand = Hand(CHAIN, {"a": (QUESTION,)})
    assert hand.play(None, paused(a=QUESTION)) == [
        ("load", None),
        ("run", "a"),
        ("put_pause", "cp", ["a"], [("a", "interrupt", "really?")]),
    ]


def test_a_refused_answer_is_given_back():
    error = ValueError("not a number")
    mark_invalid_resume(error)
    assert Hand(CHAIN, {"a": error}).play(Command(resume="x"), paused(a=QUESTION)) == [
        ("load", None),
        ("claim", "cp", {QUESTION.id: "x"}),
        ("run", "a"),
        "abandon",
        ("release", "cp", (QUESTION.id,)),
        error,
    ]


def test_the_nodes_own_error_gives_no_answer_back():
    error = ValueError("the effect may have run")
    assert Hand(CHAIN, {"a": error}).play(Command(resume="x"), paused(a=QUESTION))[2:] == [
        ("run", "a"),
        "abandon",
        ("put_pending", "cp", {"a": [("__error__", repr(error)), ("__scheduled__", 2)]}),
        error,
    ]


# -- answers for which nothing is open -------------------------------------------------------------
@pytest.mark.parametrize("resume", ["yes", None, {}, {QUESTION.id: 1}])
@pytest.mark.parametrize("found", [None, stored({"log": []})], ids=["no thread", "finished"])
def test_an_answer_to_nothing_runs_and_saves_nothing(resume, found):
    seen = Hand(CHAIN, CHAIN_PLAYS).play(Command(resume=resume), found)
    assert {wanted[0] for wanted in seen[:-1]} <= {"load", "claims"}
    assert isinstance(seen[-1], UnknownInterruptError)


def test_an_answer_without_a_saver():
    (error,) = Hand(CHAIN, CHAIN_PLAYS, keeps=False).play(Command(resume="yes"))
    assert isinstance(error, RuntimeError)
    assert "compile(checkpointer=InMemorySaver())" in str(error)


def test_the_question_of_one_is_kept_when_another_fails():
    error = ValueError("no")
    assert Hand(FAN, {"a": (QUESTION,), "b": error}).play(None, stored({}, "a", "b"))[-4:] == [
        "abandon",
        ("put_pause", "cp", ["a"], [("a", "interrupt", "really?")]),
        ("put_pending", "cp", {"b": [("__error__", "ValueError('no')")]}),
        error,
    ]


# -- breakpoints -----------------------------------------------------------------------------------
def test_a_breakpoint_before_a_node_is_a_question():
    hand = Hand(CHAIN, CHAIN_PLAYS, interrupt_before=frozenset({"b"}), modes=("updates",))
    assert hand.play({"log": []}) == [
        *BEGINS,
        ("run", START),  # somebody looks on
        ("put_step", "loop", 0, {"log": []}, ("a",)),
        ("run", "a"),
        ("put_step", "loop", 1, {"log +": ["a"]}, ("b",)),
        ("put_pause", "cp3", [], [("b", "breakpoint", None)]),
    ]
    assert hand.outcome == Outcome({"log": ["a"], "total": 0}, paused=True)
    assert hand.chunks[-1] == ((), "updates", {INTERRUPT: ()})


@pytest.mark.parametrize("given", [None, Command(resume="any"), Command(resume=None)])
def test_going_on_from_a_breakpoint(given):
    hand = Hand(CHAIN, CHAIN_PLAYS, interrupt_before=frozenset({"b"}))
    assert hand.play(given, stored({"log": ["a"]}, "b", step=1)) == [
        ("load", None),
        ("run", "b"),
        ("put_step", "loop", 2, {"log +": ["b"], "last": "x"}, ()),
    ]


def test_a_breakpoint_after_a_node_asks_about_what_runs_next():
    hand = Hand(CHAIN, CHAIN_PLAYS, interrupt_after=frozenset({"a"}))
    assert hand.play({"log": []})[-2:] == [
        ("put_step", "loop", 1, {"log +": ["a"]}, ("b",)),
        ("put_pause", "cp3", [], [("b", "breakpoint", None)]),
    ]


def test_breakpoints_everywhere_stop_before_each_node_but_not_before_the_input():
    hand = Hand(CHAIN, CHAIN_PLAYS, interrupt_before="*")
    assert hand.play({"log": []})[-1] == ("put_pause", "cp2", [], [("a", "breakpoint", None)])
    assert hand.play(None, stored({}, "a"))[-1] == ("put_pause", "cp3", [], [("b", "breakpoint", None)])


def test_a_command_with_an_answer_and_an_update_saves_both_before_running():
    hand = Hand(CHAIN, {**CHAIN_PLAYS, "a": (OTHER,)})
    seen = hand.play(Command(resume="yes", update={"log": ["extra"]}), paused(a=QUESTION))
    assert seen[:3] == [
        ("load", None),
        ("claim", "cp", {QUESTION.id: "yes"}),
        ("put_pending", "cp", {"__input__": [("log", ["extra"])]}),
    ]
    assert hand.outcome is not None
    assert hand.outcome.values["log"] == ["in", "extra"]


def test_questions_are_saved_in_the_order_of_the_plan_whoever_asks_first():
    program = program_of("abc", (START, "a"), (START, "b"), (START, "c"))
    asked = {name: (Interrupt(f"{name}?", digit * 32),) for name, digit in zip("abc", "321", strict=True)}
    for arrival in (list, lambda tasks: tasks[::-1], lambda tasks: [tasks[1], tasks[2], tasks[0]]):
        hand = Hand(program, asked)
        pauses: list[PauseRecord] = []
        hand.note = lambda wanted, note=hand.note: (note(wanted), noted(wanted, pauses))
        hand.play({"log": []}, arrival=arrival)
        assert [question.node for question in pauses[0].questions] == ["a", "b", "c"]
        assert [task.name for task in pauses[0].tasks] == ["a", "b", "c"]


def noted(wanted, pauses):
    if isinstance(wanted, StoreCall) and wanted.method == "put_pause":
        pauses.append(wanted.args[0])
