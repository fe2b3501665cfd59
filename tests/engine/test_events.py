"""What the streams show of tasks, and who gets to see it."""

from __future__ import annotations

import pytest

from nbhitl.constants import NO_WRITES, RETURN, TASKS
from nbhitl.engine.events import (
    Stream,
    interrupt_chunk,
    interrupt_dict,
    read_output,
    result_payload,
    task_payload,
    updates_chunk,
    written,
)
from nbhitl.engine.tasks import TaskResult
from nbhitl.types import Interrupt, Send

from .building import NOON, pulled

KEYS = ("log", "last")
GO = ("branch:to:b", None)


@pytest.mark.parametrize(
    ("writes", "update"),
    [
        ([], None),
        ([(NO_WRITES, None)], None),
        ([GO], None),
        ([("log", ["x"]), ("last", None), GO], {"log": ["x"], "last": None}),
        ([("hidden", 1)], None),
        ([("log", ["x"]), ("log", ["y"])], [{"log": ["x"]}, {"log": ["y"]}]),
        ([("log", ["x"]), ("last", 1), ("log", ["y"])], [{"log": ["x"]}, {"last": 1}, {"log": ["y"]}]),
        ([(RETURN, {"any": 1})], {"any": 1}),
        ([(RETURN, None)], None),
    ],
)
def test_the_update_of_a_task(writes, update):
    assert updates_chunk(KEYS, False, TaskResult(pulled("a"), writes)) == {"a": update}


@pytest.mark.parametrize(("writes", "update"), [([], None), ([1], 1), ([[1], [2]], [[1], [2]])])
def test_the_update_of_a_state_that_is_one_value(writes, update):
    result = TaskResult(pulled("a"), [("__root__", value) for value in writes])
    assert updates_chunk(("__root__",), True, result) == {"a": update}


def test_an_update_from_an_earlier_run_says_so():
    result = TaskResult(pulled("a"), [("last", 1)], cached=True)
    assert updates_chunk(KEYS, False, result) == {"a": {"last": 1}, "__metadata__": {"cached": True}}


@pytest.mark.parametrize(
    ("writes", "shown"),
    [
        ([], {}),
        ([("log", ["x"]), GO, (TASKS, Send("b", 1)), ("hidden", 1)], {"log": ["x"]}),
        ([("log", [1]), ("log", [2])], {"log": {"$writes": [[1], [2]]}}),
        ([("log", [1]), ("log", [2]), ("log", [3])], {"log": {"$writes": [[1], [2], [3]]}}),
        ([("log", {"$writes": []}), ("log", [2])], {"log": {"$writes": [{"$writes": []}, [2]]}}),
        ([(RETURN, [1]), ("log", [2])], [1]),
    ],
)
def test_what_a_task_wrote(writes, shown):
    assert written(KEYS, writes) == shown


def test_what_a_task_wrote_to_a_state_that_is_one_value():
    assert written(("__root__",), [("__root__", [1]), GO]) == [1]
    assert written(("__root__",), [GO]) is None


def test_questions_in_the_streams():
    question = Interrupt({"pay": 10}, "1" * 32, response_schema={"type": "boolean"})
    result = TaskResult(pulled("a"), [], interrupts=(question,))
    as_dict = {"value": {"pay": 10}, "id": "1" * 32, "response_schema": {"type": "boolean"}}
    assert interrupt_chunk(result) == {"__interrupt__": (question,)}
    assert interrupt_dict(question) == as_dict
    assert result_payload(KEYS, result) == {
        "id": pulled("a").id,
        "name": "a",
        "error": None,
        "result": {},
        "interrupts": [as_dict],
    }


def test_the_start_of_a_task():
    task = pulled("a")
    told = {"id": task.id, "name": "a", "input": {"log": []}, "triggers": ("branch:to:a",)}
    assert task_payload(task, {"log": []}, {}) == told
    assert task_payload(task, {"log": []}, {"team": "x"}) == {**told, "metadata": {"team": "x"}}


def test_the_output_shows_the_keys_that_have_a_value():
    values = {"log": [], "last": None, "private": 1}
    assert read_output(values, ("last", "log", "unset"), single=False) == {"last": None, "log": []}
    assert read_output(values, ("last",), single=True) is None
    assert read_output(values, ("private",), single=True) == 1
    assert read_output({}, ("last",), single=True) is None


# -- who sees what ---------------------------------------------------------------------------------
def stream(*modes: str, **how: object) -> tuple[Stream, list[object]]:
    seen: list[object] = []
    return Stream(modes, seen.append, lambda: NOON, **how), seen  # type: ignore[arg-type]


def test_a_stream_shows_its_modes():
    own, seen = stream("updates", "values")
    for mode in ("updates", "values", "tasks"):
        own.emit("", mode, mode)
    assert seen == [((), "updates", "updates"), ((), "values", "values")]
    assert [own.wants(mode) for mode in ("updates", "tasks", "checkpoints")] == [True, False, False]


def test_debug_is_made_of_tasks_and_checkpoints():
    own, seen = stream("debug")
    assert own.wants("tasks")
    assert own.wants("checkpoints")
    own.emit("", "tasks", {"triggers": ()}, 3)
    own.emit("", "tasks", {"result": {}}, 3)
    own.emit("", "checkpoints", {"values": {}}, 2)
    own.emit("", "updates", {})
    assert [(mode, chunk["type"], chunk["step"], chunk["timestamp"]) for _, mode, chunk in seen] == [
        ("debug", "task", 3, NOON),
        ("debug", "task_result", 3, NOON),
        ("debug", "checkpoint", 2, NOON),
    ]


@pytest.mark.parametrize("shows", [True, False])
def test_a_stream_above_sees_called_graphs_when_it_asks_to(shows):
    above, seen = stream("updates", subgraphs=shows)
    below, own = stream("values", above=above, root="a:1")
    assert below.wants("updates") is shows
    below.emit("a:1", "updates", "u")
    below.emit("a:1", "values", "v")
    assert own == [(("a:1",), "values", "v")]
    assert seen == ([(("a:1",), "updates", "u")] if shows else [])


def test_a_graph_that_nobody_looks_at_is_silent():
    above, _ = stream("updates")
    assert stream(above=above, root="a:1")[0].silent
    assert not stream(above=stream("updates", subgraphs=True)[0], root="a:1")[0].silent
    assert not above.silent


def test_custom_chunks_reach_the_nearest_stream_that_shows_them():
    for subgraphs, shown in ((True, [(("a:1", "b:2"), "custom", "hello")]), (False, [])):
        top, seen = stream("custom", subgraphs=subgraphs)
        middle, _ = stream("updates", above=top, root="a:1")
        stream(above=middle, root="a:1|b:2")[0].custom("a:1|b:2", "hello")
        assert seen == shown
