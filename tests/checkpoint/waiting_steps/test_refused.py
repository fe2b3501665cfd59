"""Steps that wait and cannot be written, or whose thread others have changed meanwhile: none is lost or displaced."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite._group import (
    MOST_BYTES,
)  # fmt: skip
from nbhitl.errors import StoreError, UnknownInterruptError

from ..building import Run
from .hurrying import Hurried, put, stored


def test_a_change_that_is_refused_does_not_lose_the_steps_before_it(saver, path):
    put(saver)
    with pytest.raises(UnknownInterruptError):
        saver.release("another", "", "c1", ["q1"])
    assert stored(path) == []
    assert saver.load(CheckpointKey("t", "")).values == {"n": 2}
    assert stored(path) == [0, 1, 2]


def test_steps_that_cannot_be_written_wait_and_the_next_call_says_so(path, alone):
    with closing(sqlite3.connect(path, timeout=0)) as conn:
        saver = SqliteSaver(conn)
        saver.setup()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            run = put(saver)
            other.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                with pytest.raises(
                    StoreError, match=r"store\.db, thread 't', 3 steps not saved yet: .* locked\. Another"
                ):
                    saver.load(run.key())
            with pytest.raises(StoreError, match="3 steps not saved yet"):
                saver.put_step(Run(saver, "another").record({"n": 0}))
            other.execute("ROLLBACK")
            assert saver.load(run.key()).values == {"n": 2}
            assert stored(path) == [0, 1, 2]


def test_a_step_that_sqlite_never_takes_fails_its_own_run_alone(saver):
    saver.conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * MOST_BYTES)
    saver.load(CheckpointKey("t", ""))
    put(saver, 2, "before")
    with pytest.raises(StoreError, match="too big"):
        Hurried(saver, "huge").step({"n": os.urandom(3 * MOST_BYTES)})
    run = put(saver, 2, "another")
    assert saver.load(run.key()).values == {"n": 1}
    assert [thread.thread_id for thread in saver.threads()] == ["another", "before"]


def test_a_transaction_that_is_stopped_as_it_begins_is_undone(saver, monkeypatch):
    run = put(saver)
    carry, stopped = saver._database.waiting.carry, []

    def carry_and_stop(conn):
        carry(conn)
        if not stopped:
            stopped.append(conn.in_transaction)
            raise KeyboardInterrupt

    monkeypatch.setattr(type(saver._database.waiting), "carry", lambda _, conn: carry_and_stop(conn))
    with pytest.raises(KeyboardInterrupt):
        saver.load(run.key())
    assert stopped == [True]
    assert not saver.conn.in_transaction
    assert saver.load(run.key()).values == {"n": 2}


def test_steps_within_the_callers_own_transaction_are_refused(path, alone):
    with closing(sqlite3.connect(path)) as conn:
        saver = SqliteSaver(conn)
        saver.setup()
        run = put(saver)
        conn.execute("CREATE TABLE mine (a)")
        conn.execute("INSERT INTO mine VALUES (1)")
        with pytest.raises(StoreError, match=r"within a transaction. End your own transaction first"):
            run.step({"n": 3})
        conn.rollback()
        assert saver.load(CheckpointKey("t", "")).values == {"n": 2}


def test_another_step_of_the_same_id_is_an_error_and_the_others_are_saved(saver, path):
    put(saver)
    first, *others = saver._database._group.rows
    saver.flush()
    odd = (*first[:4], "another time", *first[5:])
    saver._database._group.put_back([odd, *others], 0.0)
    with pytest.raises(StoreError, match=r"a step of 't' is stored already"):
        saver.threads()
    assert [thread.thread_id for thread in saver.threads()] == ["t"]
    assert stored(path) == [0, 1, 2]


def test_steps_of_a_thread_that_another_kernel_deleted_are_gone_and_the_run_goes_on(saver, path):
    run = Hurried(saver)
    run.step({"n": 0, "text": "much " * 100})
    run.step({"n": 1})
    saver.flush()
    run.step({"n": 2})
    run.step({"n": 3})
    with SqliteSaver.from_conn_string(path) as other:
        other.delete_thread("t")
    saver.flush()
    assert stored(path) == []
    run.step({"n": 4})
    assert saver.load(run.key()).values == {"n": 4, "text": "much " * 100}
    assert stored(path) == [4]


def test_a_question_that_another_kernel_asked_meanwhile_is_over_as_without_waiting(path, alone):
    states = []
    for kind in (Run, Hurried):
        with SqliteSaver.from_conn_string(path) as saver, SqliteSaver.from_conn_string(path) as other:
            run = kind(saver, kind.__name__)
            run.step({"n": 0})
            saver.flush()
            asking = Run(other, kind.__name__)
            asking.head, asking.saved = run.head, dict(run.saved)
            run.step({"n": 1})
            waits = bool(saver._database._group.rows)
            asking.pause("q1")
            run.step({"n": 2})
            saver.flush()
            states.append((waits, [claim.state for claim in saver.claims(kind.__name__)]))
    assert states == [(False, ["dropped"]), (True, ["dropped"])]
