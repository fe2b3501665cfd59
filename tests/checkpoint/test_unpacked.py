"""Steps of plain values in memory: what is read of them is what a store of bytes would give."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbhitl.checkpoint._rows import FULL, decode_body, encode_step
from nbhitl.checkpoint._unpacked import UnpackedStep, packed, step_in_memory
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import Frame, StepRecord, TaskWrites
from nbhitl.checkpoint.serde import Serde
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, Send, interrupt

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=300),
    st.binary(max_size=9),
)


PULLED = ("__pregel_pull", "a")


def step(
    number: int, values: dict[str, Any], state: dict[str, Any] | None = None, **other: Any
) -> StepRecord:
    frame = other.setdefault("frame", Frame(("branch:to:b",), writers=("a",)))
    writes = [*values.items(), *((trigger, None) for trigger in frame.triggers)]
    what = {
        "metadata": {"source": "loop", "step": number, "parents": {}},
        "results": [TaskWrites("", "a", PULLED, writes)],
        "appended": {},
        "removed": (),
        **other,
    }
    whole, parent = {**(state or {}), **values}, f"id{number - 1:04}" if number else None
    return StepRecord(
        thread_id="t", ns="", checkpoint_id=f"id{number:04}", parent_id=parent, created_at="2026", values=values,
        full=lambda: whole, **what,
    )  # fmt: skip


def second_step(number_written: int) -> Any:
    _, tip = step_in_memory(step(0, {"x": 0, "y": 0}), None, Serde())
    return step_in_memory(step(1, {"x": number_written}, {"x": 0, "y": 0}), tip, Serde())[0]


def test_steps_are_equal_by_what_they_hold():
    row, same, other = map(second_step, (1, 1, 2))
    assert type(row) is UnpackedStep
    assert row == same == packed(row) == row
    assert hash(row) == hash(same) == hash(packed(row))
    assert row != other
    assert row not in (packed(other), tuple(packed(row)), None)


@given(st.lists(st.dictionaries(st.sampled_from("xyz"), PLAIN, min_size=1), min_size=2, max_size=12))
def test_a_step_that_was_packed_late_is_the_step_that_was_packed_at_once(steps):
    serde, late, at_once, state = Serde(), None, None, {}
    for number, values in enumerate(steps):
        state.update(values)
        row, late = step_in_memory(step(number, values, state), late, serde)
        same, at_once = encode_step(step(number, values, state), at_once, serde)
        at_once.since, at_once.size, at_once.base_id = late.since, late.size, late.base_id
        assert packed(row)._replace(since=0, size=0) == same._replace(since=0, size=0, base_id=row.base_id)
        assert late.versions == at_once.versions
        assert row == packed(row)
        assert (row != packed(row)) is False
        assert hash(row) == hash(packed(row))


def second(values: dict[str, Any], serde: Any = None, **other: Any) -> Any:
    """The row of a step below one that holds two keys."""
    serde = serde or Serde()
    _, tip = step_in_memory(step(0, {"x": "old", "y": "y" * 99}), None, serde)
    return step_in_memory(step(1, values, **other), tip, serde)[0]


def test_a_step_of_plain_values_is_unpacked():
    assert type(second({"x": "new"})) is UnpackedStep


@pytest.mark.parametrize("start", [{}, {"x": 1, "y": "text"}])
def test_an_input_of_plain_values_is_unpacked(start):
    frame = Frame(("__start__",), start=start)
    record = step(0, {}, frame=frame, results=[])
    row, tip = step_in_memory(record, None, Serde())
    asked = dict(start)
    start["x"] = "changed by its caller"
    body = decode_body(packed(row), Serde())
    assert type(row) is UnpackedStep
    assert (body.kind, body.frame, body.values) == (FULL, Frame(("__start__",), start=asked), {})
    assert (tip.base_id, tip.depth, tip.versions) == ("id0000", 1, {})


@pytest.mark.parametrize("start", [{"x": []}, ["x"], 1], ids=repr)
def test_an_input_that_could_be_changed_is_packed_at_once(start):
    record = step(0, {}, frame=Frame(("__start__",), start=start), results=[])
    assert type(step_in_memory(record, None, Serde())[0].body) is bytes


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize("value", [["a"], {"a": 1}, Text("a"), bytearray(b"a"), 1j], ids=repr)
def test_what_could_be_changed_or_is_no_plain_value_is_packed_at_once(value):
    serde = Serde(learn=True)
    assert type(second({"x": value}, serde).body) is bytes


@pytest.mark.parametrize(
    "other",
    [
        {
            "results": [
                TaskWrites("", "a", PULLED, [("x", "what a reducer made new of"), ("branch:to:b", None)])
            ]
        },
        {"appended": {"z": ["new"]}},
        {"removed": ("y",)},
        {"metadata": {"source": "loop", "step": 1, "parents": {}, "user": ["Ada"]}},
        {"metadata": {"source": "loop", "step": 1, "parents": {"": "id"}}},
        {"frame": Frame(sends=(Send("a", []),))},
        {"frame": Frame(channels={"join": {"a"}})},
        {"frame": Frame(start={"x": []})},
        {"frame": Frame(start={"x": 1})},
        {"frame": Frame(children={"a:1": "id"})},
        {"results": [TaskWrites("", "a", PULLED, [("branch:to:b", None), ("x", "new")])]},
        {"results": [TaskWrites("", "a", PULLED, [("x", "new")])]},
        {"results": [TaskWrites("some-id", "a", PULLED, [("x", "new"), ("branch:to:b", None)])]},
        {"results": [TaskWrites("", "a", ("__pregel_push", 0), [("x", "new"), ("branch:to:b", None)])]},
        {
            "results": [
                TaskWrites("", "a", PULLED, []),
                TaskWrites("", "b", ("__pregel_pull", "b"), [("x", "new")]),
            ]
        },
        {"serde": type("Mine", (Serde,), {})()},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_step_with_more_to_it_is_packed_at_once(other):
    assert type(second({"x": "new"}, **other).body) is bytes


def test_the_whole_state_is_stored_as_often_for_long_texts():
    serde, tip, whole = Serde(), None, []
    state = {key: key * 1000 for key in "abcdefgh"}
    for number in range(40):
        values = dict(state) if number == 0 else {"a": f"{number:04}" * 250}
        state.update(values)
        row, tip = step_in_memory(step(number, values, state), tip, serde)
        if packed(row).is_whole:
            whole.append(number)
    assert whole == [0, 17, 34]


class State(TypedDict):
    n: int
    items: list[int]


def asking_graph() -> Any:
    builder = StateGraph(State)
    builder.add_node("count", lambda state: {"n": state["n"] + 1})
    builder.add_node("ask", lambda state: {"n": interrupt("how many?")})
    builder.add_edge(START, "count")
    builder.add_edge("count", "ask")
    return builder.compile(checkpointer=InMemorySaver())


def test_a_pause_is_kept_though_its_thread_was_read_meanwhile():
    graph, config = asking_graph(), {"configurable": {"thread_id": "t"}}
    graph.invoke({"n": 0}, config)
    assert [snapshot.values.get("n") for snapshot in graph.get_state_history(config)] == [1, 0, None]
    took: list[Any] = []
    answer_pause = graph.checkpointer.answer_pause
    graph.checkpointer.answer_pause = lambda answering: took.append(answer_pause(answering)) or took[-1]
    graph.invoke(Command(resume=7), config)
    assert took[0] is not None
    assert graph.get_state(config).values == {"n": 7}


def test_history_does_not_change_with_what_a_caller_changes_later():
    builder = StateGraph(State)
    kept: list[int] = []

    def grow(state: State) -> dict[str, Any]:
        kept.append(state["n"])
        return {"n": state["n"] + 1, "items": kept}

    builder.add_node("grow", grow)
    builder.add_edge(START, "grow")
    builder.add_conditional_edges("grow", lambda state: "grow" if state["n"] < 3 else "__end__")
    graph, config = builder.compile(checkpointer=InMemorySaver()), {"configurable": {"thread_id": "t"}}
    given = {"n": 0, "items": []}
    graph.invoke(given, config)
    kept.append(99)
    given["items"].append(98)
    assert [snapshot.values.get("items") for snapshot in graph.get_state_history(config)] == [
        [0, 1, 2], [0, 1], [0], [], None,
    ]  # fmt: skip
