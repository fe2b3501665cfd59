"""Updates from outside, told by hand: what the loop of update_state asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.constants import COPY, END, INPUT, INTERRUPT, START
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.engine.update import update_loop
from nbhitl.errors import InvalidUpdateError
from nbhitl.types import Interrupt, StateUpdate

from .building import Hand, chain, program_of, pulled, stored

if TYPE_CHECKING:
    from nbhitl.checkpoint.records import StepRecord, StoredCheckpoint
    from nbhitl.engine.program import Program

CHAIN = chain("a", "b")
FAN = program_of("abc", (START, "a"), (START, "b"), (("a", "b"), "c"))


def records(
    program: Program,
    found: StoredCheckpoint | None,
    supersteps: list[list[StateUpdate]],
    *,
    at: str | None = None,
    newest: StoredCheckpoint | None = None,
) -> list[StepRecord]:
    """What an update of `found` saves; `at` names that checkpoint, and then `newest` is the thread's newest one."""
    steps = update_loop(Hand(program, {}).progress(), CheckpointKey("t", "", at), supersteps)
    saved: list[StepRecord] = []
    wanted = next(steps)
    try:
        while True:
            answer: Any = None
            if isinstance(wanted, Task):
                # What the node would have returned is what the update says; its edges follow.
                update = wanted.returned or {}
                answer = TaskResult(wanted, [*update.items(), *program.nodes[wanted.name].routes])
            elif isinstance(wanted, StoreCall) and wanted.method == "load":
                answer = found if wanted.args[0].checkpoint_id == at else newest
            elif isinstance(wanted, StoreCall) and wanted.method == "put_step":
                saved.append(wanted.args[0])
            wanted = steps.send(answer)
    except StopIteration:
        return saved


def updated(
    program: Program, found: StoredCheckpoint | None, *supersteps: list[StateUpdate], at: str | None = None
) -> list[Any]:
    """The checkpoints that an update saves: source, step, changes, who runs next."""
    saved: list[Any] = []
    for record in records(program, found, list(supersteps), at=at, newest=found):
        changes = {**record.values, **{f"{key} +": items for key, items in record.appended.items()}}
        nexts = tuple(t.removeprefix("branch:to:") for t in record.frame.triggers)
        saved.append((record.metadata["source"], record.metadata["step"], changes, nexts))
    return saved


def test_an_update_as_a_node_runs_its_edges():
    found = stored({"log": ["in"]}, "a")
    assert updated(CHAIN, found, [StateUpdate({"log": ["x"]}, "a")]) == [
        ("update", 1, {"log +": ["x"]}, ("b",))
    ]


def test_without_a_node_it_counts_as_the_last_writers():
    found = stored({"log": []}, "b", writers=("a",))
    assert updated(CHAIN, found, [StateUpdate({"last": "x"})]) == [("update", 1, {"last": "x"}, ("b",))]


def test_two_last_writers_are_ambiguous():
    found = stored({"log": []}, channels={"join:a+b:c": {"a", "b"}}, writers=("a", "b"))
    with pytest.raises(InvalidUpdateError, match="Ambiguous update, specify as_node: the last step ran a, b"):
        updated(FAN, found, [StateUpdate({"last": "x"})])


def test_the_nearest_name_is_offered():
    program = chain("approve", "send")
    with pytest.raises(InvalidUpdateError, match=r"Node aprove does not exist.*Did you mean 'approve'"):
        updated(program, stored({}, "approve"), [StateUpdate({}, "aprove")])


def test_several_nodes_in_one_superstep():
    found = stored({"log": []}, "a", "b")
    both = [StateUpdate({"log": ["b"]}, "b"), StateUpdate({"log": ["a"]}, "a")]
    assert updated(FAN, found, both) == [("update", 1, {"log +": ["b", "a"]}, ())]


def test_supersteps_one_after_another():
    steps = [
        [StateUpdate({"log": ["in"]}, INPUT)],
        [StateUpdate({"log": ["in"]}, START)],
        [StateUpdate({"log": ["a"]}, "a")],
    ]
    assert updated(CHAIN, None, *steps) == [
        ("input", -1, {}, (START,)),
        ("update", 0, {"log": ["in"]}, ("a",)),
        ("update", 1, {"log +": ["a"]}, ("b",)),
    ]


@pytest.mark.parametrize("asked", [[], [(pulled("a").id, INTERRUPT, [Interrupt("q", "1" * 32)])]])
def test_an_update_without_values_is_a_new_checkpoint(asked):
    found = stored({"log": []}, "a", writes=asked)
    assert updated(CHAIN, found, [StateUpdate(None)]) == [("update", 1, {}, ("a",))]


NEWER = stored({"log": []}, "b", checkpoint="newer")


@pytest.mark.parametrize(
    ("found", "how", "told"),
    [
        (stored({"log": []}, "a"), {}, ["a"]),
        (stored({"log": []}, "a"), {"at": "cp", "newest": stored({"log": []}, "a")}, ["a"]),
        (stored({"log": []}, "a"), {"at": "cp"}, ["a"]),
        (stored({"log": []}, "a"), {"at": "cp", "newest": NEWER}, []),
        (None, {}, []),
    ],
)
def test_only_what_comes_after_the_newest_checkpoint_is_told_as_what_its_task_did(found, how, told):
    (record,) = records(CHAIN, found, [[StateUpdate({"log": ["x"]}, "a")]], **how)
    assert [result.name for result in record.results] == told


def test_what_comes_beside_newer_checkpoints_is_newer_still():
    progress, seen = Hand(CHAIN, {}).progress(), []
    progress.clock.catch_up = seen.append
    steps = update_loop(progress, CheckpointKey("t", "", "cp"), [[StateUpdate({}, "a")]])
    next(steps)
    steps.send(stored({"log": []}, "a"))
    steps.send(NEWER)
    assert seen == ["cp", "newer"]


def test_an_update_that_the_node_cannot_have_made_saves_nothing():
    steps = update_loop(Hand(CHAIN, {}).progress(), CheckpointKey("t", ""), [[StateUpdate("x", "a")]])
    next(steps)
    task = steps.send(stored({"log": []}, "a"))
    with pytest.raises(InvalidUpdateError, match="what it is"):
        steps.send(TaskResult(task, [], error=InvalidUpdateError("what it is")))


def test_each_superstep_after_the_first_is_told_as_what_tasks_did():
    twice = [[StateUpdate({"log": ["x"]}, "a")], [StateUpdate({"log": ["y"]}, "b")]]
    branch = records(CHAIN, stored({"log": []}, "a"), twice, at="cp", newest=NEWER)
    assert [[result.name for result in record.results] for record in branch] == [[], ["b"]]


def test_the_checkpoints_above_are_those_of_before():
    found = stored({"log": []}, "a")
    for before, after in (({"parents": {"": "above"}}, {"": "above"}), ({"parents": None}, {}), ({}, {})):
        found.metadata = {"source": "loop", "step": 0, **before}
        (record,) = records(CHAIN, found, [[StateUpdate({"log": ["x"]}, "a")]])
        assert record.metadata["parents"] == after


def test_an_update_as_the_end_leaves_nothing_to_run():
    assert updated(CHAIN, stored({"log": []}, "a"), [StateUpdate(None, END)]) == [("update", 1, {}, ())]
    with pytest.raises(InvalidUpdateError, match="takes no values"):
        updated(CHAIN, stored({"log": []}, "a"), [StateUpdate({"log": ["x"]}, END)])


def test_an_update_as_the_end_takes_what_tasks_have_done():
    found = stored({"log": []}, "a", "b", writes=[(pulled("a").id, "log", ["a"])])
    assert updated(FAN, found, [StateUpdate(None, END)]) == [("update", 1, {"log +": ["a"]}, ())]


def test_a_copy_is_a_sibling_with_the_whole_state():
    (copy,) = updated(CHAIN, stored({"log": ["in"], "last": "x"}, "a"), [StateUpdate(None, COPY)])
    assert copy == ("fork", 1, {"log": ["in"], "total": 0, "last": "x"}, ("a",))


@pytest.mark.parametrize("parent", [None, "parent"])
def test_a_copy_stands_beside_the_checkpoint_and_what_replaces_its_results_after_it(parent):
    found = stored({"log": ["in"]}, "a", writes=[(pulled("a").id, "last", "of before")])
    found.parent_id = parent
    copy, after = records(CHAIN, found, [[StateUpdate([({"log": ["new"]}, "a")], COPY)]])
    assert (copy.parent_id, after.parent_id) == (parent, copy.checkpoint_id)
    assert [(result.name, [*result.writes]) for result in after.results] == [
        ("a", [("log", ["new"]), *CHAIN.nodes["a"].routes])
    ]


@pytest.mark.parametrize("values", [None, [], (), {"log": ["new"]}])
def test_a_copy_without_updates_is_only_a_copy(values):
    (copy,) = updated(CHAIN, stored({"log": ["in"]}, "a"), [StateUpdate(values, COPY)])
    assert copy == ("fork", 1, {"log": ["in"], "total": 0}, ("a",))


def test_a_copy_with_other_results_goes_on_from_them():
    found = stored({"log": ["in"], "last": "x"}, "a", writes=[(pulled("a").id, "last", "of before")])
    whole = {"log": ["in"], "total": 0, "last": "x"}
    for pair in (({"log": ["new"]}, "a"), StateUpdate({"log": ["new"]}, "a")):
        assert updated(CHAIN, found, [StateUpdate([pair], COPY)]) == [
            ("fork", 1, whole, ("a",)),
            ("update", 2, {"log +": ["new"]}, ("b",)),
        ]


def test_nothing_can_be_copied_on_an_empty_thread():
    with pytest.raises(InvalidUpdateError, match="non-existent checkpoint"):
        updated(CHAIN, None, [StateUpdate(None, COPY)])


@pytest.mark.parametrize(
    ("supersteps", "error", "message"),
    [
        ((), ValueError, "No supersteps provided"),
        (([],), ValueError, "No updates provided"),
        (([StateUpdate({}, "a"), StateUpdate({})],), InvalidUpdateError, "as_node is required"),
        (([StateUpdate({}, "a"), StateUpdate(None, END)],), InvalidUpdateError, "together with others"),
        (([StateUpdate({}, "a"), StateUpdate(None, COPY)],), InvalidUpdateError, "together with others"),
    ],
)
def test_what_is_no_update(supersteps, error, message):
    with pytest.raises(error, match=message):
        updated(CHAIN, stored({}, "a"), *supersteps)
