"""add_messages merges as LangGraph's does, and tells what it appended."""

from __future__ import annotations

import copy
from functools import wraps

import langgraph.graph.message as theirs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

import nbhitl.graph.message as ours
from nbhitl._messages import HumanMessage as LightHumanMessage
from nbhitl.channels import BinaryOperatorAggregate
from nbhitl.engine.keys import KeyRule
from nbhitl.graph.message import REMOVE_ALL_MESSAGES, add_messages, appended_messages, grown_messages

H, A, R = HumanMessage, AIMessage, RemoveMessage
CLEAR = R(id=REMOVE_ALL_MESSAGES)


def outcome(reducer, left, right, **how):
    """What a reducer made of copies of these lists; fresh ids read as 'new'."""
    known = {getattr(m, "id", None) for m in [*listed(left), *listed(right)]}
    try:
        merged = reducer(copy.deepcopy(left), copy.deepcopy(right), **how)
    except Exception as error:
        return type(error), str(error).split("\n")[0]
    return [(type(m), m.model_dump() | {"id": m.id if m.id in known else "new"}) for m in merged]


def listed(value):
    return value if isinstance(value, list) else [value]


CASES = {
    "text": ([], "hi"),
    "texts": ("a", ["b", ("ai", "c"), ["human", "q"], {"role": "user", "content": "d"}]),
    "pair alone": ([], ("user", "hello")),
    "dict alone": ([], {"role": "user", "content": "d", "id": "7"}),
    "all roles": ([], [(r, "x") for r in ("user", "human", "assistant", "ai", "system", "developer")]),
    "serialised": ([], H("x").to_json()),
    "message alone": (H("a", id="1"), A("b", id="2")),
    "replace": ([H("a", id="1"), A("b", id="2")], [A("B", id="2"), H("c", id="3")]),
    "replace by another type": ([H("a", id="1")], [A("B", id="1")]),
    "twice in right": ([H("a", id="1")], [A("B", id="2"), H("c", id="2")]),
    "twice in left": ([H("a", id="1"), H("b", id="1")], [A("B", id="1")]),
    "twice in left, other": ([H("a", id="1"), H("b", id="1")], [A("B", id="4")]),
    "remove": ([H("a", id="1"), A("b", id="2")], [R(id="1")]),
    "remove both": ([H("a", id="1"), H("b", id="1")], [R(id="1")]),
    "remove and add": ([H("a", id="1"), A("b", id="2")], [R(id="1"), H("new", id="1")]),
    "add and remove": ([H("a", id="1"), A("b", id="2")], [H("new", id="1"), R(id="1")]),
    "add new and remove": ([H("a", id="1")], [H("new", id="5"), R(id="5")]),
    "add, remove, add": ([H("a", id="1")], [H("n", id="5"), R(id="5"), H("m", id="5")]),
    "remove twice": ([H("a", id="1")], [R(id="1"), R(id="1")]),
    "remove unknown": ([H("a", id="1")], [R(id="9")]),
    "remove all": ([H("a", id="1")], [H("x", id="7"), CLEAR, H("z", id="8")]),
    "remove all twice": ([H("a", id="1")], [H("x", id="7"), CLEAR, H("z", id="8"), CLEAR, H("y"), R(id="9")]),
    "a removal in left": ([H("a", id="1"), R(id="1")], []),
    "no ids": ([H("a"), A("b")], [H("c")]),
    "chunks": ([AIMessageChunk("a", id="1")], [AIMessageChunk("b", id="2"), AIMessageChunk("c")]),
    "tools": ([A("", id="1")], [ToolMessage("r", tool_call_id="2", artifact={"z": 1}, status="error")]),
    "nothing": ([], []),
    "number id": ([], {"role": "user", "content": "a", "id": 3}),
    "a number": ([], 3),
    "None inside": ([], [None]),
    "unknown role": ([], [("zork", "1")]),
    "three": ([], [("user", "1", "2")]),
    "no role": ([], {"content": "x"}),
    "removal as dict": ([H("a", id="1")], {"role": "remove", "content": "d", "id": "1"}),
    "bad tool arguments": (
        [],
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{"}}],
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_same_as_langgraph(name):
    left, right = CASES[name]
    assert outcome(add_messages, left, right) == outcome(theirs.add_messages, left, right)


def test_the_openai_format_is_the_same():
    image = {"type": "base64", "media_type": "image/jpeg", "data": "1234"}
    content = [{"type": "text", "text": "x", "cache_control": 1}, {"type": "image", "source": image}]
    right = [{"role": "user", "content": content}, ("ai", "y")]
    how = {"format": "langchain-openai"}
    assert outcome(add_messages, [H("q")], right, **how) == outcome(
        theirs.add_messages, [H("q")], right, **how
    )
    assert add_messages(format="langchain-openai")([], "x")[0].content == "x"
    with pytest.raises(
        ValueError, match=r"Unrecognized format='zz'\. Expected one of 'langchain-openai', None"
    ):
        add_messages([], ["a"], format="zz")


@pytest.mark.parametrize("lists", [(["a"], None), (None, ["a"])])
def test_one_list_alone_is_an_error(lists):
    with pytest.raises(ValueError, match="Must specify non-null arguments for both 'left' and 'right'"):
        add_messages(*lists)


def test_messages_are_named_where_the_caller_sees_it():
    """Nodes look at the ids of what they returned; what is already in the state is left alone."""
    new, old = H("x"), H("y")
    merged = add_messages([old], [new])
    assert new.id
    assert merged[1] is new
    assert old.id is None
    assert merged[0].id
    assert merged[0].content == "y"


def test_light_messages_become_langchains():
    assert type(add_messages([], [LightHumanMessage("a", id="1")])[0]) is HumanMessage
    assert type(add_messages([LightHumanMessage("a", id="1")], [])[0]) is HumanMessage


ids = st.sampled_from([None, "1", "2", "3", "4", "5"])
some = st.one_of(
    st.tuples(st.sampled_from([H, A]), st.text(max_size=2), ids).map(lambda t: t[0](t[1], id=t[2])),
    st.sampled_from(["1", "2", "3", REMOVE_ALL_MESSAGES]).map(lambda id: R(id=id)),
    st.text(max_size=2),
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(some, max_size=4), st.lists(some, max_size=5))
def test_random_lists_merge_the_same(left, right):
    assert outcome(add_messages, left, right) == outcome(theirs.add_messages, left, right)


def test_an_old_message_that_was_renamed_in_place_is_not_taken_for_another():
    """Swapped to the end, renamed there, and swapped back: the list begins as one that is remembered."""
    start = [H(str(n), id=str(n)) for n in range(40)]
    for add in (add_messages, theirs.add_messages):
        state = add(copy.deepcopy(start), [H("more", id="40")])
        state[0], state[-1] = state[-1], state[0]
        state[-1].id = "7"
        state[0], state[-1] = state[-1], state[0]
        merged = add(state, [H("new", id="0")])
        assert [merged[0].content, merged[-1].content, len(merged)] == ["0", "new", 42]


turns = st.lists(
    st.tuples(
        st.lists(
            st.one_of(
                st.sampled_from([None, *map(str, range(50))]).map(lambda id: H("new", id=id)),
                st.sampled_from([str(n) for n in range(50)]).map(lambda id: R(id=id)),
            ),
            min_size=1,
            max_size=3,
        ),
        st.sampled_from(["keep", "append", "pop", "swap", "rename"]),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@example(
    [
        ([H("new")], "keep"),
        ([H("new")], "swap"),
        ([H("new", id="9")], "pop"),
        ([R(id="0")], "rename"),
        ([H("new", id="0")], "swap"),
    ]
)
@given(turns)
def test_a_long_conversation_stays_the_same_however_its_list_is_treated(turns):
    """Long lists are remembered between merges; changes behind our back must not lead to a wrong merge."""
    start = [H(str(n), id=str(n)) for n in range(40)]
    mine, reference = add_messages([], copy.deepcopy(start)), theirs.add_messages([], copy.deepcopy(start))
    for new, change in turns:
        for state in (mine, reference):
            tamper(state, change)
        results = []
        for reducer, state in ((add_messages, mine), (theirs.add_messages, reference)):
            try:
                results.append(reducer(state, copy.deepcopy(new)))
            except ValueError as error:
                results.append(str(error))
        assert shape(results[0]) == shape(results[1])
        if isinstance(results[0], list):
            mine, reference = results


def tamper(state, change):
    """Change a state's list in place, as a careless node might."""
    if change == "append":
        state.append(H("sneaked in", id=f"s{len(state)}"))
    elif change == "pop" and state:
        state.pop()
    elif change == "swap" and len(state) > 2:
        state[0], state[-1] = state[-1], state[0]
    elif change == "rename" and state:
        state[-1].id = "7"


def shape(result):
    if isinstance(result, str):
        return result
    return [(type(m), m.content, m.id if len(m.id) < 10 else "new") for m in result]


def test_contents_that_refuse_to_be_compared_do_not_matter():
    class Refuses:
        def __eq__(self, other):
            raise RuntimeError("not comparable")

        __hash__ = None

    state = [ToolMessage("r", tool_call_id="1", id=str(n), artifact=Refuses()) for n in range(40)]
    state = add_messages(state, "a")
    other = [state[0], *(m.model_copy() for m in state[1:20]), state[20], *state[21:]]
    assert len(add_messages(other, "b")) == 42


# -- what the store is told ---------------------------------------------------------------------------------


def appended(left, right):
    old = add_messages([], left)
    return appended_messages(old, add_messages(old, right), right)


def test_appending_is_told_as_such():
    tail = appended([H("a", id="1")], ["x", H("b", id="2"), ("ai", "c"), {"role": "user", "content": "d"}])
    assert [m.content for m in tail] == ["x", "b", "c", "d"]
    assert appended([H("a", id="1")], []) == []
    assert [m.content for m in appended([], "x")] == ["x"]


@pytest.mark.parametrize(
    "right",
    [
        [H("b", id="1")],
        [R(id="1")],
        [CLEAR],
        [CLEAR, H("x")],
        ["x", H("b", id="1")],
        {"role": "user", "content": "b", "id": "1"},
        [H("n", id="5"), R(id="5")],
    ],
    ids=repr,
)
def test_everything_else_is_not(right):
    assert appended([H("a", id="1"), A("z", id="2")], right) is None


def test_a_message_that_was_changed_in_place_and_returned_is_not_an_append():
    old = add_messages([], [H("a", id="1"), A("b", id="2")])
    old[1].content = "edited"
    update = [old[1], H("c")]
    assert appended_messages(old, add_messages(old, update), update) is None


def test_messages_of_the_state_that_got_an_id_are_not_an_append():
    old = [SystemMessage("was put there without an id")]
    assert appended_messages(old, add_messages(old, "x"), "x") is None


def test_several_writes_of_one_step():
    old = add_messages([], [H("a", id="1")])
    writes = [[H("b")], ["c"], [A("d", id="9")]]
    new = old
    for write in writes:
        new = add_messages(new, write)
    assert [[m.content for m in appended_messages(old, new, write)] for write in writes] == [
        ["b", "c", "d"]
    ] * 3
    replacing = [H("again", id="1")]
    assert appended_messages(old, add_messages(new, replacing), replacing) is None


def test_the_engine_finds_it():
    assert ours.add_messages.__appended__ is appended_messages


@pytest.mark.parametrize("size", [0, 3, 40])
def test_a_list_of_the_engines_own_grows_where_it_is(size):
    said = [A(f"m{n}", id=str(n)) for n in range(size)]
    for update in ["x", [H("b"), {"role": "user", "content": "c", "id": "c"}], A("d", id="d")]:
        expected = [m.content for m in add_messages(said, update)]
        merged, tail = grown_messages(said, update)
        assert merged is said
        assert [m.content for m in merged] == expected
        assert tail == merged[len(merged) - len(tail) :]
        assert tail


@pytest.mark.parametrize("size", [1, 40])
@pytest.mark.parametrize(
    "update", [[H("again", id="0")], [R(id="0")], [CLEAR, H("x", id="x")], [H("a", id="9"), H("b", id="9")]]
)
def test_what_is_more_than_an_append_leaves_the_list_alone(size, update):
    said = [A(f"m{n}", id=str(n)) for n in range(size)]
    before = said.copy()
    merged, tail = grown_messages(said, update)
    assert said == before
    assert merged is not said
    assert merged == add_messages(before, update)
    assert tail == appended_messages(before, merged, update)


def test_messages_of_the_state_without_an_id_leave_the_list_alone():
    said = [SystemMessage("was put there without an id")]
    merged, tail = grown_messages(said, "x")
    assert (len(said), said[0].id, len(merged), tail) == (1, None, 2, None)


def test_the_engine_does_not_pass_over_a_reducer_around_it():
    assert ours.add_messages.__grown__ == (ours.add_messages, grown_messages)
    rule = KeyRule("messages", BinaryOperatorAggregate(list, wraps(add_messages)(lambda left, right: right)))
    assert rule.grown is None
    assert KeyRule("messages", BinaryOperatorAggregate(list, add_messages)).grown is grown_messages
