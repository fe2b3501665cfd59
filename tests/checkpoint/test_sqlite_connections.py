"""What several connections, kernels and the program itself do with one SQLite file."""

import asyncio
import sqlite3
import threading
import time
from contextlib import closing, suppress
from typing import Any

import aiosqlite
import pytest

from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import AlreadyAnswered, StoreError
from nbhitl.graph import StateGraph

from .building import Run


def test_what_others_store_is_seen_at_once(tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as mine, SqliteSaver.from_conn_string(path) as others:
        run = Run(others)
        for n in range(3):
            run.step({"n": n})
            assert [mine.load(run.key()).values["n"] for _ in range(2)] == [n, n]


def test_what_a_rollback_undoes_is_not_seen_again(tmp_path):
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as conn:
        saver = SqliteSaver(conn)
        run = Run(saver)
        run.step({"n": 0})
        stored = saver.load(run.key())
        conn.execute("BEGIN")
        conn.execute("DELETE FROM nbhitl_steps")
        assert saver.load(run.key()) is None
        conn.execute("ROLLBACK")
        assert saver.load(run.key()) == stored


async def test_a_lent_connection_is_opened_at_the_first_use():
    conn = aiosqlite.connect(":memory:")
    saver = AsyncSqliteSaver(conn)
    await saver.setup()
    assert await saver.aload(CheckpointKey("t", "")) is None
    await conn.close()


def loaded(saver):
    stored = saver.load(CheckpointKey("t", ""))
    return stored and stored.values["n"]


def got(saver):
    found = saver.get_tuple({"configurable": {"thread_id": "t"}})
    return found and found.checkpoint["channel_values"]["n"]


MEANWHILE = {
    "pruned": (lambda run: run.saver.prune(["t"]), 2),
    "continued and pruned": (lambda run: (run.step({"n": 3}), run.saver.prune(["t"])), 3),
    "deleted": (lambda run: run.saver.delete_thread("t"), None),
}


@pytest.mark.parametrize("how", MEANWHILE)
@pytest.mark.parametrize("read", [loaded, got])
def test_a_thread_is_read_while_others_prune_or_delete_it(tmp_path, monkeypatch, read, how):
    path = str(tmp_path / "store.db")
    change, n = MEANWHILE[how]
    with SqliteSaver.from_conn_string(path) as other, SqliteSaver.from_conn_string(path) as saver:
        run = Run(other)
        run.step({"n": 1, "text": "a" * 2000})
        run.step({"n": 2})
        other.flush()
        between, left = saver._rows.steps_from, [change]

        def meanwhile(*place):
            while left:
                left.pop()(run)
            return between(*place)

        monkeypatch.setattr(saver._rows, "steps_from", meanwhile)
        assert read(saver) == n
        assert not left


def test_another_connection_is_refused():
    with pytest.raises(TypeError, match="not int"):
        AsyncSqliteSaver(3)


def test_a_path_is_no_connection(tmp_path):
    with pytest.raises(TypeError, match=r"`with SqliteSaver.from_conn_string\('s.db'\) as saver:`"):
        SqliteSaver("s.db")
    file = tmp_path / "s.db"
    with pytest.raises(
        TypeError, match=r"`async with AsyncSqliteSaver.from_conn_string\(.*s.db'\) as saver:`"
    ):
        AsyncSqliteSaver(file)
    with pytest.raises(TypeError, match="It opens one: write `with"):
        StateGraph(dict).compile(checkpointer=SqliteSaver.from_conn_string(str(file)))
    assert not file.exists()


ODD_ROWS = {
    "row_factory": lambda cursor, row: {column[0]: cell for column, cell in zip(cursor.description, row)},
    "text_factory": bytes,
}


@pytest.mark.parametrize("factory", ODD_ROWS)
def test_a_connection_with_rows_of_another_kind_is_refused_at_once(factory):
    with closing(sqlite3.connect(":memory:")) as conn:
        setattr(conn, factory, ODD_ROWS[factory])
        with pytest.raises(StoreError, match=r"row_factory .* Give the saver a connection of its own"):
            SqliteSaver(conn).threads()


def test_rows_that_are_read_by_name_too_are_the_usual_ones():
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.row_factory = sqlite3.Row
        run = Run(SqliteSaver(conn))
        run.step({"n": 1})
        assert run.saver.load(run.key()).values == {"n": 1}


async def used_after_its_block():
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        await saver.setup()
    for use in (saver.aget_tuple({"configurable": {"thread_id": "t"}}), saver.conn.execute("SELECT 1")):
        with pytest.raises(StoreError, match="store :memory:: its `async with` block has ended"):
            await use


def test_a_saver_whose_block_has_ended_says_so():
    asyncio.run(used_after_its_block())


def test_triggers_of_the_users_own_do_not_count(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        saver.setup()
        saver.conn.execute("CREATE TABLE log (at)")
        for table in ("steps", "writes", "questions"):
            for event in ("INSERT", "UPDATE"):
                sql = f"AFTER {event} ON nbhitl_{table} BEGIN INSERT INTO log VALUES (1), (2); END"
                saver.conn.execute(f"CREATE TRIGGER log_{event}_{table} {sql}")
        run = Run(saver)
        for n in range(2):
            run.step({"n": n})
            assert saver.load(run.key()).values == {"n": n}
            run.pause(f"q{n}")
            assert [claim.interrupt_id for claim in saver.claim(run.request({f"q{n}": "yes"}))] == [f"q{n}"]
        assert saver.conn.execute("SELECT count(*) FROM log").fetchone()[0] > 8


def test_tables_of_others_are_left_alone(tmp_path):
    with closing(sqlite3.connect(tmp_path / "store.db")) as conn:
        conn.execute("CREATE TABLE writes (x)")
        conn.execute("INSERT INTO writes VALUES (1)")
        conn.commit()
        Run(SqliteSaver(conn)).step({"n": 0})
        assert conn.execute("SELECT x FROM writes").fetchall() == [(1,)]


def page_size(conn):
    return conn.execute("PRAGMA page_size").fetchone()[0]


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_new_file_gets_small_pages(tmp_path, mode):
    with closing(sqlite3.connect(tmp_path / "store.db", timeout=7)) as conn:
        conn.execute(f"PRAGMA journal_mode = {mode}")
        Run(SqliteSaver(conn)).step({"n": 0})
        assert (page_size(conn), conn.execute("PRAGMA busy_timeout").fetchone()[0]) == (1024, 7000)
        assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as again:
        again.setup()
        assert again.conn.execute("PRAGMA wal_autocheckpoint").fetchone() == (4000,)


@pytest.mark.parametrize(("size", "pages"), [(512, 8000), (2048, 2000), (4096, 1000), (8192, 1000)])
def test_the_log_grows_to_as_many_bytes_whatever_pages_a_file_has(tmp_path, size, pages):
    """Files of earlier versions have pages of 2048 bytes."""
    with closing(sqlite3.connect(tmp_path / "store.db")) as conn:
        conn.execute(f"PRAGMA page_size = {size}")
        conn.execute("CREATE TABLE mine (x)")
        Run(SqliteSaver(conn)).step({"n": 0})
        assert (page_size(conn), conn.execute("PRAGMA wal_autocheckpoint").fetchone()[0]) == (size, pages)


def test_pages_of_a_file_in_use_stay(tmp_path):
    """One with tables of others', one that others have open, and one for which somebody has chosen a size."""
    for name in ("tables.db", "open.db", "chosen.db"):
        with (
            closing(sqlite3.connect(tmp_path / name, timeout=30)) as conn,
            closing(sqlite3.connect(tmp_path / name)) as other,
        ):
            if name == "tables.db":
                conn.execute("CREATE TABLE mine (x)")
            elif name == "open.db":
                conn.execute("PRAGMA journal_mode = WAL")
                other.execute("SELECT * FROM sqlite_master").fetchall()
            else:
                conn.execute("PRAGMA page_size = 8192")
            started = time.monotonic()
            Run(SqliteSaver(conn)).step({"n": 0})
            assert time.monotonic() - started < 10
            assert page_size(conn) == (8192 if name == "chosen.db" else 4096)
            assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_transaction_of_the_users_own_is_not_committed(tmp_path):
    with closing(sqlite3.connect(tmp_path / "store.db")) as conn:
        saver = SqliteSaver(conn)
        run = Run(saver)
        run.step({"n": 0})
        conn.execute("CREATE TABLE mine (x)")
        conn.execute("INSERT INTO mine VALUES (1)")
        with pytest.raises(StoreError, match="your own transaction"):
            run.step({"n": 1})
        conn.rollback()
        assert conn.execute("SELECT * FROM mine").fetchall() == []


def test_savers_that_share_a_connection_know_what_each_has_changed(tmp_path):
    """Also where one begins while a cursor of the program's own is open."""
    with closing(
        sqlite3.connect(tmp_path / "store.db", check_same_thread=False, isolation_level=None)
    ) as conn:
        first = Run(SqliteSaver(conn))
        first.step({"n": 1})
        reading = conn.execute("SELECT 1 UNION ALL SELECT 2")
        assert reading.fetchone() == (1,)
        second = Run(SqliteSaver(conn), thread="u")
        second.step({"n": 2})
        reading.close()
        for run in (first, second, first):
            run.saver.load(run.key())
            run.pause("q1")
            run.saver.claim(run.request({"q1": "yes"}))
            with pytest.raises(AlreadyAnswered):
                run.saver.claim(run.request({"q1": "no"}))
            run.step({"n": 3})
            run.step({"n": 4})
            assert run.saver.load(run.key()).values == {"n": 4}
        assert [claim.state for claim in second.saver.claims("t")] == ["applied", "applied"]


def test_who_cannot_begin_leaves_alone_who_begins_just_then(tmp_path, monkeypatch):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        database, begun, done = saver._database, threading.Event(), threading.Event()
        Run(saver).step()

        def begin_and_wait() -> None:
            with suppress(InterruptedError), database.atomic():
                database.do("DELETE FROM nbhitl_steps")
                begun.set()
                done.wait(10)
                raise InterruptedError  # it is taken back

        class Handing:
            """A lock that another thread gets as soon as it is free."""

            def __init__(self, lock: Any) -> None:
                self._lock = lock

            def __enter__(self) -> None:
                self._lock.acquire()

            def __exit__(self, *how: object) -> None:
                self._lock.release()
                monkeypatch.undo()
                other.start()
                assert begun.wait(10)

        def fails() -> None:
            raise StoreError("no tables")

        other = threading.Thread(target=begin_and_wait)
        monkeypatch.setattr(database, "_lock", Handing(database._lock))
        monkeypatch.setattr(database, "_ready", False)
        monkeypatch.setattr(database, "setup", fails)
        with pytest.raises(StoreError, match="no tables"):
            database.begin()
        in_transaction = database.conn.in_transaction
        done.set()
        other.join(10)
        assert in_transaction
        assert len([*saver.history("t", "")]) == 1


def test_a_checkpoint_that_somebody_else_puts_anew_is_read_anew(tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as mine, SqliteSaver.from_conn_string(path) as others:
        run = Run(mine)
        run.step({"n": 0, "text": "a" * 3000})
        run.step({"n": 1})
        for _ in range(2):
            assert mine.load(run.key(), True).values["n"] == 1
        found = others.get_tuple({"configurable": {"thread_id": "t"}})
        values = {**found.checkpoint["channel_values"], "n": 100}
        before = {"configurable": {"checkpoint_ns": "", **found.parent_config["configurable"]}}
        others.put(before, {**found.checkpoint, "channel_values": values}, found.metadata, {})
        assert mine.load(run.key(), True).values["n"] == 100
        assert mine.load(run.key(), True).values == mine.load(run.key(), False).values
