"""Tasks: names that last, an order that nobody's speed changes, and the way to another process."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbhitl.constants import PULL, PUSH
from nbhitl.engine.tasks import Task, TaskResult, apply_order, interrupt_id, task_id, task_namespace
from nbhitl.errors import (
    AlreadyAnswered,
    GraphDrained,
    InvalidAnswer,
    InvalidUpdateError,
    NodeCancelledError,
    NodeInterrupt,
    NodeTimeoutError,
    ParentCommand,
    QuestionChanged,
    UnknownInterruptError,
    UnknownNodeError,
)
from nbhitl.types import Command, Interrupt, Send, TimeoutPolicy

from .building import pulled, pushed

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PLACES = st.tuples(
    st.text(max_size=3),
    st.text(max_size=3),
    st.integers(0, 3),
    st.sampled_from(["a", "b"]),
    st.sampled_from([(PULL, "a"), (PUSH, 0, False), (PUSH, 1, False)]),
)


def test_the_id_of_a_task_never_changes():
    # Threads that wait for an answer are stored under this id: another algorithm would lose them.
    assert task_id("cp", "", 1, "ask", (PULL, "ask")) == "f5f9ff4a-0dda-b9e5-788e-c3e7a1a896fd"
    assert interrupt_id("ask:1", 0) == "9182aad3947d2c5cd87ef3c8ef67a5ca"
    assert interrupt_id("ask:1", 1) == "181f93d46ef7bb98b64f9dc60e23ac7b"


@settings(derandomize=True, max_examples=100, deadline=None, database=None)
@given(one=PLACES, other=PLACES)
def test_tasks_share_an_id_only_when_they_are_the_same(one, other):
    assert UUID.fullmatch(task_id(*one))
    assert (task_id(*one) == task_id(*other)) == (one == other)


def test_questions_of_a_task_have_different_ids():
    ids = {interrupt_id(namespace, index) for namespace in ("a:1", "a:2", "a:1|b:1") for index in range(4)}
    assert len(ids) == 12
    assert all(re.fullmatch("[0-9a-f]{32}", id) for id in ids)


def test_a_namespace_names_every_level():
    task = pulled("ask")
    assert task.namespace == f"ask:{task.id}"
    assert task_namespace("outer:1", "inner", "2") == "outer:1|inner:2"


def test_writes_are_applied_by_node_name_then_by_send():
    tasks = [pushed("z", 10), pushed("z", 9), pulled("b"), pushed("a", 2), pulled("a")]
    ordered = sorted((TaskResult(task, []) for task in tasks), key=apply_order)
    assert [(r.task.name, r.task.path[1]) for r in ordered] == [
        ("a", "a"),
        ("b", "b"),
        ("a", 2),
        ("z", 9),
        ("z", 10),
    ]


def test_tasks_called_by_a_task_come_after_those_before_them():
    inner = [Task("t", (PUSH, (PULL, "a"), n, "caller"), (), 1, "cp", "") for n in (10, 2)]
    ordered = sorted((TaskResult(task, []) for task in inner), key=apply_order)
    assert [r.task.path[2] for r in ordered] == [2, 10]


TASKS = [
    pulled("a"),
    pushed("a", 3, {"x": [1]}),
    Task("a", (PULL, "a"), (), 1, "cp", "up:1", timeout=TimeoutPolicy(run_timeout=1.5)),
    Task(
        "a",
        (PULL, "a"),
        (),
        1,
        "cp",
        "",
        writes=[("k", 1), ("k", Send("b", None))],
        answers={"i": ("d", None)},
    ),
    Task("a", ("__update__", 0), (), 1, "cp", "", returned={"k": 1}),
]


@pytest.mark.parametrize("task", TASKS, ids=range(len(TASKS)))
def test_a_task_comes_through_a_pickle(task):
    again = pickle.loads(pickle.dumps(task))
    assert again == task
    assert again.id == task.id


def test_a_task_that_was_asked_its_id_is_still_the_same_task():
    asked = pulled("a")
    assert asked.id
    assert asked == pulled("a")


@pytest.mark.parametrize(
    "result",
    [
        TaskResult(pulled("a"), [("k", [1, {"x": None}])]),
        TaskResult(
            pulled("a"), [], interrupts=(Interrupt({"q": 1}, "0" * 32, response_schema={"type": "string"}),)
        ),
        TaskResult(pulled("a"), [], interrupts=()),
        TaskResult(pushed("a", 0), [("k", 1)], cached=True),
    ],
    ids=["writes", "interrupts", "breakpoint below", "cached"],
)
def test_a_result_comes_through_a_pickle(result):
    assert pickle.loads(pickle.dumps(result)) == result


ERRORS = [
    ValueError("no", 1),
    InvalidUpdateError("At key 'k': no"),
    QuestionChanged("asks something else", answered=1, asked=2),
    AlreadyAnswered("too late", by="ada", at="noon"),
    InvalidAnswer("does not fit", fields={"n": "a number"}),
    ParentCommand(Command(goto="a")),
    UnknownInterruptError("not open", reason="not_pending", interrupt_ids=("a",), pending_ids=("b",)),
    NodeTimeoutError("n", 1.5, kind="run", run_timeout=1.0),
    UnknownNodeError("a", ["ab"], "goto"),
    NodeCancelledError("n"),
    NodeInterrupt("really?"),
    GraphDrained("shutdown"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_comes_through_a_pickle(error):
    again = pickle.loads(pickle.dumps(TaskResult(pulled("a"), [], error=error))).error
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
@pytest.mark.parametrize(
    "command",
    [
        Command(resume=None),
        Command(resume={}),
        Command(goto="a"),
        Command(update={"k": 1}, goto=[Send("a", 1)]),
    ],
    ids=repr,
)
def test_a_copy_of_a_command_says_the_same(command, copied):
    assert copied(command) == command
    assert copied(command).answers is command.answers
