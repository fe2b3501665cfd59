"""From what a node returns to writes."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from nbhitl.constants import END, START, TASKS
from nbhitl.engine.writes import command_updates, goto_writes, routes_of, target_writes, writes_of
from nbhitl.errors import InvalidUpdateError, ParentCommand, UnknownNodeError
from nbhitl.types import Command, Overwrite, Send

from .building import State, chain, program_of

PROGRAM = chain("approve", "send")
ROOT = program_of(["approve"], (START, "approve"), schema=Annotated[list, operator.add])
GO = ("branch:to:send", None)


@dataclass
class Fields:
    last: str = ""
    total: int | None = None
    other: str = "not a key"
    log: list[str] = field(default_factory=list)


class Model(BaseModel):
    last: str | None = None
    total: int | None = None
    log: list[str] = []


def writes(returned: Any, program: Any = PROGRAM) -> list[tuple[str, Any]]:
    return writes_of(program, program.nodes["approve"], returned)


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (None, []),
        ({}, []),
        ({"last": None, "log": ["x"]}, [("last", None), ("log", ["x"])]),
        ({"last": "x", "unknown": 1}, [("last", "x")]),
        ({"log": Overwrite([])}, [("log", Overwrite([]))]),
        (Command(), []),
        (Command(update={"last": "x"}), [("last", "x")]),
        (Command(update=[("log", ["1"]), ("log", ["2"])]), [("log", ["1"]), ("log", ["2"])]),
        (Command(goto="send"), [GO]),
        (Command(update={"last": "x"}, goto="send"), [("last", "x"), GO]),
        (Command(goto=["send", "send"]), [GO, GO]),
        (Command(goto=Send("send", 1)), [(TASKS, Send("send", 1))]),
        (Command(goto=["send", Send("send", 1), END]), [GO, (TASKS, Send("send", 1))]),
        (Command(goto=END), []),
        (Send("send", 1), [(TASKS, Send("send", 1))]),
        ([{"last": "x"}, Command(update={"total": 1}, goto="send")], [("last", "x"), ("total", 1), GO]),
        ([None, Command(goto="send")], [GO]),
        (Fields("x", 1), [("log", []), ("total", 1), ("last", "x")]),
        (Model(last=None), [("log", []), ("last", None)]),
        (Model(total=1), [("log", []), ("total", 1)]),
        (Command(update=Model(last="x")), [("last", "x"), ("log", [])]),
    ],
)
def test_what_a_node_may_return(returned, expected):
    assert writes(returned) == expected


@pytest.mark.parametrize("returned", ["text", 1, True, [{"last": "x"}], ("last", "x"), b"x"])
def test_what_a_node_may_not_return(returned):
    with pytest.raises(InvalidUpdateError, match=r"Expected dict, got .* from node 'approve'"):
        writes(returned)


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (None, []),
        ([1], [("__root__", [1])]),
        ({"any": "dict"}, [("__root__", {"any": "dict"})]),
        (Command(update=[1]), [("__root__", [1])]),
    ],
)
def test_a_state_that_is_one_value_takes_any(returned, expected):
    assert writes(returned, ROOT) == expected


@pytest.mark.parametrize(
    ("returned", "where"),
    [
        (Command(goto="sned"), "node 'approve' goes on to 'sned'"),
        (Command(goto=["send", "sned"]), "node 'approve' goes on to 'sned'"),
        (Send("sned", 1), "node 'approve' sends to 'sned'"),
        (Command(goto=Send("sned", 1)), "node 'approve' sends to 'sned'"),
    ],
)
def test_a_target_that_is_no_node(returned, where):
    with pytest.raises(
        UnknownNodeError, match=f"{where}: the graph has no node 'sned'. Did you mean 'send'?"
    ):
        writes(returned)


def test_a_target_like_no_node_lists_the_nodes():
    with pytest.raises(UnknownNodeError, match="Its nodes are: approve, send"):
        writes(Command(goto="xyz"))


def test_nothing_can_be_sent_to_the_end():
    with pytest.raises(InvalidUpdateError, match="Cannot send a packet to the END node"):
        writes(Send(END, 1))


def test_a_command_for_the_graph_above_goes_there_whole():
    command = Command(graph=Command.PARENT, update={"last": "x"}, goto="anywhere")
    with pytest.raises(ParentCommand) as caught:
        writes(command)
    assert caught.value.args == (command,)


def test_routes_are_what_a_return_value_starts():
    assert routes_of(PROGRAM, "approve", {"last": "x"}) == []
    assert routes_of(PROGRAM, "approve", "anything") == []
    assert routes_of(PROGRAM, "approve", Command(goto=("send",))) == [GO]
    assert routes_of(PROGRAM, "approve", [Send("send", 1), Command(goto="send")]) == [GO]


def test_targets_one_by_one():
    assert target_writes(PROGRAM, END, "here") == []
    assert target_writes(PROGRAM, "send", "here") == [GO]
    assert goto_writes(PROGRAM, Command(), "here") == []


def test_updates_of_a_command():
    assert list(command_updates(Command())) == []
    assert dict(command_updates(Command(update=State(last="x")))) == {"last": "x"}
    assert list(command_updates(Command(update=[1, 2]))) == [("__root__", [1, 2])]
