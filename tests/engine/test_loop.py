"""The story of a run: the instructions that the loop yields for what it is sent, told by hand."""

from __future__ import annotations

from typing import Annotated
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.channels.untracked_value import UntrackedValue
from nbhitl.checkpoint.records import (
    CheckpointKey,
    Frame,
    StepRecord,
    TaskWrites,
)
from nbhitl.constants import PULL, START, TASKS
from nbhitl.engine.instructions import AWAIT, Outcome, Start, StoreCall
from nbhitl.engine.loop import superstep_loop
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.errors import (
    EmptyInputError,
    GraphDrained,
    GraphRecursionError,
    UnsupportedValue,
)
from nbhitl.graph import StateGraph
from nbhitl.runtime import RunControl
from nbhitl.types import Command, Send

from .building import NOON, Hand, State, chain, idle, program_of, pulled, stored
from .stories import BEGINS, CHAIN, CHAIN_PLAYS, FAN, FAN_PLAYS, QUESTION, paused


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
@given(arrival=st.permutations(range(5)), at_once=st.integers(1, 5))
def test_the_order_of_arrival_does_not_matter(arrival, at_once):
    plays = {
        "map": [("__pregel_tasks", Send("work", n)) for n in range(5)],
        "work": {"log": ["w"], "total": 1},
    }

    def run(order, at_once=1):
        hand = Hand(SENDS, plays)
        hand.at_once = at_once
        seen = hand.play({"log": []}, arrival=lambda tasks: [tasks[n] for n in order])
        return hand.outcome, [call for call in seen if call[0] == "put_step"]

    assert run(arrival, at_once) == run(range(5))


def test_what_has_ended_by_now_is_saved_at_once():
    hand = Hand(FAN, FAN_PLAYS)
    hand.at_once = 2
    assert hand.play({"log": []})[3:7] == [
        ("start", ["a", "b"]),
        "await",
        (
            "put_pending",
            "cp2",
            {"a": [("log", ["a"]), ("join:a+b:c", "a")], "b": [("log", ["b"]), ("join:a+b:c", "b")]},
        ),
        ("put_step", "loop", 1, {"log +": ["a", "b"]}, ()),
    ]


@pytest.mark.parametrize("modes", [(), ("updates",)])
def test_what_ended_with_a_task_that_failed_is_saved_and_told(modes):
    program = program_of("abc", (START, "a"), (START, "b"), (START, "c"))
    plays = {"a": {"log": ["a"]}, "b": ValueError("no"), "c": {"log": ["c"]}}
    hand = Hand(program, plays, modes=modes)
    hand.at_once = 3
    *seen, error = hand.play({"log": []})
    assert str(error) == "no"
    assert [[*call[2]] for call in seen if call[0] == "put_pending"] == [["a", "c"], ["b"]]
    assert hand.chunks == [((), "updates", {name: {"log": [name]}}) for name in ("a", "c")] * len(modes)


def test_beside_a_result_that_cannot_be_stored_the_others_are_saved_one_by_one():
    hand = Hand(FAN, FAN_PLAYS)
    hand.at_once = 2
    refusals = {"put_pending": UnsupportedValue("b's")}
    assert hand.play({"log": []}, refusals=refusals, refused=1)[5:] == [
        ("put_pending", "cp2", {"a": ANY, "b": ANY}),
        ("put_pending", "cp2", {"a": ANY}),
        ("put_pending", "cp2", {"b": ANY}),
        ("put_step", "loop", 1, {"log +": ["a", "b"]}, ()),
        ("run", "c"),
        ANY,
    ]


@pytest.mark.parametrize("given", [None, Command()])
def test_no_input(given):
    seen = Hand(CHAIN, CHAIN_PLAYS).play(given)
    assert seen[:-1] == [("load", None)]
    assert isinstance(seen[-1], EmptyInputError)


@pytest.mark.parametrize("limit", [1, 3])
def test_a_run_that_does_not_end_is_stopped(limit):
    ring = program_of("a", (START, "a"), ("a", "a"))
    hand = Hand(ring, {"a": {"total": 1}}, keeps=False, recursion_limit=limit)
    seen = hand.play({"log": []})
    assert seen[:-1] == [("run", "a")] * limit
    assert isinstance(seen[-1], GraphRecursionError)
    assert f"Recursion limit of {limit} reached" in str(seen[-1])


# -- input on a thread that is there already -------------------------------------------------------
def test_new_input_starts_over_on_top_of_the_state():
    hand = Hand(CHAIN, CHAIN_PLAYS)
    assert hand.play({"log": ["again"]}, paused("b", b=QUESTION))[:4] == [
        ("load", None),
        ("put_step", "input", 1, {}, (START,)),
        ("put_step", "loop", 2, {"log +": ["again"]}, ("a",)),
        ("run", "a"),
    ]


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


def test_tasks_without_a_saver_have_ids_of_their_step():
    seen = []
    steps = superstep_loop(Hand(CHAIN, {}, keeps=False).progress(), {"log": []}, CheckpointKey("t", ""))
    task = next(steps)
    for writes in ([("branch:to:a", None)], [("branch:to:b", None)]):
        seen.append(task.id)
        task = steps.send(TaskResult(task, writes))
    assert len({*seen, task.id}) == 3


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
