"""What a stored checkpoint looks like from outside."""

from __future__ import annotations

import pickle

import pytest

from nbhitl.constants import ERROR, INTERRUPT, NULL_TASK_ID, RESUME, START
from nbhitl.engine.head import head_of
from nbhitl.engine.plan import plan_tasks
from nbhitl.engine.snapshot import apply_null_writes, checkpoint_config, read_values, snapshot_of
from nbhitl.types import Interrupt, Send, StateSnapshot

from .building import NOON, chain, program_of, pulled, stored

# "b" is added before "a": a snapshot lists nodes in this order.
PROGRAM = program_of("bac", (START, "a"), (START, "b"), (("a", "b"), "c"))
A, B = pulled("a").id, pulled("b").id
QUESTION = Interrupt("really?", "1" * 32)


def shown(*writes: tuple[str, str, object], newest: bool = True, **how: object) -> StateSnapshot:
    return snapshot_of(PROGRAM, stored({"log": ["in"]}, "a", "b", writes=writes, **how), newest=newest)


def test_a_snapshot_of_a_checkpoint_on_which_nothing_ran():
    snapshot = shown()
    assert snapshot.values == {"log": ["in"], "total": 0}
    assert snapshot.next == ("b", "a")
    assert snapshot.config == {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "cp"}}
    assert snapshot.parent_config is None
    assert (snapshot.metadata, snapshot.created_at) == ({"source": "loop", "step": 0, "parents": {}}, NOON)
    assert [(t.id, t.name, t.path, t.error, t.interrupts, t.state, t.result) for t in snapshot.tasks] == [
        (B, "b", ("__pregel_pull", "b"), None, (), None, None),
        (A, "a", ("__pregel_pull", "a"), None, (), None, None),
    ]
    assert [task.input for task in snapshot.tasks] == [{"log": ["in"], "total": 0}] * 2


def test_the_newest_checkpoint_shows_what_tasks_have_done():
    snapshot = shown((A, "log", ["a"]), (A, "join:a+b:c", "a"))
    assert snapshot.values["log"] == ["in", "a"]
    assert snapshot.next == ("b",)
    assert [(task.name, task.result) for task in snapshot.tasks] == [("b", None), ("a", {"log": ["a"]})]


def test_a_checkpoint_of_the_past_shows_the_record():
    snapshot = shown((A, "log", ["a"]), (B, INTERRUPT, [QUESTION]), (B, "log", ["b"]), newest=False)
    assert snapshot.values["log"] == ["in"]
    assert snapshot.next == ("b", "a")
    assert snapshot.interrupts == (QUESTION,)
    assert [task.result for task in snapshot.tasks] == [{"log": ["b"]}, {"log": ["a"]}]


def test_an_open_question_is_shown_with_its_task():
    snapshot = shown((A, INTERRUPT, [QUESTION]))
    assert snapshot.interrupts == (QUESTION,)
    assert [(task.name, task.interrupts) for task in snapshot.tasks] == [("b", ()), ("a", (QUESTION,))]
    assert snapshot.next == ("b", "a")


@pytest.mark.parametrize("answer", [None, "yes"])
def test_an_answered_question_is_no_longer_open(answer):
    writes = (A, INTERRUPT, [QUESTION]), (A, RESUME, [[QUESTION.id, "", answer]])
    assert shown(*writes).interrupts == ()
    assert shown(*writes).next == ("b", "a")
    assert shown(*writes, newest=False).interrupts == (QUESTION,)


def test_a_failed_task_shows_its_error_and_runs_next():
    snapshot = shown((A, ERROR, "ValueError('no')"))
    assert [task.error for task in snapshot.tasks] == [None, "ValueError('no')"]
    assert snapshot.next == ("b", "a")


def test_a_key_written_more_than_once_says_so():
    assert shown((A, "log", ["1"]), (A, "log", ["2"])).tasks[1].result == {"log": {"$writes": [["1"], ["2"]]}}


def test_sends_are_listed_first_with_their_arguments():
    snapshot = shown(sends=(Send("a", "first"), Send("b", "second")))
    assert [(task.name, task.input) for task in snapshot.tasks[:2]] == [("a", "first"), ("b", "second")]
    assert snapshot.next == ("a", "b", "b", "a")


def test_a_pickled_task_has_its_input():
    snapshot = shown(sends=(Send("a", "first"),))
    again = pickle.loads(pickle.dumps(snapshot))
    assert again == snapshot
    assert [task.input for task in again.tasks] == [task.input for task in snapshot.tasks]


def test_the_input_waits_at_start():
    snapshot = snapshot_of(PROGRAM, stored({}, START, start={"log": ["in"]}, step=-1), newest=True)
    assert snapshot.next == (START,)
    assert snapshot.tasks[0].input == {"log": ["in"]}


def test_a_start_that_holds_no_input_shows_none():
    (task,) = snapshot_of(chain("a"), stored({}, START), newest=True).tasks
    assert (task.name, task.input) == (START, None)


def test_what_a_command_wrote_is_shown_though_no_task_wrote_it():
    snapshot = shown((NULL_TASK_ID, "log", ["extra"]), (NULL_TASK_ID, "branch:to:c", None))
    assert snapshot.values["log"] == ["in", "extra"]


def test_what_a_command_wrote_is_applied_to_a_head():
    head = head_of(PROGRAM, stored({"log": ["in"]}, "a"))
    apply_null_writes(PROGRAM, head, [(NULL_TASK_ID, "log", ["extra"]), (NULL_TASK_ID, "branch:to:c", None)])
    assert head.values["log"] == ["in", "extra"]
    assert [task.name for task in plan_tasks(PROGRAM, head, 1, "")] == ["a", "c"]


def test_a_snapshot_leaves_the_stored_values_alone():
    checkpoint = stored({"log": ["in"]}, "a", writes=[(A, "log", ["a"])])
    snapshot_of(PROGRAM, checkpoint, newest=True)
    assert checkpoint.values == {"log": ["in"]}


def test_a_snapshot_names_the_checkpoints_above_it():
    checkpoint = stored({"log": ["in"]}, "a")
    checkpoint.metadata["parents"] = {"": "above"}
    configurable = snapshot_of(PROGRAM, checkpoint, newest=True).config["configurable"]
    assert configurable["checkpoint_map"] == {"": "above", checkpoint.ns: "cp"}


def test_the_config_of_a_checkpoint_below_names_those_above():
    assert checkpoint_config("t", "a:1", "cp", {"": "top"}) == {
        "configurable": {
            "thread_id": "t",
            "checkpoint_ns": "a:1",
            "checkpoint_id": "cp",
            "checkpoint_map": {"": "top", "a:1": "cp"},
        }
    }


@pytest.mark.parametrize("values", [{}, {"last": "x", "log": ["in"]}, {"total": 3, "of another version": 1}])
def test_where_nothing_is_to_be_done_the_state_is_what_a_run_would_begin_with(values):
    """It is not made by the head then: in the order of the schema, with the first values of reducers."""
    at_rest = stored(values)
    shown = snapshot_of(PROGRAM, at_rest, newest=True)
    head = head_of(PROGRAM, at_rest)
    assert [*shown.values.items()] == [*read_values(PROGRAM, head).items()]
    assert (shown.next, shown.tasks) == ((), ())
    shown.values.clear()
    assert snapshot_of(PROGRAM, at_rest, newest=True).values == head.values
