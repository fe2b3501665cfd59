"""Lists of which some items were edited: what is stored of them, and that nothing is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage

from nbhitl.checkpoint._edits import edited, edits_between
from nbhitl.checkpoint.bundle import export_thread, import_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import BundleError, StoreError
from nbhitl.graph import START, MessagesState, StateGraph
from nbhitl.graph.message import REMOVE_ALL_MESSAGES, add_messages
from nbhitl.types import Overwrite

from .building import Run
from .test_growth import ITEM

CONFIG: Any = {"configurable": {"thread_id": "t"}}


class Item:
    """Equal to all others, as messages of one content are: what counts is which object it is."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item)

    __hash__ = object.__hash__


OLD = [Item() for _ in range(8)]


def test_a_list_of_which_more_than_half_has_come_anew_is_stored_whole():
    half = [*OLD[:2], Item(), Item()]
    assert edits_between(OLD[:2], half, ()) == [[2, 0, half[2:]]]
    assert edits_between(OLD[:1], [OLD[0], Item(), Item()], ()) is None


@given(st.lists(st.integers(-4, 7), max_size=14), st.sets(st.integers(0, 7)))
def test_edits_make_the_new_list_of_the_old(places, changed):
    """A place below 0 is an item that was not there."""
    new = [OLD[place] if place >= 0 else Item() for place in places]
    edits = edits_between(OLD, new, {id(OLD[place]) for place in changed})
    if edits is None:
        kept = {id(item) for item in OLD}
        assert (
            sum(id(item) not in kept for item in new) * 2 > len(new)
            or places != sorted(set(places))
            or changed
        )
        return
    assert [*map(id, edited(OLD, edits))] == [*map(id, new)]
    came = {id(item) for _, _, items in edits for item in items}
    assert came.issuperset(id(OLD[place]) for place in changed if place in places)


def test_edits_tell_what_has_changed_and_no_more():
    a, b, c, d, e = "abcde"
    assert edits_between([a, b, c, d], [a, b, c, d]) == []
    assert edits_between([a, b, c, d], [a, e, c, d]) == [[1, 1, [e]]]
    assert edits_between([a, b, c, d], [b, c, d, e]) == [[0, 1, []], [4, 0, [e]]]
    assert edits_between([a, b, c, d], [a, b, c, d], {id(c)}) == [[2, 1, [c]]]
    assert edits_between([a, b, c, d], []) == [[0, 4, []]]
    assert edits_between([a, b], [c, d]) is None


@pytest.mark.parametrize(
    "edits",
    [
        [[0, 9, []]],
        [[2, 1, []], [1, 1, []]],
        [[-1, 1, []]],
        [[0, -1, []]],
        [[0, 1, "abc"]],
        [[0, 1]],
        [7],
        "ab",
    ],
)
def test_edits_of_another_list_are_damage(edits):
    with pytest.raises((TypeError, ValueError)):
        edited(["a", "b"], edits)


class Chat:
    """A conversation of which each turn does what it is told, and the messages that it should have by now."""

    def __init__(self, saver: Any, **options: Any) -> None:
        self.expected: list[Any] = []
        builder = StateGraph(MessagesState)
        builder.add_node("edit", lambda state: {"messages": self.update(state["messages"])})
        self.graph = builder.add_edge(START, "edit").compile(checkpointer=saver)
        self.options = options

    def turn(self, number: int, action: str, place: int) -> None:
        self.number, self.action, self.place = number, action, place
        given = HumanMessage(f"question {number}", id=f"q{number}")
        self.expected = add_messages(self.expected, [given])
        result = self.graph.invoke({"messages": [given]}, CONFIG, **self.options)
        assert result["messages"] == self.expected

    def update(self, messages: list[Any]) -> Any:
        assert messages == self.expected
        if self.action == "swap":  # in place, which no reducer hears of, and beside it an edit
            messages[0], messages[-1] = messages[-1], messages[0]
            self.expected[0], self.expected[-1] = self.expected[-1], self.expected[0]
        old = messages[self.place % len(messages)]
        answer = AIMessage(f"answer {self.number}", id=f"a{self.number}")
        update: Any = {
            "add": [answer],
            "edit": [type(old)(f"edited {self.number}", id=old.id), answer],
            "swap": [type(old)(f"swapped {self.number}", id=old.id)],
            "same": [old, answer],
            "remove": [RemoveMessage(id=old.id)],
            "half": [RemoveMessage(id=message.id) for message in messages[: len(messages) // 2]],
            "all": [RemoveMessage(id=REMOVE_ALL_MESSAGES), answer],
            "anew": Overwrite([*messages[::2], answer]),
        }[self.action]
        if self.action == "same":  # changed in place, and given back: so it counts
            old.content = f"changed {self.number}"
        if self.action == "anew":
            self.expected = [*self.expected[::2], answer]
        else:
            self.expected = add_messages(self.expected, update)
        self.expected = [message.model_copy() for message in self.expected]
        return update


ACTIONS = st.sampled_from(["add", "add", "edit", "edit", "swap", "same", "remove", "half", "all", "anew"])
TURNS = st.lists(st.tuples(ACTIONS, st.integers(0, 60)), min_size=1, max_size=12)


@settings(max_examples=25, deadline=None)
@given(TURNS, st.sampled_from(["sync", "async", "exit"]), st.integers(0, 45))
def test_whatever_becomes_of_messages_is_found_by_another_saver(turns, durability, before):
    with closing(sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)) as file:
        found_by_another_saver(file, turns, durability, before)


def found_by_another_saver(
    file: sqlite3.Connection, turns: list[tuple[str, int]], durability: str, before: int
) -> None:
    savers = SqliteSaver(file), InMemorySaver()
    states: list[list[Any]] = [[], []]
    for saver, history in zip(savers, states, strict=True):
        chat = Chat(saver, durability=durability)
        chat.graph.update_state(
            CONFIG, {"messages": [HumanMessage(str(n), id=str(n)) for n in range(before)]}, as_node="edit"
        )
        chat.expected = [*chat.graph.get_state(CONFIG).values["messages"]]
        for number, (action, place) in enumerate(turns):
            chat.turn(number, action, place)
        history += [snapshot.values for snapshot in chat.graph.get_state_history(CONFIG)]
        assert history[0]["messages"] == chat.expected
    assert states[0] == states[1]
    fresh, other = SqliteSaver(file), InMemorySaver()
    assert [snapshot.values for snapshot in Chat(fresh).graph.get_state_history(CONFIG)] == states[0]
    import_thread(other, export_thread(fresh, "t"))
    assert [snapshot.values for snapshot in Chat(other).graph.get_state_history(CONFIG)] == states[0]


def test_a_chat_that_edits_and_forgets_takes_what_was_edited(tmp_path):
    path = tmp_path / "chat.db"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        chat = Chat(saver)
        chat.graph.update_state(
            CONFIG,
            {"messages": [HumanMessage(ITEM.format(n), id=str(n)) for n in range(200)]},
            as_node="edit",
        )
        chat.expected = [*chat.graph.get_state(CONFIG).values["messages"]]
        for number in range(100):
            chat.turn(number, "edit" if number % 2 else "remove", number * 37)
        rows = saver._rows.steps_newest_first("t", "", None)
        deltas = [len(row.body) for row in rows if not row.is_whole]
        assert len(deltas) > 190
        assert max(deltas) < 1500
        saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert path.stat().st_size < 250_000


def damaged_bundle(change: Any) -> dict[str, Any]:
    from nbhitl.checkpoint import bundle as bundles

    run = Run(InMemorySaver())
    run.step({"items": (items := ["a", "b", "c", "d"])})
    run.step(edited={"items": items[1:]})
    bundle = export_thread(run.saver, "t")
    change(bundle["checkpoints"][-1]["body"])
    bundle["sha256"] = bundles._hash(bundle)
    return bundle


@pytest.mark.parametrize(
    "edits", [[["items", 7]], {"items": [[0, 9, []]]}, {"others": [[0, 1, []]]}, {"items": 7}, 7]
)
def test_edits_that_do_not_fit_are_refused_with_their_bundle(edits):
    assert import_thread(InMemorySaver(), damaged_bundle(lambda body: None)) == "t"
    with pytest.raises(BundleError, match="damaged"):
        import_thread(InMemorySaver(), damaged_bundle(lambda body: body.update(edits=edits)))


def test_edits_that_do_not_fit_are_damage_of_a_store():
    saver = InMemorySaver()
    run = Run(saver)
    run.step({"items": (items := ["a", "b", "c", "d"])})
    run.step(edited={"items": items[1:]})
    row = saver._rows.step("t", "", None)
    for edits in ({"items": [[0, 9, []]]}, {"others": [[0, 1, []]]}, 7, None):
        body = saver.serde.loads(row.body)
        body[-1] = edits
        saver._rows.insert_step(row._replace(body=saver.serde.dumps(body)), replace=True)
        for read in (
            lambda: saver.load(run.key(run.head)),
            lambda: [*saver.history("t", "")],
            lambda: [*saver.outline("t", "")],
        ):
            with pytest.raises(StoreError, match=r"thread 't'.* damaged.*Restore"):
                read()
