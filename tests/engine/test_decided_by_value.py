"""What pure functions decide, by value: where a wrong decision would lose or mix up what a thread holds."""

from __future__ import annotations

from contextlib import suppress
from functools import wraps
from types import SimpleNamespace
from typing import Literal

import pytest
from typing_extensions import TypedDict

from nbhitl.checkpoint._bundle_rows import _NUMBERED, _field
from nbhitl.checkpoint._pauses import _is_faithful
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import CheckpointKey, Claim, ClaimRequest
from nbhitl.checkpoint.serde import Serde
from nbhitl.engine.caching import cache_namespace
from nbhitl.engine.carried import _again, leave_the_branch
from nbhitl.engine.foreign import ForeignSaver, _takes_path
from nbhitl.engine.given_back import give_back
from nbhitl.engine.head import Head, new_head, refill
from nbhitl.engine.instructions import StoreCall
from nbhitl.engine.kept_pause import _is_small
from nbhitl.engine.keys import _grown_of
from nbhitl.engine.questions import Left
from nbhitl.engine.returned import _added_up
from nbhitl.engine.swallowed import _where
from nbhitl.engine.writes import has_fields
from nbhitl.errors import BundleError, GraphInterrupt, StoreError, UnsupportedValue
from nbhitl.graph import START, MessagesState, StateGraph
from nbhitl.graph._targets import annotated_targets
from nbhitl.graph.message import add_messages, appended_messages, grown_messages
from nbhitl.review.schema import _brief
from nbhitl.types import Command, Interrupt, interrupt

NOON = "2026-11-20T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("state", "small"),
    [
        ({"n": 1, "items": ["a", None, 2.5, b"x"]}, True),
        ({"items": [["a"]]}, False),
        ({"items": {"a": 1}}, False),
        ({"items": list(range(100))}, True),
        ({"items": list(range(101))}, False),
        ({"items": list(range(100)), "n": 1}, False),
    ],
)
def test_a_state_of_few_plain_values_is_kept_where_a_run_paused(state, small):
    assert _is_small(state) is small


def test_only_what_was_added_behind_the_same_messages_is_appended():
    a, b, c, x = (SimpleNamespace(id=name) for name in "abcx")
    assert appended_messages([a, b], [a, b, c], [c]) == [c]
    assert appended_messages([a, b], [a, x, c], [c]) is None
    assert appended_messages([a, b], (a, b, c), [c]) is None


def test_two_functions_of_one_node_name_have_caches_of_their_own():
    def one(state): ...
    async def other(state): ...

    def place(sync, async_):
        return cache_namespace("node", SimpleNamespace(runnable=None, sync=sync, async_=async_))

    assert place(one, None)[1].endswith("<locals>.one")
    assert place(None, other)[1].endswith("<locals>.other")


def test_text_of_a_class_that_annotates_fields_is_a_value_and_no_update():
    class Tagged(str):
        tag: str

    class Point:
        x: int

    assert not has_fields(Tagged("a"))
    assert has_fields(Point())


def test_only_literals_tell_where_a_command_goes():
    assert annotated_targets({"return": Command[Literal["a", "b"]]}) == {"a": "", "b": ""}
    assert annotated_targets({"return": Command[list[str]]}) == {}


def test_a_serializer_derived_from_ours_may_hide_what_it_is_given():
    class Hiding(Serde):
        pass

    assert _is_faithful(Serde)
    assert not _is_faithful(Hiding)


def test_a_long_value_is_shortened_in_a_message():
    assert _brief("a" * 38) == repr("a" * 38)
    assert _brief("a" * 39) == "'" + "a" * 36 + "..."


@pytest.mark.parametrize("number", [2**63, -(2**63), True, "1"])
def test_a_number_that_no_store_can_hold_is_damage_of_a_bundle(number):
    name = min(_NUMBERED)
    assert _field(name, 2**63 - 1) == 2**63 - 1
    with pytest.raises(BundleError, match=name):
        _field(name, number)


def test_an_answer_is_on_its_way_until_its_task_asks_something_else():
    first, second = Interrupt("a", "1" * 32), Interrupt("b", "2" * 32)
    given = {"task": [[first.id, "", "yes"]]}
    assert Left(set(), {"task": [first]}, given, {first.id}).taken_up() == {first.id}
    assert Left(set(), {"task": [second]}, given, {first.id}).taken_up() == set()
    assert Left(set(), {}, given, {first.id}).taken_up() == {first.id}
    assert Left({"task"}, {}, given, {first.id}).taken_up() == set()


class Refusing(InMemorySaver):
    """A saver of others, as its own `put_writes` makes it, that once cannot write an answer."""

    refuses = False

    def put_writes(self, config, writes, task_id, task_path=""):
        if self.refuses:
            self.refuses = False
            raise StoreError("the disk is full")
        super().put_writes(config, writes, task_id, task_path)


def test_an_answer_that_another_saver_could_not_write_can_be_given_again():
    saver, config = Refusing(), {"configurable": {"thread_id": "t"}}
    builder = StateGraph(MessagesState)
    builder.add_node("ask", lambda state: {"messages": [("ai", interrupt("go?"))]}).add_edge(START, "ask")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"messages": []}, config)
    saver.refuses = True
    with pytest.raises(StoreError, match="the disk is full"):
        graph.invoke(Command(resume="yes"), config)
    assert [question.value for question in graph.get_state(config).interrupts] == ["go?"]
    assert graph.invoke(Command(resume="no"), config)["messages"][0].content == "no"


def test_only_the_very_reducer_of_messages_is_passed_over():
    @wraps(add_messages)
    def counted(old, new):
        return add_messages(old, new)

    assert _grown_of(add_messages) is grown_messages
    assert _grown_of(counted) is None


def test_what_a_generator_yields_is_added_up():
    assert _added_up(iter([])) is None
    assert _added_up(iter([1, 2])) == 3
    assert _added_up(iter([{"a": 1}, {"b": 2}])) == {"b": 2}


def test_savers_take_the_path_of_a_task_if_they_say_so():
    class Old:
        def put_writes(self, config, writes, task_id): ...

    class New:
        def put_writes(self, config, writes, task_id, task_path=""): ...

    class Passing:
        def put_writes(self, *given): ...

    assert [_takes_path(saver, "put_writes") for saver in (Old, New, Passing)] == [False, True, True]


def test_a_state_that_is_read_again_has_its_keys_in_the_order_of_the_schema():
    class State(TypedDict, total=False):
        first: str
        second: list[str]

    program = StateGraph(State).add_node("a", lambda state: {}).add_edge(START, "a").compile().program
    head = new_head(program)
    refill(program, head, {"second": ["b"], "first": "a"})
    assert [*head.values.items()] == [("first", "a"), ("second", ["b"])]


def test_a_place_without_its_state_knows_who_wrote_last():
    head = Head()
    head.checkpoint_id, head.triggers, head.newest, head.writers = "cp", ("b",), ("b",), ("a",)
    head.values = {"n": 1}
    place = head.emptied()
    assert (place.checkpoint_id, place.triggers, place.newest, place.writers) == (
        "cp",
        ("b",),
        ("b",),
        ("a",),
    )
    assert place.values == {}


def test_only_what_was_put_on_a_branch_is_dropped_there():
    key = CheckpointKey("t", "", "c2")

    def dropped(ids, saver=None):
        run = SimpleNamespace(carried=frozenset({"put"}), saver=saver)
        return list(leave_the_branch(SimpleNamespace(run=run, key=key), ids))

    assert dropped(["asked", "put"]) == [StoreCall("drop", ("t", "", "c2", ("put",), True))]
    assert dropped(["asked"]) == []
    assert dropped(["put"], ForeignSaver.__new__(ForeignSaver)) == []


def test_a_question_that_is_asked_again_on_a_branch_is_the_same_but_for_its_id():
    before = Interrupt("Pay?", "one", response_schema={"type": "number"})
    before.site, before.place = "pay:12", "child"
    again = _again(before, "other")
    assert (again.value, again.id, again.response_schema) == ("Pay?", "other", {"type": "number"})
    assert (again.site, again.place) == ("pay:12", "child")


def test_only_what_this_very_run_has_claimed_is_given_back():
    request = ClaimRequest(
        "t", "", "c1", answers={"q": 1, "r": 2}, by=None, at=NOON, owner="me", lease=1.0, resumes={}
    )
    mine = Claim("t", "", "c1", "q", "delivered", 1, None, NOON, "me", None)
    others = [
        mine._replace(thread_id="u"), mine._replace(ns="child"), mine._replace(checkpoint_id="c0"),
        mine._replace(interrupt_id="s"), mine._replace(state="applied"), mine._replace(owner="you"),
        mine._replace(at="2026-11-20T11:00:00.000000+00:00"),
    ]  # fmt: skip

    def released(claims, error=KeyboardInterrupt()):
        steps = give_back(request, error)
        calls = [next(steps, None)]
        if calls[0] is not None:
            with suppress(StopIteration):
                calls.append(steps.send(claims))
        return calls

    asked = StoreCall("claims", ("t",))
    assert released([*others, mine]) == [asked, StoreCall("release", ("t", "", "c1", ("q",)))]
    assert released(others) == [asked]
    assert released([mine], UnsupportedValue("an answer of no kind")) == [None]


def test_a_pause_that_nobody_raised_has_no_place():
    assert _where(GraphInterrupt(())) == ", caught the pause itself"
