"""Steps that wait are written by the background, and when the process ends, forks or is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from textwrap import dedent

import pytest

from nbhitl.checkpoint import _background
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite._group import (
    MOST_ROWS,
)  # fmt: skip
from nbhitl.errors import GraphRecursionError
from nbhitl.graph import START, StateGraph

from .hurrying import Number, put, stored


def test_the_background_writes_what_nobody_else_does(path):
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver)
        patience = time.monotonic() + 5
        while stored(path) != [0, 1, 2] and time.monotonic() < patience:
            time.sleep(0.002)
        assert stored(path) == [0, 1, 2]
        assert not saver._database._group.rows


def test_the_background_writes_for_a_connection_of_one_thread_and_for_a_closed_one(path):
    with closing(sqlite3.connect(path)) as conn:
        saver = SqliteSaver(conn)
        saver.setup()
        put(saver)
    del saver
    patience = time.monotonic() + 5
    while stored(path) != [0, 1, 2] and time.monotonic() < patience:
        time.sleep(0.002)
    assert stored(path) == [0, 1, 2]


def test_the_background_leaves_alone_what_is_not_due_or_in_use(saver, path):
    put(saver)
    database = saver._database
    database.write_behind(database._group.due - 1)
    assert stored(path) == []
    saver.conn.execute("BEGIN")
    database.write_behind(database._group.due + 1)
    saver.conn.execute("ROLLBACK")
    assert stored(path) == []
    database.write_behind(database._group.due + 1)
    assert stored(path) == [0, 1, 2]


def test_the_background_tries_again_after_a_failure(saver, path):
    put(saver)
    database = saver._database
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database.write_behind(database._group.due)
        assert len(database._group.rows) == 3
        other.execute("ROLLBACK")
    database.write_behind(database._group.due)
    assert stored(path) == [0, 1, 2]


def test_what_the_background_opens_is_closed_although_nobody_may_read_the_file(saver, path, monkeypatch):
    still_open = []

    class Noted(sqlite3.Connection):
        def __init__(self, *args, **how):
            still_open.append(self)
            super().__init__(*args, **how)

        def close(self):
            still_open.remove(self)
            super().close()

    put(saver)
    database = saver._database
    saver.conn.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.executescript("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE mine (a); COMMIT")
        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Noted))
        database.write_behind(database._group.due)
        assert (still_open, len(database._group.rows)) == ([], 3)
    database.write_behind(database._group.due)
    assert (still_open, stored(path)) == ([], [0, 1, 2])


def test_the_background_sleeps_where_nothing_waits(path):
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver)
    patience = time.monotonic() + 5
    while not _background.WRITER._asleep and time.monotonic() < patience:
        time.sleep(0.01)
    assert _background.WRITER._asleep
    assert not _background.WRITER._watched


def test_without_threads_steps_are_written_at_once(path, monkeypatch):
    def watch(self, late):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_background.Writer, "watch", watch)
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver)
        assert stored(path) == [0, 1, 2]


def test_steps_are_saved_at_the_end_of_the_process(path):
    """Although nobody closed the connection, and the background had no time."""
    code = """
        import sqlite3, sys
        from nbhitl.checkpoint import _background
        from nbhitl.checkpoint.sqlite import SqliteSaver, _group
        from checkpoint.waiting_steps.hurrying import put

        _background.Writer.tick = lambda self, now: None
        _group.QUICK = _group.AGE = 60.0
        closed, open = (SqliteSaver(sqlite3.connect(sys.argv[1])) for _ in range(2))
        put(closed, 3, "closed"), put(open, 3, "open")
        assert closed._database._group.rows
        closed.conn.close()
    """
    run_python(code, path)
    assert stored(path, "closed") == stored(path, "open") == [0, 1, 2]


def test_steps_that_cannot_be_saved_at_the_end_of_the_process_are_reported(path):
    code = """
        import os, sqlite3, sys
        from nbhitl.checkpoint import _background
        from nbhitl.checkpoint.sqlite import SqliteSaver, _group
        from checkpoint.waiting_steps.hurrying import put

        _background.Writer.tick = lambda self, now: None
        _group.QUICK = _group.AGE = 60.0
        saver = SqliteSaver(sqlite3.connect(sys.argv[1]))
        put(saver)
        saver.conn.close()
        for name in os.listdir(os.path.dirname(sys.argv[1])): os.remove(os.path.join(os.path.dirname(sys.argv[1]), name))
    """
    told = run_python(code, path).stderr
    assert "StoreError: The last steps were not saved. SQLite store" in told
    assert "thread 't', 3 steps not saved yet" in told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_does_not_write_the_steps_of_its_parent(path):
    code = """
        import os, sys
        from nbhitl.checkpoint import _background
        from nbhitl.checkpoint.sqlite import SqliteSaver, _group
        from checkpoint.waiting_steps.hurrying import put, stored

        _background.Writer.tick = lambda self, now: None
        _group.QUICK = _group.AGE = 60.0
        with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
            put(saver)
            child = os.fork()
            if not child:
                sys.exit(len(saver._database._group.rows))
            assert os.waitpid(child, 0)[1] == 0
            assert stored(sys.argv[1]) == []
    """
    run_python(code, path)
    assert stored(path) == [0, 1, 2]


def test_a_killed_process_leaves_a_beginning_of_what_it_did(path):
    code = """
        import sys
        from nbhitl.checkpoint.sqlite import SqliteSaver
        from nbhitl.graph import START, StateGraph
        from checkpoint.waiting_steps.hurrying import Number

        graph = StateGraph(Number).add_node("count", lambda state: {"n": state["n"] + 1})
        graph.add_edge(START, "count").add_conditional_edges("count", lambda state: "count")
        with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
            config = {"configurable": {"thread_id": "t"}, "recursion_limit": 10**9}
            for part in graph.compile(checkpointer=saver).stream({"n": 0}, config, stream_mode="values"):
                if part["n"] % 50 == 0:
                    print(part["n"], flush=True)
    """
    command = [sys.executable, "-c", spelled(code), path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        while int(victim.stdout.readline()) < 500:
            pass
        victim.send_signal(signal.SIGKILL)
        told = [int(line) for line in victim.stdout.read().split()] or [500]
    numbers = stored(path)[1:]
    assert numbers == list(range(len(numbers)))
    assert numbers[-1] >= told[-1] - MOST_ROWS


def test_a_run_that_its_limit_ends_has_saved_its_steps(path):
    graph = StateGraph(Number).add_node("a", lambda state: {"n": state["n"] + 1}).add_edge(START, "a")
    graph.add_conditional_edges("a", lambda state: "a")
    with SqliteSaver.from_conn_string(path) as saver:
        config = {"configurable": {"thread_id": "t"}, "recursion_limit": 5}
        with pytest.raises(GraphRecursionError):
            graph.compile(checkpointer=saver).invoke({"n": 0}, config)
        assert [found.values.get("n") for found in saver.history("t", "")] == [5, 4, 3, 2, 1, 0, None]


def spelled(code):
    tests = str(Path(__file__).parents[2])
    return f"import sys; sys.path.insert(0, {tests!r})\n{dedent(code)}"


def run_python(code, *args):
    return subprocess.run(
        [sys.executable, "-c", spelled(code), *args], check=True, capture_output=True, text=True
    )
