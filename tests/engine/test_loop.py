"""The story of a run, told by hand: the instructions that the loop yields for what it is sent."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.channels.untracked_value import UntrackedValue
from nbhitl.checkpoint.digests import payload_digest
from nbhitl.checkpoint.leases import LEASE
from nbhitl.checkpoint.records import (
    CheckpointKey,
    Claim,
    ClaimRequest,
    Frame,
    PauseRecord,
    QuestionRecord,
    StepRecord,
    TaskWrites,
)
from nbhitl.constants import INTERRUPT, NULL_TASK_ID, PULL, RESUME, START, TASKS
from nbhitl.engine.instructions import ABANDON, AWAIT, Outcome, Start, StoreCall
from nbhitl.engine.loop import superstep_loop
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.errors import (
    AlreadyAnswered,
    AnswerInDoubt,
    EmptyInputError,
    GraphDrained,
    GraphRecursionError,
    InvalidUpdateError,
    UnknownInterruptError,
    mark_invalid_resume,
)
from nbhitl.graph import StateGraph
from nbhitl.runtime import RunControl
from nbhitl.types import Command, Interrupt, Send

from .building import NOON, Hand, State, chain, idle, is_look_at_kept, program_of, pulled, stored

CHAIN = chain("a", "b")
FAN = program_of("abc", (START, "a"), (START, "b"), (("a", "b"), "c"))
CHAIN_PLAYS = {"a": {"log": ["a"]}, "b": {"log": ["b"], "last": "x"}}
FAN_PLAYS = {"a": {"log": ["a"]}, "b": {"log": ["b"]}, "c": {"total": 1}}
QUESTION = Interrupt("really?", "1" * 32)
OTHER = Interrupt("sure?", "2" * 32)

BEGINS = [
    ("load", None),
    ("put_step", "input", -1, {}, (START,)),
]


# -- the whole of it, instruction by instruction ---------------------------------------------------
def test_every_instruction_of_a_run_in_full():
    hand = Hand(chain("a"), {})
    progress = hand.progress()
    steps = superstep_loop(progress, {"log": ["in"]}, CheckpointKey("t", ""))
    assert next(steps) == StoreCall("load", (CheckpointKey("t", ""), True))

    def record(number: int, source: str, step: int, frame: Frame, **what: object) -> StoreCall:
        fields = {"values": {}, "appended": {}, "results": (), **what}
        parent = f"cp{number - 1}" if number > 1 else None
        metadata = {"source": source, "step": step, "parents": {}}
        record = StepRecord(
            "t",
            "",
            f"cp{number}",
            parent,
            NOON,
            metadata,
            frame,
            removed=(),
            full=progress._plain_values,
            **fields,
        )  # type: ignore[arg-type]
        return StoreCall("put_step", (record,))

    assert steps.send(None) == record(1, "input", -1, Frame((START,), start={"log": ["in"]}))
    writes = [("log", ["in"]), ("branch:to:a", None)]
    assert steps.send(None) == record(
        2,
        "loop",
        0,
        Frame(("branch:to:a",), writers=(START,)),
        values={"log": ["in"]},
        results=[TaskWrites("", START, (PULL, START), writes)],
    )
    task = Task("a", (PULL, "a"), ("branch:to:a",), 1, "cp2", "")
    assert steps.send(None) == task
    assert steps.send(TaskResult(task, [("log", ["a"])])) == record(
        3,
        "loop",
        1,
        Frame((), writers=("a",)),
        appended={"log": ["a"]},
        results=[TaskWrites("", "a", (PULL, "a"), [("log", ["a"])])],
    )
    with pytest.raises(StopIteration) as end:
        steps.send(None)
    assert end.value.value == Outcome({"log": ["in", "a"], "total": 0})


def test_a_chain():
    hand = Hand(CHAIN, CHAIN_PLAYS)
    assert hand.play({"log": ["in"]}) == [
        *BEGINS,
        ("put_step", "loop", 0, {"log": ["in"]}, ("a",)),
        ("run", "a"),
        ("put_step", "loop", 1, {"log +": ["a"]}, ("b",)),
        ("run", "b"),
        ("put_step", "loop", 2, {"log +": ["b"], "last": "x"}, ()),
    ]
    assert hand.outcome == Outcome({"log": ["in", "a", "b"], "total": 0, "last": "x"})


def test_without_a_saver_there_is_nothing_but_tasks():
    hand = Hand(CHAIN, CHAIN_PLAYS, keeps=False)
    assert hand.play({"log": []}) == [("run", "a"), ("run", "b")]
    assert hand.outcome == Outcome({"log": ["a", "b"], "total": 0, "last": "x"})


def test_where_a_path_function_takes_in_the_input_it_is_a_task():
    program = (
        StateGraph(State)
        .add_node("a", idle)
        .add_conditional_edges(START, lambda state: "a")
        .compile()
        .program
    )
    assert Hand(program, {"a": {}}, keeps=False).play({"log": []})[0] == ("run", START)


def test_an_input_that_does_not_fit_is_the_error_of_a_task():
    steps = superstep_loop(Hand(CHAIN, {}, keeps=False).progress(), 7, CheckpointKey("t", ""))
    task = next(steps)
    assert (task.name, task.input) == (START, 7)


def test_a_run_that_is_saved_where_it_ends():
    assert Hand(CHAIN, CHAIN_PLAYS).play({"log": ["in"]}, durability="exit") == [
        ("load", None),
        ("run", "a"),
        ("run", "b"),
        ("put_step", "loop", 2, {"log": ["in", "a", "b"], "last": "x"}, ()),
    ]


# -- side by side ----------------------------------------------------------------------------------
def test_a_fan_out_saves_each_result_as_it_comes():
    hand = Hand(FAN, FAN_PLAYS)
    assert hand.play({"log": []}, arrival=lambda tasks: tasks[::-1]) == [
        *BEGINS,
        ("put_step", "loop", 0, {"log": []}, ("a", "b")),
        ("start", ["a", "b"]),
        "await",
        ("put_pending", "cp2", {"b": [("log", ["b"]), ("join:a+b:c", "b")]}),
        "await",
        ("put_pending", "cp2", {"a": [("log", ["a"]), ("join:a+b:c", "a")]}),
        ("put_step", "loop", 1, {"log +": ["a", "b"]}, ()),
        ("run", "c"),
        ("put_step", "loop", 2, {"total": 1}, ()),
    ]
    assert hand.outcome == Outcome({"log": ["a", "b"], "total": 1})


def test_a_checkpoint_takes_in_the_results_that_are_not_saved_yet():
    hand = Hand(FAN, FAN_PLAYS)
    hand.play({"log": []})
    assert hand.saved_results() == [[], [START], [], ["c"]]


def test_what_an_earlier_run_saved_is_not_saved_again():
    found = stored({"log": []}, "a", "b", writes=[(pulled("b").id, "log", ["b"])])
    hand = Hand(FAN, FAN_PLAYS)
    assert hand.play(None, found)[-1] == ("put_step", "loop", 1, {"log +": ["a", "b"]}, ())
    assert hand.saved_results() == [[]]


def test_a_step_starts_all_its_tasks_at_once():
    hand = Hand(FAN, FAN_PLAYS)
    steps = superstep_loop(hand.progress(), None, CheckpointKey("t", ""))
    next(steps)
    assert steps.send(stored({}, "a", "b")) == Start([pulled("a"), pulled("b")])
    assert steps.send(None) == AWAIT


SENDS = program_of(["map", "work"], (START, "map"))


@settings(derandomize=True, max_examples=40, deadline=None, database=None)
@given(arrival=st.permutations(range(5)))
def test_the_order_of_arrival_does_not_matter(arrival):
    plays = {
        "map": [("__pregel_tasks", Send("work", n)) for n in range(5)],
        "work": {"log": ["w"], "total": 1},
    }

    def run(order):
        hand = Hand(SENDS, plays)
        seen = hand.play({"log": []}, arrival=lambda tasks: [tasks[n] for n in order])
        return hand.outcome, [call for call in seen if call[0] == "put_step"]

    assert run(arrival) == run(range(5))


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


def paused(*nodes: str, **questions: Interrupt):
    """A checkpoint at which nodes wait for answers."""
    writes = [(pulled(name).id, INTERRUPT, [question]) for name, question in questions.items()]
    return stored({"log": ["in"]}, *(nodes or questions), writes=writes)


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


@pytest.mark.parametrize("given", [None, Command()])
def test_no_input(given):
    seen = Hand(CHAIN, CHAIN_PLAYS).play(given)
    assert seen[:-1] == [("load", None)]
    assert isinstance(seen[-1], EmptyInputError)


# -- errors ----------------------------------------------------------------------------------------
def test_an_error_saves_what_was_done_and_itself():
    error = ValueError("no")
    assert Hand(FAN, {**FAN_PLAYS, "a": error}).play({"log": []}) == [
        *BEGINS,
        ("put_step", "loop", 0, {"log": []}, ("a", "b")),
        ("start", ["a", "b"]),
        "await",
        "abandon",
        ("put_pending", "cp2", {"b": [("log", ["b"]), ("join:a+b:c", "b")]}),
        ("put_pending", "cp2", {"a": [("__error__", "ValueError('no')")]}),
        error,
    ]


def test_the_question_of_one_is_kept_when_another_fails():
    error = ValueError("no")
    assert Hand(FAN, {"a": (QUESTION,), "b": error}).play(None, stored({}, "a", "b"))[-4:] == [
        "abandon",
        ("put_pause", "cp", ["a"], [("a", "interrupt", "really?")]),
        ("put_pending", "cp", {"b": [("__error__", "ValueError('no')")]}),
        error,
    ]


def test_after_an_error_only_what_failed_runs_again():
    found = stored(
        {"log": []}, "a", "b", writes=[(pulled("b").id, "log", ["b"]), (pulled("a").id, "__error__", "no")]
    )
    assert Hand(FAN, FAN_PLAYS).play(None, found)[:2] == [("load", None), ("start", ["a"])]


def test_an_error_of_a_run_that_is_saved_at_its_end():
    error = ValueError("no")
    assert Hand(CHAIN, {**CHAIN_PLAYS, "b": error}).play({"log": ["in"]}, durability="exit") == [
        ("load", None),
        ("run", "a"),
        ("run", "b"),
        "abandon",
        ("put_step", "loop", 1, {"log": ["in", "a"]}, ("b",)),
        ("put_pending", "cp3", {"b": [("__error__", "ValueError('no')")]}),
        error,
    ]


def test_abandoned_results_are_asked_for_before_the_error_is_raised():
    steps = superstep_loop(Hand(CHAIN, {}, keeps=False).progress(), {"log": []}, CheckpointKey("t", ""))
    error = ValueError("no")
    assert steps.send(TaskResult(next(steps), [], error=error)) is ABANDON
    with pytest.raises(ValueError, match="no") as caught:
        steps.send([])
    assert caught.value is error


@pytest.mark.parametrize("limit", [1, 3])
def test_a_run_that_does_not_end_is_stopped(limit):
    ring = program_of("a", (START, "a"), ("a", "a"))
    hand = Hand(ring, {"a": {"total": 1}}, keeps=False, recursion_limit=limit)
    seen = hand.play({"log": []})
    assert seen[:-1] == [("run", "a")] * limit
    assert isinstance(seen[-1], GraphRecursionError)
    assert f"Recursion limit of {limit} reached" in str(seen[-1])


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


# -- input on a thread that is there already -------------------------------------------------------
def test_new_input_starts_over_on_top_of_the_state():
    hand = Hand(CHAIN, CHAIN_PLAYS)
    assert hand.play({"log": ["again"]}, paused("b", b=QUESTION))[:4] == [
        ("load", None),
        ("put_step", "input", 1, {}, (START,)),
        ("put_step", "loop", 2, {"log +": ["again"]}, ("a",)),
        ("run", "a"),
    ]


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


def test_a_goto_runs_besides_what_waits():
    seen = Hand(CHAIN, CHAIN_PLAYS).play(Command(goto="b"), stored({"log": []}, "a"))
    assert seen[2] == ("start", ["a", "b"])


def test_new_input_drops_what_was_about_to_run():
    found = stored(
        {"log": []},
        "b",
        sends=(Send("b", 1),),
        channels={"join:a+b:c": {"a", "b"}},
        writes=[(pulled("b").id, "log", ["lost"])],
    )
    assert Hand(FAN, FAN_PLAYS).play({"log": ["again"]}, found)[1:4] == [
        ("put_step", "input", 1, {}, (START,)),
        ("put_step", "loop", 2, {"log +": ["again"]}, ("a", "b")),
        ("start", ["a", "b"]),
    ]


def test_a_named_checkpoint_starts_a_branch_without_what_tasks_left_there():
    hand = Hand(CHAIN, CHAIN_PLAYS)
    found = stored({"log": []}, "a", writes=[(pulled("a").id, "log", ["before"])])
    progress = hand.progress()
    steps = superstep_loop(progress, None, CheckpointKey("t", "", "cp"))
    assert next(steps) == StoreCall("load", (CheckpointKey("t", "", "cp"), True))
    fork = steps.send(found).args[0]
    assert (fork.metadata["source"], fork.parent_id, fork.frame.triggers) == ("fork", "cp", ("branch:to:a",))
    assert steps.send(None) == Task("a", (PULL, "a"), ("branch:to:a",), 2, fork.checkpoint_id, "")


def test_a_branch_keeps_what_a_command_wrote_at_its_checkpoint():
    found = stored(
        {"log": []}, "a", writes=[(NULL_TASK_ID, "log", ["extra"]), (pulled("a").id, "last", "lost")]
    )
    steps = superstep_loop(Hand(CHAIN, {}).progress(), None, CheckpointKey("t", "", "cp"))
    next(steps)
    assert steps.send(found).args[0].appended == {"log": ["extra"]}
    assert steps.send(None).writes is None


@pytest.mark.parametrize(("newest", "forks"), [("cp", False), ("later", True)])
def test_a_checkpoint_that_was_just_made_from_outside_is_a_branch_already(newest, forks):
    found = stored({"log": []}, "a")
    found.metadata["source"] = "update"
    steps = superstep_loop(Hand(CHAIN, {}).progress(), None, CheckpointKey("t", "", "cp"))
    next(steps)
    looks = steps.send(found)
    assert (looks.method, looks.args[0]) == ("load", CheckpointKey("t", "", None))
    wanted = steps.send(stored({}, checkpoint=newest))
    assert isinstance(wanted, StoreCall) is forks
    assert wanted == pulled("a") or wanted.args[0].metadata["source"] == "fork"


def test_tasks_without_a_saver_have_ids_of_their_step():
    seen = []
    steps = superstep_loop(Hand(CHAIN, {}, keeps=False).progress(), {"log": []}, CheckpointKey("t", ""))
    task = next(steps)
    for writes in ([("branch:to:a", None)], [("branch:to:b", None)]):
        seen.append(task.id)
        task = steps.send(TaskResult(task, writes))
    assert len({*seen, task.id}) == 3


# -- what the streams hear ----------------------------------------------------------------------------


def heard(hand: Hand, *modes: str) -> list[tuple[str, object]]:
    return [(mode, chunk) for _, mode, chunk in hand.chunks if mode in modes]


def test_a_pause_is_heard_at_once_and_the_state_after_it():
    hand = Hand(FAN, {**FAN_PLAYS, "a": (QUESTION,)}, modes=("updates", "values"))
    hand.play({"log": []})
    assert heard(hand, "updates", "values") == [
        ("values", {"log": [], "total": 0}),
        ("updates", {INTERRUPT: (QUESTION,)}),
        ("values", {"log": [], "total": 0, INTERRUPT: (QUESTION,)}),
        ("updates", {"b": {"log": ["b"]}}),
        ("values", {"log": ["b"], "total": 0}),
    ]


def test_tasks_are_heard_when_they_start_and_end():
    hand = Hand(FAN, {**FAN_PLAYS, "a": (QUESTION,)}, modes=("tasks",))
    hand.play(None, stored({"log": ["in"]}, "a", "b"))
    told = [(chunk["name"], chunk.get("input"), chunk.get("result")) for _, chunk in heard(hand, "tasks")]
    state = {"log": ["in"], "total": 0}
    assert told == [("a", state, None), ("b", state, None), ("a", None, {}), ("b", None, {"log": ["b"]})]


def test_checkpoints_are_heard_with_what_tasks_left_there():
    b = pulled("b").id
    left = [(pulled("a").id, "__error__", "no"), (b, "log", ["b"]), (b, "join:a+b:c", "b")]
    hand = Hand(FAN, FAN_PLAYS, modes=("checkpoints",))
    hand.play(None, stored({"log": ["in"]}, "a", "b", writes=left))
    (_, first), (_, second), (_, third) = heard(hand, "checkpoints")
    assert first["tasks"] == [
        {"id": pulled("a").id, "name": "a", "error": "no", "state": None},
        {"id": pulled("b").id, "name": "b", "result": {"log": ["b"]}, "interrupts": (), "state": None},
    ]
    assert (first["values"], first["next"]) == ({"log": ["in"], "total": 0}, ["a", "b"])
    assert (second["values"]["log"], second["next"]) == (["in", "a", "b"], ["c"])
    assert (third["next"], third["tasks"], third["metadata"]["step"]) == ([], [], 2)
    assert third["parent_config"] == second["config"]


def test_without_a_saver_there_are_no_checkpoints_to_hear_of():
    hand = Hand(CHAIN, CHAIN_PLAYS, keeps=False, modes=("checkpoints", "values"))
    hand.play({"log": []})
    assert len(heard(hand, "values")) == 3
    assert heard(hand, "checkpoints") == []


def test_errors_are_saved_with_node_and_path():
    """A reader of the store need not know the ids of tasks."""

    class Noting(Hand):
        def note(self, wanted):
            super().note(wanted)
            if isinstance(wanted, StoreCall) and wanted.method == "put_pending":
                saved.extend(wanted.args[1])

    saved: list[TaskWrites] = []
    program = program_of("ab", (START, "a"), (START, "b"))
    Noting(program, {"a": {"log": ["a"]}, "b": ValueError("boom")}).play({"log": []})
    assert [(task.name, task.path, task.writes) for task in saved] == [
        ("a", (PULL, "a"), [("log", ["a"])]),
        ("b", (PULL, "b"), [("__error__", "ValueError('boom')")]),
    ]


def test_results_that_cannot_be_applied_are_saved_before_the_error_is_raised():
    program = program_of("ab", (START, "a"), (START, "b"))
    plays = {"a": {"last": "a"}, "b": {"last": "b"}}
    for durability in ("sync", "exit"):
        hand = Hand(program, plays)
        seen = hand.play({"log": ["in"]}, durability=durability)
        assert isinstance(seen[-1], InvalidUpdateError)
        saved = [call[0] for call in seen[:-1] if call[0].startswith("put")]
        assert (
            saved
            == {
                "sync": ["put_step", "put_step", "put_pending", "put_pending"],
                "exit": ["put_step", "put_pending"],
            }[durability]
        )
        assert hand.records[-1].values["log"] == ["in"]
        assert hand.records[-1].frame.triggers == ("branch:to:a", "branch:to:b")


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


def test_a_run_that_is_asked_to_stop_saves_where_it_is():
    class Stopping(Hand):
        def progress(self, durability="sync"):
            self.control = RunControl()
            progress = super().progress(durability)
            progress.run.control = self.control
            return progress

        def result(self, task):
            self.control.request_drain("lunch")
            return super().result(task)

    for durability, saved in (("sync", ["put_step"] * 3), ("exit", ["put_step"])):
        hand = Stopping(CHAIN, CHAIN_PLAYS)
        *seen, error = hand.play({"log": ["in"]}, durability=durability)
        assert isinstance(error, GraphDrained)
        assert error.reason == "lunch"
        assert [call[0] for call in seen if call[0].startswith("put")] == saved
        assert hand.records[-1].frame.triggers == ("branch:to:b",)


def test_a_node_that_failed_is_handled_within_its_step():
    graph = StateGraph(State).add_node("a", idle, error_handler=idle).add_node("b", idle)
    program = graph.add_edge(START, "a").add_edge("a", "b").compile().program
    handler = program.nodes["a"].error_handler
    hand = Hand(program, {"a": ValueError("boom"), handler: {"log": ["handled"]}, "b": {"log": ["b"]}})
    seen = hand.play({"log": []})
    assert [call[1] for call in seen if call[0] == "run"] == ["a", handler]
    assert ("put_pending", "cp2", {"a": [("__error__", "ValueError('boom')")]}) in seen
    assert hand.outcome is not None
    assert hand.outcome.values["log"] == ["handled"]


def test_keys_that_are_not_saved_are_in_no_record():
    class Connected(State):
        connection: Annotated[object, UntrackedValue]

    program = program_of("ab", (START, "a"), schema=Connected)
    opened = object()
    plays = {
        "a": [("log", ["a"]), ("connection", opened), (TASKS, Send("b", {"log": [], "connection": opened}))],
        "b": {"log": ["b"]},
    }
    hand = Hand(program, plays)
    hand.play({"log": ["in"]})
    assert hand.outcome is not None
    assert hand.outcome.values["connection"] is opened
    results = [write for record in hand.records for task in record.results for write in task.writes]
    assert ("log", ["a"]) in results
    assert (TASKS, Send("b", {"log": []})) in results
    assert hand.records[2].frame.sends == (Send("b", {"log": []}),)
    assert not any(channel == "connection" for channel, _ in results)
    assert all("connection" not in record.values for record in hand.records)
