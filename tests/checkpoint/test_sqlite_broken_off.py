"""Transactions on SQLite that fail or that Ctrl-C breaks off leave nothing."""

import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from nbhitl.checkpoint.sqlite import SqliteSaver, _changed_rows
from nbhitl.errors import StoreError

from .building import NOON, Run

DRIVER = str(Path(_changed_rows.__file__).parent)


class Interrupted(sqlite3.Connection):
    """A connection that Ctrl-C interrupts right before or after a statement."""

    before = after = ""

    def execute(self, sql, *values):
        if sql == self.before:
            self.before = ""
            raise KeyboardInterrupt
        done = super().execute(sql, *values)
        if sql == self.after:
            self.after = ""
            raise KeyboardInterrupt
        return done


def interrupted(*given, **how):
    raise KeyboardInterrupt


NEXT = {
    "a step": lambda run: run.step({"n": 2}),
    "a pause": lambda run: run.pause("q"),
    "a read": lambda run: run.saver.load(run.key()),
}


@pytest.mark.parametrize("then", NEXT)
@pytest.mark.parametrize("when", ["begun", "before its end", "not committed", "committed"])
def test_ctrl_c_leaves_no_transaction_open(tmp_path, monkeypatch, when, then):
    how = {"factory": Interrupted, "isolation_level": None, "check_same_thread": False}
    with closing(sqlite3.connect(tmp_path / "store.db", **how)) as conn:
        run = Run(SqliteSaver(conn))
        run.step({"n": 1})
        run.saver.load(run.key())
        conn.after = {"begun": "BEGIN IMMEDIATE", "committed": "COMMIT"}.get(when, "")
        conn.before = "COMMIT" if when == "not committed" else ""
        if when == "before its end":
            monkeypatch.setattr(run.saver._database, "end", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run.pause("interrupted")
        monkeypatch.undo()
        NEXT[then](run)
        assert not conn.in_transaction
        other = threading.Thread(target=run.saver.load, args=(run.key(),), daemon=True)
        other.start()
        other.join(20)
        assert not other.is_alive()
        asked = ["interrupted"] if when == "committed" and then != "a step" else []
        assert [q.interrupt_id for q in run.saver.pending()] == asked + ["q"] * (then == "a pause")


class CtrlC:
    """Raises KeyboardInterrupt where Python lets a signal do so, in the driver: after the n-th call of a function of
    Python's own, or at the beginning of one of the driver's.
    """

    def __init__(self, number):
        self.left, self.place = number, None

    def __call__(self, frame, event, argument):
        code = frame.f_code
        if event not in ("c_return", "call") or not code.co_filename.startswith(DRIVER):
            return
        if self.left == 0:
            sys.setprofile(None)
            self.place = code.co_name, event
            raise KeyboardInterrupt
        self.left -= 1


def broken_off(saver, act, number):
    """Act, broken off at a point; return where that was, None if there are not so many."""
    at = CtrlC(number)
    sys.setprofile(at)
    try:
        act(saver)
    except KeyboardInterrupt:
        assert at.place is not None
    finally:
        sys.setprofile(None)
    return at.place


ACTS = {
    "the first call": lambda saver: saver.delete_thread("t"),
    "an answer": lambda saver: saver.record_answer(*saver.pending()[0][:4], "yes", "ann", NOON),
    "waiting steps": lambda saver: saver.load(saver.run.key()),
}


@pytest.mark.parametrize("act", ACTS)
def test_wherever_ctrl_c_comes_other_threads_and_kernels_go_on(tmp_path, act):
    number = 0
    while True:
        path = str(tmp_path / f"{number}.db")
        with SqliteSaver.from_conn_string(path) as saver:
            if act != "the first call":
                saver.run = Run(saver)
                saver.run.step({"n": 1})
                saver.run.pause("q")
                saver.pending()
            place = broken_off(saver, ACTS[act], number)
            if place is None:
                break
            if place == ("__exit__", "call"):
                saver.delete_thread(
                    "another"
                )  # there nobody is left to clear up but this thread's next change
            assert not saver.conn.in_transaction, place
            with ThreadPoolExecutor(1) as others:
                others.submit(saver.threads).result(20)
        with SqliteSaver.from_conn_string(path) as other:
            other.delete_thread("t")
        number += 1
    assert number > (5 if act == "waiting steps" else 20)


def test_ctrl_c_while_another_thread_saves_leaves_that_alone(tmp_path, monkeypatch):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 1})
        add_writes, is_open, go_on = saver._rows.add_writes, threading.Event(), threading.Event()

        def slowly(rows):
            add_writes(rows)
            is_open.set()
            go_on.wait(20)

        monkeypatch.setattr(saver._rows, "add_writes", slowly)
        other = threading.Thread(target=run.pause, args=("q",), daemon=True)
        other.start()
        is_open.wait(20)
        monkeypatch.setattr(saver._database, "begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            saver.delete_thread("t")
        monkeypatch.undo()
        go_on.set()
        other.join(20)
        assert [q.interrupt_id for q in saver.pending()] == ["q"]


def test_a_failed_transaction_leaves_nothing(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 0})
        run.pause("q1")
        record = run.record({"n": 1})
        saver.conn.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON nbhitl_questions BEGIN SELECT RAISE(ABORT, 'disk'); END"
        )
        with pytest.raises(StoreError, match="disk"):
            saver.put_step(record)
        assert saver.load(run.key()).values == {"n": 0}
        saver.conn.execute("DROP TRIGGER refuse")
        saver.put_step(record)
        assert saver.load(run.key()).values == {"n": 1}


def test_a_statement_that_fails_leaves_nothing_noted(tmp_path):
    """It notes a row before SQLite finds that the row is there already."""
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        record = run.record({"n": 1})
        before = len(_changed_rows._noted)
        saver.put_step(record)
        with pytest.raises(StoreError, match="UNIQUE"):
            saver.put_step(record)
        assert len(_changed_rows._noted) == before


class Full(sqlite3.Connection):
    """A connection to a disk that is full when a statement comes that begins so."""

    begins = "nothing"

    def execute(self, sql, *values):
        self.write(sql)
        return super().execute(sql, *values)

    def executemany(self, sql, *values):
        self.write(sql)
        return super().executemany(sql, *values)

    def write(self, sql):
        if sql.strip().startswith(self.begins):
            raise sqlite3.OperationalError("database or disk is full")


def results(run):
    run.saver.put_pending(run.key(run.head), [run.task("node", [("n", 1)])])


SAVED = {
    "BEGIN": results,
    "COMMIT": results,
    "INSERT INTO nbhitl_writes": results,
    "INSERT INTO nbhitl_once": lambda run: run.saver.begin_once("t", "effect", "me", NOON),
    "PRAGMA data_version": lambda run: run.saver.load(run.key()),
    "WITH RECURSIVE": lambda run: run.saver.prune(["t"]),
}


@pytest.mark.parametrize("statement", SAVED)
def test_which_thread_could_not_be_saved_is_told(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "store.db", factory=Full, isolation_level=None)) as conn:
        run = Run(SqliteSaver(conn))
        run.step({"n": 0})
        conn.begins = statement
        with pytest.raises(StoreError, match=r"store\.db, thread 't': database or disk is full\. Make room"):
            SAVED[statement](run)
        assert not conn.in_transaction
