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
    from nbhitl.checkpoint.records import StoredCheckpoint
    from nbhitl.engine.program import Program

CHAIN = chain("a", "b")
FAN = program_of("abc", (START, "a"), (START, "b"), (("a", "b"), "c"))


def updated(
    program: Program, found: StoredCheckpoint | None, *supersteps: list[StateUpdate], at: str | None = None
) -> list[Any]:
    """The checkpoints that an update saves: source, step, changes, who runs next."""
    steps = update_loop(Hand(program, {}).progress(), CheckpointKey("t", "", at), supersteps)
    saved: list[Any] = []
    wanted = next(steps)
    try:
        while True:
            answer: Any = None
            if isinstance(wanted, Task):
                # What the node would have returned is what the update says; its edges follow.
                update = wanted.returned or {}
                answer = TaskResult(wanted, [*update.items(), *program.nodes[wanted.name].routes])
            elif isinstance(wanted, StoreCall) and wanted.method == "load":
                answer = found
            elif isinstance(wanted, StoreCall) and wanted.method == "put_step":
                record = wanted.args[0]
                changes = {**record.values, **{f"{key} +": items for key, items in record.appended.items()}}
                nexts = tuple(t.removeprefix("branch:to:") for t in record.frame.triggers)
                saved.append((record.metadata["source"], record.metadata["step"], changes, nexts))
            wanted = steps.send(answer)
    except StopIteration:
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
