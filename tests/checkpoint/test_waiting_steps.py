"""Steps that wait a moment to be written together: which wait, who writes them, and that none is lost or displaced."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from textwrap import dedent
from typing import TypedDict

import pytest

from nbhitl.checkpoint import _behind
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
from nbhitl.errors import GraphRecursionError, StoreError, UnknownInterruptError
from nbhitl.graph import START, StateGraph

from .building import Run
from .contract import SaverContract


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


class Hurried(Run):
    """A run whose steps need not be on disk before the next one."""

    def record(self, *args, **how):
        record = super().record(*args, **how)
        record.hurries = True
        return record


class Number(TypedDict):
    n: int


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


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "store.db")


@pytest.fixture
def alone(monkeypatch):
    """Nobody writes steps in the background, and none waits too long, however slow the machine is."""
    monkeypatch.setattr(_behind.Writer, "watch", lambda self, late: None)
    monkeypatch.setattr(_group, "QUICK", 60.0)
    monkeypatch.setattr(_group, "AGE", 60.0)


@pytest.fixture
def saver(path, alone):
    with SqliteSaver.from_conn_string(path) as saver:
        saver.setup()
        yield saver


def stored(path, thread="t"):
    """The states of a thread that the file holds."""
    with SqliteSaver.from_conn_string(path) as other:
        return [found.values.get("n") for found in other.history(thread, "")][::-1]


def put(saver, count=3, thread="t"):
    run = Hurried(saver, thread)
    for n in range(count):
        run.step({"n": n})
    return run


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


def test_a_change_that_is_refused_does_not_lose_the_steps_before_it(saver, path):
    put(saver)
    with pytest.raises(UnknownInterruptError):
        saver.release("another", "", "c1", ["q1"])
    assert stored(path) == []
    assert saver.load(CheckpointKey("t", "")).values == {"n": 2}
    assert stored(path) == [0, 1, 2]


def test_steps_that_cannot_be_written_wait_and_the_next_call_says_so(path, alone):
    conn = sqlite3.connect(path, timeout=0)
    saver = SqliteSaver(conn)
    saver.setup()
    other = sqlite3.connect(path, isolation_level=None)
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
    other.close()
    conn.close()


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
    conn = sqlite3.connect(path)
    saver = SqliteSaver(conn)
    saver.setup()
    run = put(saver)
    conn.execute("CREATE TABLE mine (a)")
    conn.execute("INSERT INTO mine VALUES (1)")
    with pytest.raises(StoreError, match=r"within a transaction. End your own transaction first"):
        run.step({"n": 3})
    conn.rollback()
    assert saver.load(CheckpointKey("t", "")).values == {"n": 2}
    conn.close()


def test_steps_that_were_written_already_are_not_written_again(saver, path):
    """As after a stopped cell: the commit is done, and nobody noticed."""
    run = put(saver)
    rows = list(saver._database._group.rows)
    saver.flush()
    saver._database._group.put_back(rows, 0.0)
    run.step({"n": 3})
    assert saver.load(run.key()).values == {"n": 3}
    assert stored(path) == [0, 1, 2, 3]


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


def test_the_background_writes_what_nobody_else_does(path):
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver)
        patience = time.monotonic() + 5
        while stored(path) != [0, 1, 2] and time.monotonic() < patience:
            time.sleep(0.002)
        assert stored(path) == [0, 1, 2]
        assert not saver._database._group.rows


def test_the_background_writes_for_a_connection_of_one_thread_and_for_a_closed_one(path):
    conn = sqlite3.connect(path)
    saver = SqliteSaver(conn)
    saver.setup()
    put(saver)
    conn.close()
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
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database.write_behind(database._group.due)
    assert len(database._group.rows) == 3
    other.execute("ROLLBACK")
    other.close()
    database.write_behind(database._group.due)
    assert stored(path) == [0, 1, 2]


def test_the_background_sleeps_where_nothing_waits(path):
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver)
    patience = time.monotonic() + 5
    while not _behind.WRITER._asleep and time.monotonic() < patience:
        time.sleep(0.01)
    assert _behind.WRITER._asleep
    assert not _behind.WRITER._watched


def test_without_threads_steps_are_written_at_once(path, monkeypatch):
    def watch(self, late):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_behind.Writer, "watch", watch)
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver)
        assert stored(path) == [0, 1, 2]


def test_threads_share_a_saver(path):
    with SqliteSaver.from_conn_string(path) as saver:
        workers = [threading.Thread(target=put, args=(saver, 100, f"t{i}")) for i in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [saver.load(CheckpointKey(f"t{i}", "")).values for i in range(4)] == [{"n": 99}] * 4
    assert [stored(path, f"t{i}") for i in range(4)] == [list(range(100))] * 4


def test_steps_are_saved_at_the_end_of_the_process(path):
    """Although nobody closed the connection, and the background had no time."""
    code = """
        import sqlite3, sys
        from nbhitl.checkpoint import _behind
        from nbhitl.checkpoint.sqlite import SqliteSaver, _group
        from checkpoint.test_waiting_steps import put

        _behind.Writer.tick = lambda self, now: None
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
        from nbhitl.checkpoint import _behind
        from nbhitl.checkpoint.sqlite import SqliteSaver, _group
        from checkpoint.test_waiting_steps import put

        _behind.Writer.tick = lambda self, now: None
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
        from nbhitl.checkpoint import _behind
        from nbhitl.checkpoint.sqlite import SqliteSaver, _group
        from checkpoint.test_waiting_steps import put, stored

        _behind.Writer.tick = lambda self, now: None
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
        from checkpoint.test_waiting_steps import Number

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
    tests = os.path.dirname(os.path.dirname(__file__))
    return f"import sys; sys.path.insert(0, {tests!r})\n{dedent(code)}"


def run_python(code, *args):
    return subprocess.run(
        [sys.executable, "-c", spelled(code), *args], check=True, capture_output=True, text=True
    )
