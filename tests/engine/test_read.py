"""What a node gets of the state, and what its edges look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from nbhitl.channels import LastValue, Topic
from nbhitl.constants import START
from nbhitl.engine.program import Reader
from nbhitl.engine.read import read_state, with_writes
from nbhitl.types import Overwrite

from .building import State, chain, program_of

VALUES: dict[str, Any] = {"log": ["x"], "total": 2, "last": None}


@dataclass
class Part:
    total: int
    last: str | None


class StepsLeft:
    """A managed value, filled in by the engine."""

    @staticmethod
    def get(scratchpad: Any) -> int:
        return scratchpad.stop - scratchpad.step


@pytest.mark.parametrize(
    ("reader", "state"),
    [
        (Reader(None), VALUES),
        (Reader(("total", "unset")), {"total": 2}),
        (Reader(("last", "total"), lambda state: Part(**state)), Part(2, None)),
        (Reader(None, managed=(("left", StepsLeft),)), {**VALUES, "left": 7}),
    ],
    ids=["whole", "some keys", "built", "managed"],
)
def test_what_a_node_gets(reader, state):
    assert read_state(reader, VALUES, 3, 10) == state


def test_a_state_that_is_one_value():
    assert read_state(Reader(None, root=True), {"__root__": [1]}, 0, 1) == [1]
    assert read_state(Reader(None, root=True), {}, 0, 1) is None


def test_a_node_gets_a_dict_of_its_own():
    read_state(Reader(None), VALUES, 0, 1)["more"] = 1
    assert "more" not in VALUES


CHAIN = chain("a")


@pytest.mark.parametrize(
    ("writes", "changed"),
    [
        ([], {}),
        ([("log", ["y"]), ("log", ["z"]), ("total", 3)], {"log": ["x", "y", "z"], "total": 5}),
        ([("last", "new")], {"last": "new"}),
        ([("log", Overwrite(["y"]))], {"log": ["y"]}),
        ([("last", Overwrite("new"))], {"last": Overwrite("new")}),
        ([("branch:to:a", None), ("unknown", 1)], {}),
    ],
)
def test_edges_look_at_the_state_with_the_tasks_own_writes(writes, changed):
    assert with_writes(CHAIN, VALUES, writes) == {**VALUES, **changed}
    assert VALUES == {"log": ["x"], "total": 2, "last": None}


def test_a_key_that_was_never_written_starts_from_its_first_write():
    assert with_writes(CHAIN, {}, [("log", ["y"])]) == {"log": ["y"]}


def test_keys_that_are_channel_objects_are_read_through_them():
    class Topics(State):
        items: Annotated[list[int], Topic(int, accumulate=True)]
        plain: Annotated[int, LastValue]

    program = program_of("a", (START, "a"), schema=Topics)
    state = with_writes(program, {"items": [1]}, [("items", 2), ("plain", 3)])
    assert (state["items"], state["plain"]) == ([1, 2], 3)
