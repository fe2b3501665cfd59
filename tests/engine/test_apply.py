"""Applying the writes of a step: the same result whoever finished first."""

from __future__ import annotations

import operator
from copy import deepcopy
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from typing_extensions import TypedDict

from nbhitl.channels import EphemeralValue, Topic
from nbhitl.checkpoint._edits import edited
from nbhitl.checkpoint.records import Frame
from nbhitl.constants import INPUT, START, TASKS
from nbhitl.engine.apply import Changes, apply_writes
from nbhitl.engine.head import Head, frame_of, head_of, new_head
from nbhitl.engine.tasks import Task, TaskResult
from nbhitl.errors import InvalidUpdateError
from nbhitl.graph import StateGraph
from nbhitl.graph.message import add_messages
from nbhitl.types import Overwrite, Send

from .building import builder, chain, program_of, pulled, pushed, stored, wrote


class Odd(TypedDict, total=False):
    items: Annotated[list[int], Topic]
    flash: Annotated[int, EphemeralValue]
    kept: str


CHAIN = chain("a", "b")
ODD = program_of("ab", (START, "a"), schema=Odd)
JOIN = program_of("abc", (START, "a"), (START, "b"), (("a", "b"), "c"))


def after(program: Any, values: dict[str, Any], *results: TaskResult) -> tuple[Head, Changes]:
    head = head_of(program, stored(values))
    return head, apply_writes(program, head, results)


def told(head: Head) -> tuple[Any, ...]:
    return head.values, head.triggers, head.sends, frame_of(CHAIN, head)


WRITES = st.lists(
    st.sampled_from(
        [
            ("log", ["x"]),
            ("log", ["y", "z"]),
            ("total", 1),
            ("total", 5),
            ("branch:to:b", None),
            (TASKS, Send("b", 7)),
        ]
    ),
    max_size=3,
)


@settings(derandomize=True, max_examples=60, deadline=None, database=None)
@given(
    each=st.lists(WRITES, min_size=2, max_size=5).flatmap(
        lambda lists: st.tuples(st.just(lists), st.permutations(range(len(lists))))
    )
)
def test_the_order_of_arrival_does_not_matter(each):
    lists, arrival = each
    tasks = [pulled("a"), pulled("b"), *(pushed("a", n) for n in range(len(lists) - 2))]
    results = [TaskResult(task, writes) for task, writes in zip(tasks, lists, strict=True)]
    first, changed = after(CHAIN, {"log": ["old"]}, *results)
    second, changed_too = after(CHAIN, {"log": ["old"]}, *(results[n] for n in arrival))
    assert told(first) == told(second)
    assert changed == changed_too


def test_edges_are_applied_by_name_then_sends_by_number():
    head, _ = after(
        CHAIN,
        {},
        wrote(pushed("a", 1), log=["send 1"]),
        wrote(pulled("b"), log=["b"]),
        wrote(pushed("b", 0), log=["send 0"]),
        wrote(pulled("a"), log=["a"]),
    )
    assert head.values["log"] == ["a", "b", "send 0", "send 1"]


def test_the_changes_are_what_a_checkpoint_stores():
    head, changes = after(
        CHAIN, {"log": ["old"], "total": 1}, wrote(pulled("a"), log=["new"], total=2, last="x")
    )
    assert head.values == {"log": ["old", "new"], "total": 3, "last": "x"}
    assert changes == Changes({"total": 3, "last": "x"}, {"log": ["new"]}, {"log", "total", "last"})


def test_a_step_that_writes_nothing_changes_nothing():
    head, changes = after(CHAIN, {"log": ["old"]}, TaskResult(pulled("a"), []))
    assert changes == Changes()
    assert head.values == {"log": ["old"], "total": 0}


def test_several_tasks_that_append_are_one_difference():
    _, changes = after(CHAIN, {"log": ["old"]}, wrote(pulled("a"), log=["1"]), wrote(pulled("b"), log=["2"]))
    assert changes == Changes({}, {"log": ["1", "2"]}, {"log"})


def test_a_list_that_was_changed_in_place_is_stored_whole():
    head = head_of(CHAIN, stored({"log": ["old"]}))
    head.values["log"].append("sneaked in")
    assert apply_writes(CHAIN, head, [wrote(pulled("a"), log=["new"])]) == Changes(
        {"log": ["old", "sneaked in", "new"]}, {}, {"log"}
    )


def test_an_overwrite_is_stored_whole():
    head, changes = after(CHAIN, {"log": ["old"]}, wrote(pulled("a"), log=Overwrite(["new"])))
    assert head.values["log"] == ["new"]
    assert changes == Changes({"log": ["new"]}, {}, {"log"})


def test_an_overwrite_discards_the_other_writes_of_its_step():
    results = wrote(pulled("a"), log=["lost"]), wrote(pulled("b"), log=Overwrite(["new"]))
    assert after(CHAIN, {"log": ["old"]}, *results)[0].values["log"] == ["new"]


def test_two_overwrites_are_refused():
    results = wrote(pulled("a"), log=Overwrite([])), wrote(pulled("b"), log=Overwrite([]))
    with pytest.raises(InvalidUpdateError, match="'log': Can receive only one Overwrite"):
        after(CHAIN, {}, *results)


def test_two_writes_to_a_key_without_reducer_are_refused():
    with pytest.raises(
        InvalidUpdateError, match=r"At key 'last': Can receive only one value per step\. 2 tasks"
    ):
        after(CHAIN, {}, wrote(pulled("a"), last="1"), wrote(pulled("b"), last="2"))


def test_of_several_conflicts_the_one_written_first_is_told_of():
    results = wrote(pulled("a"), last="1", total=1, log={}), wrote(pulled("b"), total="x", log={}, last={})
    with pytest.raises(InvalidUpdateError, match="At key 'last'"):
        after(CHAIN, {}, *results)


def test_the_state_before_is_left_alone():
    old = {"log": ["old"]}
    before = deepcopy(old)
    after(CHAIN, old, wrote(pulled("a"), log=["new"]))
    assert old == before


# -- who runs next ---------------------------------------------------------------------------------
def test_triggers_fire_once_and_last_one_step():
    head, _ = after(
        CHAIN,
        {},
        TaskResult(pulled("a"), [("branch:to:b", None)]),
        TaskResult(pulled("b"), [("branch:to:b", None)]),
    )
    assert head.triggers == ("branch:to:b",)
    apply_writes(CHAIN, head, [TaskResult(pulled("b"), [])])
    assert head.triggers == ()


def test_writers_are_the_nodes_that_edges_started():
    head, _ = after(CHAIN, {}, wrote(pulled("a")), wrote(pushed("b", 0)))
    assert head.writers == ("a",)
    apply_writes(CHAIN, head, [wrote(pushed("b", 0))])
    assert head.writers == ("a",)
    head.newest = ("branch:to:b",)  # what a Command fired last, beside what was about to run
    apply_writes(CHAIN, head, [wrote(pulled("a")), wrote(pulled("b"))])
    assert (head.writers, head.newest) == (("b",), ())


def test_a_barrier_opens_when_all_have_come_and_closes_again():
    head, _ = after(JOIN, {}, TaskResult(pulled("a"), [("join:a+b:c", "a")]))
    assert head.ready(JOIN) == ()
    apply_writes(JOIN, head, [TaskResult(pulled("b"), [("join:a+b:c", "b")])])
    assert head.ready(JOIN) == ("join:a+b:c",)
    joined_task = Task("c", ("__pregel_pull", "c"), ("join:a+b:c",), 1, "cp", "")
    apply_writes(JOIN, head, [TaskResult(joined_task, [])])
    assert head.ready(JOIN) == ()


def test_a_deferred_node_waits_until_nothing_else_is_left():
    graph = StateGraph(Odd)
    for name in ("a", "b"):
        graph.add_node(name, lambda state: None)
    graph.add_node("last", lambda state: None, defer=True)
    graph.add_edge(START, "a").add_edge("a", "b").add_edge("a", "last")
    program = graph.compile().program
    head = new_head(program)
    apply_writes(program, head, [TaskResult(pulled("a"), [("branch:to:b", None), ("branch:to:last", None)])])
    assert head.ready(program) == ("branch:to:b",)
    apply_writes(program, head, [TaskResult(pulled("b"), [])])
    assert head.ready(program) == ("branch:to:last",)


# -- writes from outside, and keys that are channel objects ----------------------------------------
def outside(*writes: tuple[str, Any]) -> list[TaskResult]:
    return [TaskResult(Task(INPUT, ("__update__", 0), (), 0, "cp", ""), list(writes))]


def test_writes_from_outside_leave_in_place_what_is_about_to_run():
    head = head_of(CHAIN, stored({"log": ["old"]}, "a", sends=(Send("a", 1),), writers=("b",)))
    changes = apply_writes(
        CHAIN, head, outside(("log", ["new"]), ("branch:to:b", None), (TASKS, Send("b", 2))), ends_step=False
    )
    assert changes == Changes({}, {"log": ["new"]}, {"log"})
    assert head.triggers == ("branch:to:a", "branch:to:b")
    assert head.sends == (Send("a", 1), Send("b", 2))
    assert head.writers == ("b",)


def test_channels_that_last_a_step_are_emptied_by_the_next():
    head = new_head(ODD)
    apply_writes(ODD, head, [wrote(pulled("a"), items=[1, 2], flash=7, kept="k")])
    assert head.values == {"items": [1, 2], "flash": 7, "kept": "k"}
    apply_writes(ODD, head, [wrote(pulled("b"), kept="l")])
    assert head.values == {"kept": "l"}


def test_keys_are_listed_in_the_order_of_the_schema():
    head, _ = after(CHAIN, {}, wrote(pulled("a"), last="x"), wrote(pulled("b"), log=["y"]))
    assert list(head.values) == ["log", "total", "last"]


# -- differences over several steps ----------------------------------------------------------------
UPDATES = st.dictionaries(st.sampled_from(["log", "total", "last"]), st.integers(0, 2), max_size=3).map(
    lambda d: {k: {"log": [str(v)] * v, "total": v, "last": str(v)}[k] for k, v in d.items()}
)


@settings(derandomize=True, max_examples=60, deadline=None, database=None)
@given(
    steps=st.lists(UPDATES | UPDATES.map(lambda d: {**d, "log": Overwrite(["o"])}), min_size=1, max_size=5)
)
def test_joined_differences_lead_to_the_same_state(steps):
    start = {"log": ["old"], "total": 1, "last": ""}
    head = head_of(CHAIN, stored(deepcopy(start)))
    total: Changes | None = None
    for update in steps:
        changes = apply_writes(CHAIN, head, [wrote(pulled("a"), **update)])
        if total is None:
            total = changes
        else:
            total.add(changes, head.values)
    assert total is not None
    again = {**start, **total.values}
    again.update({key: [*start[key], *items] for key, items in total.appended.items()})
    assert again == head.values


# -- there and back --------------------------------------------------------------------------------
class Chat(TypedDict, total=False):
    messages: Annotated[list[Any], add_messages]
    log: Annotated[list[str], operator.add]


CHAT = program_of("ab", (START, "a"), (START, "b"), schema=Chat)
START_OF_CHAT = {"messages": [HumanMessage(f"m{n}", id=f"m{n}") for n in range(6)], "log": ["x"]}
ADDED = st.integers(0, 99).map(lambda n: ("messages", [HumanMessage(f"new {n}", id=f"n{n}")]))
EDITED = st.integers(0, 5).map(lambda n: ("messages", [HumanMessage(f"edited {n}", id=f"m{n}")]))
OVER = st.just(("messages", Overwrite([HumanMessage("over", id="over"), *START_OF_CHAT["messages"][2:]])))
SAID = ADDED | EDITED | EDITED | OVER | st.just(("log", ["y"]))


def stored_after(before: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """The state that a store makes of changes: of a list that was edited, of the edits."""
    after = {**before, **changes.values}
    after.update({key: [*before[key], *items] for key, items in changes.appended.items()})
    return {**after, **{key: edited(before[key], edits) for key, edits in (changes.edits or {}).items()}}


@settings(derandomize=True, max_examples=100, deadline=None, database=None)
@given(
    steps=st.lists(st.lists(SAID, min_size=1, max_size=2), min_size=1, max_size=6),
    lent=st.booleans(),
)
def test_edits_lead_to_the_same_state_step_by_step_and_joined(steps, lent):
    start = deepcopy(START_OF_CHAT)
    head, store, total = head_of(CHAT, stored(deepcopy(start))), start, Changes()
    for step in steps:
        held = head.values["messages"] if lent else None
        writes = [TaskResult(pulled(name), [write]) for name, write in zip("ab", step)]
        try:
            changes = apply_writes(CHAT, head, writes)
        except InvalidUpdateError:  # two Overwrites
            return
        del held
        store = stored_after(store, changes)
        assert store == head.values
        total.add(changes, head.values)
    assert stored_after(start, total) == head.values
    assert total.written <= {"messages", "log"}
    assert {*total.values, *total.appended} <= {*total.written}


@pytest.mark.parametrize("lent", [False, True])
@pytest.mark.parametrize("tasks", ["a", "ab"])
def test_what_was_edited_is_told_whoever_has_the_list_and_however_many_wrote(lent, tasks):
    head = head_of(CHAT, stored(deepcopy(START_OF_CHAT)))
    for number in range(3):
        held = head.values["messages"] if lent else None
        said = [HumanMessage(f"edited {number}", id="m1")], [HumanMessage("more", id=f"more {number}")]
        changes = apply_writes(
            CHAT, head, [wrote(pulled(task), messages=update) for task, update in zip(tasks, said)]
        )
        del held
        assert (
            changes.edits is not None or number == 0
        )  # the first list is noted, and what it was is not known
        assert "log" not in (changes.edits or {})


def test_edits_are_told_on_beside_steps_that_leave_the_list_alone_and_not_twice():
    head = head_of(CHAT, stored(deepcopy(START_OF_CHAT)))
    edit, beside, again = (
        apply_writes(CHAT, head, [wrote(pulled("a"), **update)])
        for update in (
            {"messages": [HumanMessage("edited", id="m1")]},
            {"log": ["y"]},
            {"messages": [HumanMessage("edited again", id="m1")]},
        )
    )
    for first, then in ((edit, beside), (beside, edit)):
        joined = Changes()
        joined.add(first, head.values)
        joined.add(then, head.values)
        assert joined.edits == edit.edits
    joined.add(again, head.values)
    assert not joined.edits
    assert joined.written == {"messages", "log"}


def test_an_overwrite_of_items_that_were_changed_in_place_is_stored_whole():
    head = head_of(CHAT, stored(deepcopy(START_OF_CHAT)))
    items = [*head.values["messages"]]
    items[0].content = "changed in place"
    changes = apply_writes(CHAT, head, [wrote(pulled("a"), messages=Overwrite(items[:-1]))])
    assert not changes.edits
    assert [message.content for message in changes.values["messages"]][:2] == ["changed in place", "m1"]


def test_a_head_comes_back_from_what_is_stored():
    frame = Frame(("branch:to:a",), (Send("b", 1),), {"join:a+b:c": {"a"}}, None, ("a",))
    head = head_of(
        JOIN,
        stored({"log": ["x"], "total": 2}, "a", sends=frame.sends, channels=frame.channels, writers=("a",)),
    )
    assert frame_of(JOIN, head) == frame
    assert head.values == {"log": ["x"], "total": 2}


def test_keys_that_the_graph_no_longer_has_are_left_out():
    assert head_of(CHAIN, stored({"log": ["x"], "gone": 1})).values == {"log": ["x"], "total": 0}


def test_threads_do_not_share_their_first_values():
    program = builder("a", (START, "a")).compile().program
    new_head(program).values["log"].append("x")
    assert new_head(program).values["log"] == []


def test_a_reducer_that_is_not_an_append_is_stored_whole():
    class Union(TypedDict):
        seen: Annotated[set[int], operator.or_]

    program = program_of("a", (START, "a"), schema=Union)
    _, changes = after(program, {"seen": {1}}, wrote(pulled("a"), seen={2}))
    assert changes == Changes({"seen": {1, 2}}, {}, {"seen"})


# -- lists that grow where they are -------------------------------------------------------------------------


def grown_by(head: Head, items: list[str]) -> Changes:
    return apply_writes(CHAIN, head, [wrote(pulled("a"), log=items)])


def test_a_list_that_nobody_else_has_is_not_copied():
    head = head_of(CHAIN, stored({"log": ["old"]}))
    place = id(head.values["log"])
    returned = ["x"]
    changes = grown_by(head, returned)
    assert head.values["log"] == ["old", "x"]
    assert id(head.values["log"]) == place
    assert (changes.values, changes.appended) == ({}, {"log": ["x"]})
    assert changes.appended["log"] is not returned


def test_a_list_that_somebody_has_stays_as_it_is():
    head = head_of(CHAIN, stored({"log": ["old"]}))
    kept = [head.values["log"]]
    changes = grown_by(head, ["x"])
    kept.append(head.values["log"])
    grown_by(head, ["y"])
    assert (*kept, head.values["log"]) == (["old"], ["old", "x"], ["old", "x", "y"])
    assert changes.appended == {"log": ["x"]}


def test_a_list_that_is_written_to_itself_is_doubled_once():
    head = head_of(CHAIN, stored({"log": ["old"]}))
    grown_by(head, head.values["log"])
    assert head.values["log"] == ["old", "old"]


def test_a_list_that_was_changed_in_place_is_saved_whole():
    head = head_of(CHAIN, stored({"log": ["old"]}))
    head.values["log"].append("behind our back")
    changes = grown_by(head, ["x"])
    assert changes.values == {"log": ["old", "behind our back", "x"]}
    assert grown_by(head, ["y"]).appended == {"log": ["y"]}


@pytest.mark.parametrize("update", [Overwrite(["new"]), {"__overwrite__": ["new"]}], ids=repr)
def test_an_overwrite_takes_the_place_of_a_list(update):
    head = head_of(CHAIN, stored({"log": ["old"]}))
    changes = grown_by(head, update)
    assert head.values["log"] == ["new"] == changes.values["log"]


def test_a_write_that_does_not_fit_leaves_the_list_alone():
    head = head_of(CHAIN, stored({"log": ["old"]}))
    with pytest.raises(TypeError):
        grown_by(head, "x")
    assert head.values["log"] == ["old"]


class Plain(TypedDict, total=False):
    first: str
    second: str
    third: str


@pytest.mark.parametrize(
    ("before", "update", "keys"),
    [
        ({}, {"third": "x", "first": "y"}, ["first", "third"]),
        ({"third": "x"}, {"second": "y"}, ["second", "third"]),
        ({"first": "x"}, {"third": "y"}, ["first", "third"]),
        ({}, {"third": "x"}, ["third"]),
    ],
)
def test_the_keys_of_a_state_stand_as_in_its_schema_whenever_they_came_in(before, update, keys):
    head, _ = after(program_of("a", (START, "a"), schema=Plain), before, wrote(pulled("a"), **update))
    assert [*head.values] == keys
