"""The parts that users' own savers and LangGraph's share with nbhitl's."""

import sqlite3
import uuid
from contextlib import closing

import langgraph.checkpoint.base as theirs
import pytest
from langgraph.checkpoint.memory import InMemorySaver as TheirMemory
from langgraph.checkpoint.sqlite import SqliteSaver as TheirSqlite

from nbhitl.checkpoint import base
from nbhitl.checkpoint.base import BaseCheckpointSaver, is_saver
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.stamps import new_checkpoint_id
from nbhitl.checkpoint.steps import stores_steps
from nbhitl.errors import UnsupportedValue

from .values import Point


def test_the_interface_is_langgraphs():
    public = {name for name in dir(theirs.BaseCheckpointSaver) if not name.startswith("_")}
    public -= {"get_delta_channel_history", "aget_delta_channel_history"}
    assert public <= set(dir(BaseCheckpointSaver)) | {"serde"}
    assert base.WRITES_IDX_MAP == theirs.WRITES_IDX_MAP
    assert base.CheckpointTuple._fields == theirs.CheckpointTuple._fields


@pytest.mark.parametrize(
    ("config", "metadata"),
    [
        ({"configurable": {"thread_id": "1"}}, {"source": "loop", "step": 1}),
        (
            {
                "configurable": {
                    "thread_id": "1",
                    "foo": "b\x00",
                    "__x": 1,
                    "checkpoint_id": "3",
                    "o": [],
                    "b": True,
                },
                "metadata": {"a": 1.5, "b": "mine", "c": [1]},
            },
            {"source": "loop", "step": 1, "a": "kept\x00"},
        ),
        ({"configurable": {"langgraph_step": 1, "checkpoint_ns": "", "checkpoint_map": {}, "n": None}}, {}),
    ],
)
def test_metadata_is_made_as_langgraph_makes_it(config, metadata):
    expected = theirs.get_checkpoint_metadata(config, metadata)
    assert base.get_checkpoint_metadata(config, metadata) == expected


def test_ids_grow_and_are_uuids():
    ids = [new_checkpoint_id() for _ in range(2000)]
    assert ids == sorted(set(ids))
    assert {uuid.UUID(one).version for one in ids} == {6}
    assert str(uuid.UUID(ids[0])) == ids[0]
    their = theirs.empty_checkpoint()["id"]
    assert ids[0] < their < new_checkpoint_id()


def test_an_empty_checkpoint_and_its_copy():
    empty = base.empty_checkpoint()
    assert empty.keys() == theirs.empty_checkpoint().keys() - {"pending_sends"}
    empty["channel_values"]["a"] = items = [1]
    copy = base.copy_checkpoint(empty)
    assert copy == empty
    copy["channel_values"]["b"] = 1
    assert "b" not in empty["channel_values"]
    assert copy["channel_values"]["a"] is items


def test_what_a_saver_is():
    with closing(sqlite3.connect(":memory:")) as conn:
        assert all(map(is_saver, (InMemorySaver(), TheirMemory(), TheirSqlite(conn), BaseCheckpointSaver())))
        assert not any(map(is_saver, (None, True, "memory", object(), InMemorySaver, TheirMemory)))
        assert not any(map(stores_steps, (TheirMemory(), TheirSqlite(conn), BaseCheckpointSaver())))


async def test_a_saver_that_lacks_something_says_so():
    class Half(BaseCheckpointSaver):
        def get_tuple(self, config):
            return None

    saver = Half()
    assert saver.get({"configurable": {"thread_id": "1"}}) is None
    assert (saver.get_next_version(None, None), saver.get_next_version(4, None)) == (1, 5)
    with pytest.raises(NotImplementedError, match=r"Half does not implement aget_tuple\(\).*async"):
        await saver.aget({"configurable": {"thread_id": "1"}})
    with pytest.raises(NotImplementedError, match=r"does not implement put\(\)"):
        saver.put({}, {}, {}, {})
    with pytest.raises(NotImplementedError, match="another saver"):
        saver.get_next_version("0001.0.5", None)


def test_an_allowlist_registers_classes():
    saver = BaseCheckpointSaver(serde=Serde())
    with pytest.raises(UnsupportedValue):
        saver.serde.dumps(Point(1))
    assert saver.with_allowlist([Point, ("some.module", "Name")]) is saver
    assert saver.serde.loads_typed(saver.serde.dumps_typed(Point(1))) == Point(1)
