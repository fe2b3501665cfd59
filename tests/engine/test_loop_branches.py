"""Runs that begin elsewhere than at the end, and what is heard of a run: told by hand, as in test_loop.py."""

from __future__ import annotations

import pytest

from nbhitl.checkpoint.records import (
    CheckpointKey,
)
from nbhitl.constants import INTERRUPT, NULL_TASK_ID, PULL
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.loop import superstep_loop
from nbhitl.engine.tasks import Task
from nbhitl.types import Command

from .building import Hand, pulled, stored
from .stories import CHAIN, CHAIN_PLAYS, FAN, FAN_PLAYS, QUESTION


def test_a_goto_runs_besides_what_waits():
    seen = Hand(CHAIN, CHAIN_PLAYS).play(Command(goto="b"), stored({"log": []}, "a"))
    assert seen[2] == ("start", ["a", "b"])


def test_a_named_checkpoint_starts_a_branch_without_what_tasks_left_there():
    hand = Hand(CHAIN, CHAIN_PLAYS)
    found = stored({"log": []}, "a", writes=[(pulled("a").id, "log", ["before"])])
    progress = hand.progress()
    steps = superstep_loop(progress, None, CheckpointKey("t", "", "cp"))
    assert next(steps) == StoreCall("load", (CheckpointKey("t", "", "cp"), True))
    assert steps.send(found).args[0] == CheckpointKey("t", "", None)
    fork = steps.send(found).args[0]
    assert (fork.metadata["source"], fork.parent_id, fork.frame.triggers) == ("fork", "cp", ("branch:to:a",))
    assert steps.send(None) == Task("a", (PULL, "a"), ("branch:to:a",), 2, fork.checkpoint_id, "")


def test_a_branch_keeps_what_a_command_wrote_at_its_checkpoint():
    found = stored(
        {"log": []}, "a", writes=[(NULL_TASK_ID, "log", ["extra"]), (pulled("a").id, "last", "lost")]
    )
    steps = superstep_loop(Hand(CHAIN, {}).progress(), None, CheckpointKey("t", "", "cp"))
    next(steps)
    steps.send(found)
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
