"""Who runs next, who stops, and what an earlier run of the same step left."""

from __future__ import annotations

import pytest

from nbhitl.constants import ERROR, INTERRUPT, NO_WRITES, PULL, PUSH, RESUME, SCHEDULED, START
from nbhitl.engine.head import head_of, new_head
from nbhitl.engine.plan import at_breakpoint, plan_tasks, recall_writes
from nbhitl.engine.tasks import Task
from nbhitl.types import Interrupt, Send

from .building import program_of, pulled, stored

PROGRAM = program_of("bac", (START, "b"), (START, "a"), (("a", "b"), "c"))


def planned(*triggers: str, **frame: object) -> list[Task]:
    return plan_tasks(PROGRAM, head_of(PROGRAM, stored({}, *triggers, **frame)), 1, "")


def test_a_thread_on_which_nothing_ran_has_no_tasks():
    assert plan_tasks(PROGRAM, new_head(PROGRAM), 0, "") == []


def test_nodes_started_by_edges_are_sorted_by_name():
    assert planned("b", "a") == [
        Task("a", (PULL, "a"), ("branch:to:a",), 1, "cp", ""),
        Task("b", (PULL, "b"), ("branch:to:b",), 1, "cp", ""),
    ]


def test_sends_come_first_in_the_order_of_issue():
    sends = (Send("b", 2), Send("a", 1), Send("b", 3))
    assert planned("a", sends=sends) == [
        Task("b", (PUSH, 0, False), (PUSH,), 1, "cp", "", 2),
        Task("a", (PUSH, 1, False), (PUSH,), 1, "cp", "", 1),
        Task("b", (PUSH, 2, False), (PUSH,), 1, "cp", "", 3),
        Task("a", (PULL, "a"), ("branch:to:a",), 1, "cp", ""),
    ]


@pytest.mark.parametrize(("seen", "names"), [({"a"}, []), ({"a", "b"}, ["c"])])
def test_a_barrier_waits_for_all(seen, names):
    assert [task.name for task in planned(channels={"join:a+b:c": seen})] == names


def test_a_node_with_two_triggers_runs_once_and_names_both():
    program = program_of("abc", (START, "a"), ("a", "c"), (("a", "b"), "c"))
    head = head_of(program, stored({}, "c", channels={"join:a+b:c": {"a", "b"}}))
    (task,) = plan_tasks(program, head, 1, "")
    assert task.triggers == ("branch:to:c", "join:a+b:c")


def test_what_the_graph_no_longer_has_is_not_run():
    assert planned("gone", sends=(Send("gone", 1), Send("a", 1))) == [
        Task("a", (PUSH, 1, False), (PUSH,), 1, "cp", "", 1)
    ]


def test_tasks_are_named_by_checkpoint_step_and_namespace():
    head = head_of(PROGRAM, stored({}, "a"))
    other = head_of(PROGRAM, stored({}, "a", checkpoint="cp2"))
    tasks = [
        plan_tasks(PROGRAM, head, 1, ""),
        plan_tasks(PROGRAM, head, 2, ""),
        plan_tasks(PROGRAM, head, 1, "up:1"),
        plan_tasks(PROGRAM, other, 1, ""),
    ]
    assert len({task.id for (task,) in tasks}) == 4
    assert plan_tasks(PROGRAM, head, 1, "")[0].id == tasks[0][0].id


# -- breakpoints -----------------------------------------------------------------------------------
@pytest.mark.parametrize(("nodes", "names"), [(["a"], ["a"]), ("*", ["a", "b"]), ((), []), (["c"], [])])
def test_breakpoints_stop_the_tasks_that_they_name(nodes, names):
    tasks = [Task(START, (PULL, START), (START,), 0, "cp", ""), pulled("a"), pulled("b")]
    assert [task.name for task in at_breakpoint(tasks, nodes)] == names


# -- what an earlier run left ----------------------------------------------------------------------
def test_a_finished_task_gets_its_writes_back():
    done, other = pulled("a"), pulled("b")
    recall_writes(
        [done, other], [(done.id, "log", ["x"]), (done.id, "branch:to:c", None), ("unknown", "log", [])]
    )
    assert done.writes == [("log", ["x"]), ("branch:to:c", None)]
    assert other.writes is None


def test_what_tells_of_a_finished_task_is_none_of_its_writes():
    task = pulled("a")
    about = [(SCHEDULED, 2), (RESUME, [["i1", "", "yes"]]), (ERROR, "boom")]
    recall_writes([task], [*((task.id, *write) for write in about), (task.id, "log", ["x"])])
    assert (task.writes, task.starts, [*task.answers]) == ([("log", ["x"])], 2, ["i1"])


def test_a_task_that_wrote_nothing_is_done_all_the_same():
    task = pulled("a")
    recall_writes([task], [(task.id, NO_WRITES, None)])
    assert task.writes == [(NO_WRITES, None)]


@pytest.mark.parametrize(
    ("channel", "value"), [(ERROR, "boom"), (INTERRUPT, [Interrupt("q", "1")]), (SCHEDULED, 2)]
)
def test_a_task_that_failed_or_asked_is_not_done(channel, value):
    task = pulled("a")
    recall_writes([task], [(task.id, channel, value)])
    assert task.writes is None
    assert task.answers == {}


@pytest.mark.parametrize("answer", [None, False, 0, "", {}, [], "yes"])
def test_a_task_gets_its_answers_back(answer):
    task = pulled("a")
    recall_writes([task], [(task.id, RESUME, [["i1", "digest", "first"], ["i2", "", answer]])])
    assert task.writes is None
    assert task.answers == {"i1": ["i1", "digest", "first"], "i2": ["i2", "", answer]}
