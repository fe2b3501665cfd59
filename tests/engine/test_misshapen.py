"""What no engine has written is told as damage, and what it may have written is not."""

from __future__ import annotations

import pytest

from nbhitl.checkpoint.records import Frame
from nbhitl.constants import INTERRUPT, NULL_TASK_ID, RESUME, SCHEDULED, TASKS
from nbhitl.engine.misshapen import refuse_misshapen
from nbhitl.errors import StoreError
from nbhitl.types import Interrupt, Send

METADATA = {"source": "loop", "step": 1, "parents": {}}
FRAME = Frame(("branch:to:a",), (Send("a", 1),), writers=("b",))
WRITES = [
    ("1", INTERRUPT, [Interrupt("really?", "i")]),
    ("1", RESUME, [["i", "", "yes"]]),
    ("1", SCHEDULED, 2),
    ("1", TASKS, Send("a", 1)),
    ("1", "log", object()),
]


def refuse(metadata=METADATA, frame=FRAME, writes=WRITES, saver=None):
    refuse_misshapen("t", "cp", metadata, frame, writes, saver)


@pytest.mark.parametrize("metadata", [METADATA, {}, {"step": -1, "parents": None}])
def test_what_the_engine_writes_is_not_damaged(metadata):
    refuse(metadata)


def test_what_a_command_wrote_may_be_anything():
    refuse(writes=[(NULL_TASK_ID, RESUME, "yes")])


@pytest.mark.parametrize("metadata", [None, [], "step", {"step": "1"}, {"step": True}, {"step": None}])
def test_metadata(metadata):
    with pytest.raises(
        StoreError, match=r"thread 't', checkpoint cp is damaged: its metadata is none\. Restore"
    ):
        refuse(metadata)


@pytest.mark.parametrize("parents", [["a"], "a", 1])
def test_checkpoints_above(parents):
    with pytest.raises(StoreError, match="its metadata names no parents"):
        refuse({"step": 1, "parents": parents})


@pytest.mark.parametrize(
    ("frame", "wrong"),
    [
        (Frame((1,)), "what runs next is no name"),
        (Frame(writers=(None,)), "what runs next is no name"),
        (Frame(sends=("a",)), "what is sent is no Send"),
        (Frame(sends=(Send(1, 1),)), "what is sent is no Send"),
    ],
)
def test_what_runs_next(frame, wrong):
    with pytest.raises(StoreError, match=wrong):
        refuse(frame=frame)


@pytest.mark.parametrize(
    ("channel", "value", "wrong"),
    [
        (1, None, "task 1 has written to what is no channel"),
        (INTERRUPT, Interrupt("really?", "i"), f"task 1 has left Interrupt as {INTERRUPT}"),
        (INTERRUPT, ["really?"], f"task 1 has left list as {INTERRUPT}"),
        (RESUME, "yes", "left str as"),
        (RESUME, [("i", "", "yes")], "left list as"),
        (RESUME, [["i", "yes"]], "left list as"),
        (RESUME, [[1, "", "yes"]], "left list as"),
        (SCHEDULED, True, "left bool as"),
        (TASKS, "a", "left str as"),
        (TASKS, Send(1, 1), "left Send as"),
    ],
)
def test_what_tasks_left(channel, value, wrong):
    with pytest.raises(StoreError, match=wrong):
        refuse(writes=[*WRITES, ("1", channel, value)])


def test_a_saver_of_ours_is_named():
    class Named:
        def _name_store(self, error):
            error.args = (f"SQLite x.db: {error}",)

    with pytest.raises(StoreError, match=r"^SQLite x.db: thread 't'"):
        refuse(None, saver=Named())
