"""The log of a SQLite file: who brings it home, when, and that nobody is disturbed by it."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing

import pytest

from nbhitl.checkpoint import _background
from nbhitl.checkpoint.sqlite import SqliteSaver, _log

from .waiting_steps.hurrying import put


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def alone(monkeypatch):
    """The background does nothing; no test here waits for it."""
    monkeypatch.setattr(_background.Writer, "watch", lambda self, late: None)


def at_home(path):
    """How many steps the file holds without its log."""
    alone = path.with_name("alone.db")
    data = bytearray(path.read_bytes())
    data[18:20] = b"\1\1"  # a file that has no log
    alone.write_bytes(data)
    conn = sqlite3.connect(alone)
    try:
        return conn.execute("SELECT count(*) FROM nbhitl_steps").fetchone()[0]
    except sqlite3.DatabaseError:  # no table yet, or the file was read while it was written to
        return 0
    finally:
        conn.close()


def log_length(conn):
    return conn.execute("PRAGMA wal_autocheckpoint").fetchone()[0]


def test_the_background_brings_home_what_was_written(path):
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver, 2 * _log.WORTH)
        patience = time.monotonic() + 10
        while at_home(path) < _log.WORTH and time.monotonic() < patience:
            put(saver, thread=f"t{time.monotonic()}")
            time.sleep(0.02)
        assert at_home(path) >= _log.WORTH


def test_little_is_left_in_the_log_until_there_is_more(path, alone):
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver, 10)
        saver.flush()
        saver._database.bring_log_home()
        assert at_home(path) == 0
        put(saver, _log.WORTH, "more")
        saver.flush()
        saver._database.bring_log_home()
        assert at_home(path) == 10 + _log.WORTH


def test_what_a_reader_still_needs_stays_in_the_log(path, alone):
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver, 10)
        saver.flush()
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM nbhitl_steps").fetchone() == (10,)
            put(saver, _log.WORTH, "more")
            saver.flush()
            saver._database.bring_log_home()
            assert reader.execute("SELECT count(*) FROM nbhitl_steps").fetchone() == (10,)
            assert at_home(path) < 10 + _log.WORTH
        assert len(saver.threads()) == 2


def test_a_connection_that_was_closed_meanwhile_is_left_alone(path, alone):
    with closing(sqlite3.connect(path, check_same_thread=False)) as conn:
        saver = SqliteSaver(conn)
        put(saver, _log.WORTH)
        saver.flush()
    saver._database.bring_log_home()
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_a_saver_closes_its_file_once_nobody_has_it_open(path, alone):
    """Who removes the file after the block must not meet the background there."""
    closed = threading.Event()
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver)
        log = saver._database._log
        log.held.acquire()
        threading.Timer(0.1, lambda: (closed.set(), log.held.release())).start()
    assert closed.is_set()


@pytest.mark.parametrize(
    ("size", "before", "after"), [(1024, 4000, 16000), (4096, 1000, 4000), (8192, 1000, 4000)]
)
def test_the_log_may_grow_longer_where_the_background_brings_it_home(path, size, before, after):
    with closing(sqlite3.connect(path, check_same_thread=False)) as conn:
        conn.execute(f"PRAGMA page_size = {size}")
        conn.execute("CREATE TABLE mine (x)")
        saver = SqliteSaver(conn)
        saver.setup()
        assert log_length(conn) == before
        put(saver)
        assert log_length(conn) == after
        saver.flush()


def test_a_log_whose_length_somebody_has_chosen_keeps_it(path):
    with closing(sqlite3.connect(path, check_same_thread=False)) as conn:
        conn.execute("PRAGMA wal_autocheckpoint = 77")
        saver = SqliteSaver(conn)
        put(saver)
        saver.flush()
        assert log_length(conn) == 77


def test_without_a_background_the_log_stays_as_short_as_usual(path, monkeypatch):
    def watch(self, late):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_background.Writer, "watch", watch)
    with SqliteSaver.from_conn_string(path) as saver:
        put(saver)
        assert log_length(saver.conn) == 4000
