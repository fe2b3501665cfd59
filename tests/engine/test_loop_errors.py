"""Errors and what is saved of them: the instructions that the loop yields for what it is sent, told by hand."""

from __future__ import annotations

import pytest

from nbhitl.checkpoint.records import (
    CheckpointKey,
    TaskWrites,
)
from nbhitl.constants import PULL, START
from nbhitl.engine.instructions import ABANDON, Abandoned, StoreCall
from nbhitl.engine.loop import superstep_loop
from nbhitl.engine.tasks import TaskResult
from nbhitl.errors import (
    InvalidUpdateError,
)
from nbhitl.graph import StateGraph

from .building import Hand, State, idle, program_of, pulled, stored
from .stories import BEGINS, CHAIN, CHAIN_PLAYS, FAN, FAN_PLAYS


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
        steps.send(Abandoned())
    assert caught.value is error


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
