"""Steps that wait a moment to be written together: which wait, and what is on disk when."""

from __future__ import annotations

import threading

import pytest

from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver, _group
from nbhitl.checkpoint.sqlite._group import (
    AGE,
    MOST_BYTES,
    MOST_ROWS,
    QUICK,
    Group,
    Pace,
    attached,
    needed_parents,
    threads_of,
    unstored,
)  # fmt: skip
from nbhitl.errors import StoreError
from nbhitl.graph import START, StateGraph

from ..building import Run
from ..contract import SaverContract
from .hurrying import Number, put, stored


def row(own, parent=None, *, base=None, thread="t", ns="", body=b""):
    return (thread, ns, own, parent, "now", base, 1, 0, 0, b"", body)


HERE = ("t", "")


class TestPace:
    def test_the_first_step_of_a_thread_waits_and_those_that_follow_quickly(self):
        pace = Pace()
        assert pace.may_wait(HERE, None, 10.0)
        pace.saved(HERE, 10.0)
        assert pace.may_wait(HERE, 1, 10.0 + QUICK / 2)
        assert not pace.may_wait(HERE, 1, 10.0 + QUICK * 2)

    def test_a_step_on_a_thread_that_was_there_before_is_written_at_once(self):
        assert not Pace().may_wait(HERE, 1, 10.0)

    def test_threads_and_namespaces_have_a_pace_of_their_own(self):
        pace = Pace()
        pace.saved(HERE, 10.0)
        assert not pace.may_wait(("other", ""), 1, 10.0)
        assert not pace.may_wait(("t", "other"), 1, 10.0)

    def test_what_may_not_be_text_is_written_at_once(self):
        assert not Pace().may_wait(("\udc80", ""), None, 10.0)

    def test_after_slow_nodes_some_first_steps_are_written_at_once(self):
        pace = Pace()
        pace.was_slow()
        assert [pace.may_wait(HERE, None, 10.0) for _ in range(18)] == [False] * 16 + [True] * 2


class TestGroup:
    def test_is_full_by_age_by_number_or_by_size(self):
        group = Group()
        assert not group.add(row(1), 10.0)
        assert not group.add(row(2), 10.0 + AGE / 2)
        assert group.add(row(3), 10.0 + AGE)
        group.taken()
        assert [group.add(row(number), 10.0) for number in range(MOST_ROWS)] == [False] * (MOST_ROWS - 1) + [
            True
        ]
        assert len(group.taken()) == MOST_ROWS
        assert group.add(row(1, body=bytes(MOST_BYTES)), 20.0)

    def test_what_is_put_back_comes_before_what_came_later(self):
        group = Group()
        group.add(row(1), 10.0)
        carried = group.taken()
        group.add(row(2), 10.0)
        group.put_back(carried, 0.0)
        assert group.taken() == [row(1), row(2)]


def test_parents_are_needed_from_outside_of_the_group_by_what_is_folded_from_them():
    rows = [row(2, 1, base=0), row(3, 2, base=0), row(4, 1), row(9, 8, base=7, ns="sub")]
    assert needed_parents(rows) == [("t", "", 1), ("t", "sub", 8)]
    assert threads_of([*rows, row(1, thread="u")]) == ["t", "u"]


def test_rows_that_are_stored_already_are_told_from_others_of_the_same_id():
    same, odd = row(1), row(2, body=b"other")
    assert unstored([same, row(2), row(3), row(3), row(3, body=b"x")], [same, odd]) == (
        [row(3)], [row(2), row(3, body=b"x")],
    )  # fmt: skip


def test_what_is_folded_from_a_missing_step_goes_with_it():
    rows = [row(2, 1, base=0), row(3, 2, base=0), row(4, 3), row(5, 4, base=4), row(6, 2, base=0, ns="sub")]
    assert attached(rows, [("t", "", 1)]) == rows[2:]


def hurrying(saver):
    """The same saver, to which every step is a hurried one."""
    put_step = saver.put_step

    def put(record):
        record.hurries = True
        put_step(record)

    saver.put_step = put
    return saver


class TestSqliteSaverWhoseStepsWait(SaverContract):
    kept_after_deletion = 2  # the first waited as a difference, and went with its thread

    @pytest.fixture
    def saver(self, tmp_path):
        with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
            yield hurrying(saver)

    def test_a_run_survives_that_its_thread_is_deleted_meanwhile(self, alone, run):
        super().test_a_run_survives_that_its_thread_is_deleted_meanwhile(run)

    def test_a_checkpoint_is_saved_once(self, alone, run):
        """It is a later call that says so."""
        run.step({"n": 0})
        record = run.record({"n": 1})
        for values in ({"n": 1}, {"n": 2}):
            record.values = values
            run.saver.put_step(record)
        with pytest.raises(StoreError, match="a step of 't' is stored already, with another content"):
            run.saver.threads()
        assert run.saver.load(run.key()).values == {"n": 1}


def test_steps_wait_and_are_written_with_the_next_question(saver, path):
    run = put(saver)
    assert stored(path) == []
    assert saver.load(run.key()).values == {"n": 2}
    assert stored(path) == [0, 1, 2]


@pytest.mark.parametrize(
    "look",
    [
        lambda saver: saver.flush(),
        lambda saver: saver.threads(),
        lambda saver: saver.pending(),
        lambda saver: saver.claims("another"),
        lambda saver: saver.once_entries("another"),
        lambda saver: saver.begin_once("another", "key", "me", "2026-11-20T12:00:00.000000+00:00"),
        lambda saver: list(saver.list(None)),
        lambda saver: saver.get_tuple({"configurable": {"thread_id": "t"}}),
        lambda saver: Run(saver, "another").step({"n": 0}),
        lambda saver: saver.delete_thread("another"),
    ],
)  # fmt: skip
def test_everything_else_comes_after_the_steps_that_wait(saver, path, look):
    put(saver)
    look(saver)
    assert stored(path) == [0, 1, 2]


def test_steps_of_slow_nodes_are_on_disk_before_the_next_node_starts(saver, path, monkeypatch):
    run = put(saver)
    monkeypatch.setattr(_group, "QUICK", 0.0)
    run.step({"n": 3})
    assert stored(path) == [0, 1, 2, 3]


def test_many_steps_do_not_wait_for_more(saver, path):
    run = put(saver, MOST_ROWS - 1)
    assert stored(path) == []
    run.step({"n": MOST_ROWS - 1})
    assert stored(path) == list(range(MOST_ROWS))


def test_steps_with_durability_sync_do_not_wait(saver, path):
    graph = (
        StateGraph(Number)
        .add_node("a", lambda state: {"n": 1})
        .add_edge(START, "a")
        .compile(checkpointer=saver)
    )
    seen = []
    config = {"configurable": {"thread_id": "t"}}
    for part in graph.stream({"n": 0}, config, stream_mode="checkpoints", durability="sync"):
        seen.append(len(stored(path)))
        assert part
    assert seen[-1] == 3
    assert not saver._database._group.rows


def test_steps_that_were_written_already_are_not_written_again(saver, path):
    """As after a stopped cell: the commit is done, and nobody noticed."""
    run = put(saver)
    rows = list(saver._database._group.rows)
    saver.flush()
    saver._database._group.put_back(rows, 0.0)
    run.step({"n": 3})
    assert saver.load(run.key()).values == {"n": 3}
    assert stored(path) == [0, 1, 2, 3]


def test_threads_share_a_saver(path):
    with SqliteSaver.from_conn_string(path) as saver:
        workers = [threading.Thread(target=put, args=(saver, 100, f"t{i}")) for i in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [saver.load(CheckpointKey(f"t{i}", "")).values for i in range(4)] == [{"n": 99}] * 4
    assert [stored(path, f"t{i}") for i in range(4)] == [list(range(100))] * 4
