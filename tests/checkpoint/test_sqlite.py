import asyncio
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import aiosqlite
import pytest

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._store import QuestionFilter
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver, _noted, queries
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.constants import RESUME
from nbhitl.errors import AlreadyAnswered, NewerStore, StoreError
from nbhitl.graph import StateGraph

from .building import Run
from .contract import SaverContract


class TestSqliteSaver(SaverContract):
    @pytest.fixture
    def saver(self, tmp_path):
        with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
            yield saver


class TestSqliteSaverInMemory(SaverContract):
    @pytest.fixture
    def saver(self):
        with SqliteSaver.from_conn_string(":memory:") as saver:
            yield saver


class TestSqliteSaverOnAConnectionThatDoesNotCommitByItself(SaverContract):
    @pytest.fixture
    def saver(self, tmp_path):
        conn = sqlite3.connect(tmp_path / "store.db", check_same_thread=False)
        yield SqliteSaver(conn)
        conn.close()


class TestAsyncSqliteSaver(SaverContract):
    @pytest.fixture
    async def saver(self, tmp_path):
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
            yield saver


class TestAsyncSqliteSaverOnALentConnection(SaverContract):
    knows_of_changes = False  # its program may write there at any time

    @pytest.fixture
    async def saver(self):
        async with aiosqlite.connect(":memory:") as conn:
            yield AsyncSqliteSaver(conn)


def test_what_others_store_is_seen_at_once(tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as mine, SqliteSaver.from_conn_string(path) as others:
        run = Run(others)
        for n in range(3):
            run.step({"n": n})
            assert [mine.load(run.key()).values["n"] for _ in range(2)] == [n, n]


def test_what_a_rollback_undoes_is_not_seen_again(tmp_path):
    conn = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    saver = SqliteSaver(conn)
    run = Run(saver)
    run.step({"n": 0})
    stored = saver.load(run.key())
    conn.execute("BEGIN")
    conn.execute("DELETE FROM nbhitl_steps")
    assert saver.load(run.key()) is None
    conn.execute("ROLLBACK")
    assert saver.load(run.key()) == stored
    conn.close()


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


async def used_after_its_block():
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        await saver.setup()
    for use in (saver.aget_tuple({"configurable": {"thread_id": "t"}}), saver.conn.execute("SELECT 1")):
        with pytest.raises(StoreError, match="store :memory:: its `async with` block has ended"):
            await use


def test_a_saver_whose_block_has_ended_says_so():
    asyncio.run(used_after_its_block())


def test_what_was_saved_is_there_after_reopening(tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as saver:
        run = Run(saver)
        run.step({"n": 0, "items": []})
        for n in range(30):
            run.step({"n": n}, appended={"items": [n]})
        run.pause("q1")
    with SqliteSaver.from_conn_string(path) as saver:
        assert saver.load(run.key()).values == run.saved[run.head].values
        assert [q.interrupt_id for q in saver.pending()] == ["q1"]
        run.saver = saver
        run.step({}, appended={"items": [30]})
        assert saver.load(run.key()).values["items"] == list(range(31))


class Interrupted(sqlite3.Connection):
    """A connection that Ctrl-C interrupts right after a statement."""

    after = ""

    def execute(self, sql, *values):
        done = super().execute(sql, *values)
        if sql == self.after:
            self.after = ""
            raise KeyboardInterrupt
        return done


def interrupted(**how):
    raise KeyboardInterrupt


NEXT = {
    "a step": lambda run: run.step({"n": 2}),
    "a pause": lambda run: run.pause("q"),
    "a read": lambda run: run.saver.load(run.key()),
}


@pytest.mark.parametrize("then", NEXT)
@pytest.mark.parametrize("when", ["begun", "before its end", "committed"])
def test_ctrl_c_leaves_no_transaction_open(tmp_path, monkeypatch, when, then):
    how = {"factory": Interrupted, "isolation_level": None, "check_same_thread": False}
    conn = sqlite3.connect(tmp_path / "store.db", **how)
    run = Run(SqliteSaver(conn))
    run.step({"n": 1})
    run.saver.load(run.key())
    conn.after = {"begun": "BEGIN IMMEDIATE", "committed": "COMMIT"}.get(when, "")
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
    conn.close()


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


def test_a_newer_store_is_refused(tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as saver:
        Run(saver).step({"n": 0})
        saver.conn.execute(_sql.WRITE_VERSION, (len(queries.MIGRATIONS) + 1,))
    with SqliteSaver.from_conn_string(path) as saver, pytest.raises(NewerStore, match=r"store\.db.*Upgrade"):
        saver.load(CheckpointKey("t", ""))


def test_tables_of_others_are_left_alone(tmp_path):
    conn = sqlite3.connect(tmp_path / "store.db")
    conn.execute("CREATE TABLE writes (x)")
    conn.execute("INSERT INTO writes VALUES (1)")
    conn.commit()
    Run(SqliteSaver(conn)).step({"n": 0})
    assert conn.execute("SELECT x FROM writes").fetchall() == [(1,)]
    conn.close()


def page_size(conn):
    return conn.execute("PRAGMA page_size").fetchone()[0]


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_new_file_gets_small_pages(tmp_path, mode):
    conn = sqlite3.connect(tmp_path / "store.db", timeout=7)
    conn.execute(f"PRAGMA journal_mode = {mode}")
    Run(SqliteSaver(conn)).step({"n": 0})
    assert (page_size(conn), conn.execute("PRAGMA busy_timeout").fetchone()[0]) == (1024, 7000)
    assert conn.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    conn.close()
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as again:
        again.setup()
        assert again.conn.execute("PRAGMA wal_autocheckpoint").fetchone() == (4000,)


@pytest.mark.parametrize(("size", "pages"), [(512, 8000), (2048, 2000), (4096, 1000), (8192, 1000)])
def test_the_log_grows_to_as_many_bytes_whatever_pages_a_file_has(tmp_path, size, pages):
    """Files of earlier versions have pages of 2048 bytes."""
    conn = sqlite3.connect(tmp_path / "store.db")
    conn.execute(f"PRAGMA page_size = {size}")
    conn.execute("CREATE TABLE mine (x)")
    Run(SqliteSaver(conn)).step({"n": 0})
    assert (page_size(conn), conn.execute("PRAGMA wal_autocheckpoint").fetchone()[0]) == (size, pages)
    conn.close()


def test_pages_of_a_file_in_use_stay(tmp_path):
    """One with tables of others', one that others have open, and one for which somebody has chosen a size."""
    for name in ("tables.db", "open.db", "chosen.db"):
        conn = sqlite3.connect(tmp_path / name, timeout=30)
        other = sqlite3.connect(tmp_path / name)
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
        conn.close()
        other.close()


def test_a_transaction_of_the_users_own_is_not_committed(tmp_path):
    conn = sqlite3.connect(tmp_path / "store.db")
    saver = SqliteSaver(conn)
    run = Run(saver)
    run.step({"n": 0})
    conn.execute("CREATE TABLE mine (x)")
    conn.execute("INSERT INTO mine VALUES (1)")
    with pytest.raises(StoreError, match="your own transaction"):
        run.step({"n": 1})
    conn.rollback()
    assert conn.execute("SELECT * FROM mine").fetchall() == []
    conn.close()


def test_errors_name_the_store_and_what_to_do(tmp_path):
    with pytest.raises(StoreError, match=r"missing/store\.db.*Check that the folder exists"):
        SqliteSaver.from_conn_string(str(tmp_path / "missing/store.db")).__enter__()
    (tmp_path / "text.db").write_text("This is no database. " * 100)
    with pytest.raises(StoreError, match=r"text\.db.*use another file"):
        SqliteSaver.from_conn_string(str(tmp_path / "text.db")).__enter__()
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        saver.setup()
    with pytest.raises(StoreError, match=r"closed.*with"):
        saver.load(CheckpointKey("t", ""))


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


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [
        (_sql.LIVE_QUESTIONS, ("t",), "nbhitl_questions_live"),
        (_sql.ASKING_NODES, (), "nbhitl_questions_of_node"),
        (_sql.find_questions(QuestionFilter(("open",), node="n"))[0], ("n", 5), "nbhitl_questions_of_node"),
        (
            _sql.find_questions(QuestionFilter(("open",), thread_prefix="t"))[0],
            ("t", "u", 5),
            "nbhitl_questions_live",
        ),
        (_sql.NEWEST_STEP, ("t", ""), "nbhitl_steps_key"),
        (_sql.WRITES, ("t", "", "c"), "nbhitl_writes_key"),
        (_sql.USE_UP, ("t", "task", "", "c", "i"), "nbhitl_questions_live"),
    ],
)
def test_queries_use_their_indexes(sql, values, index):
    with SqliteSaver.from_conn_string(":memory:") as saver:
        saver.setup()
        plan = saver.conn.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    assert any(index in row[3] for row in plan)
    assert not any("TEMP B-TREE" in row[3] and "LIMIT" in sql and "thread_id >" not in sql for row in plan)


VERSIONS = range(1, len(queries.MIGRATIONS))


def stored_by_an_earlier_release(path, version=1):
    """A file as a schema version left it, with a paused thread in it."""
    with SqliteSaver.from_conn_string(":memory:") as saver:
        run = Run(saver)
        run.step({"n": 1})
        run.pause("q1")
        copy_to_an_earlier_release(saver.conn, path, version)
    return run


def copy_to_an_earlier_release(now, path, version):
    """Make a file of a schema version, with what the tables of now hold in the columns that it has."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute(_sql.CREATE_SCHEMA)
    for statement in ";".join(queries.MIGRATIONS[:version]).split(";"):
        conn.execute(statement)
    conn.execute(_sql.WRITE_VERSION, (version,))
    for table in ("nbhitl_steps", "nbhitl_writes", "nbhitl_questions"):
        then, known = ([row[1] for row in c.execute(f"PRAGMA table_info({table})")] for c in (conn, now))
        columns = ", ".join(f'"{name}"' for name in then if name in known)
        rows = now.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()
        marks = ", ".join("?" * (columns.count(",") + 1))
        conn.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
    conn.close()


def test_a_new_file_has_what_all_migrations_make_of_one(tmp_path):
    def made(conn):
        objects = conn.execute("SELECT type, name, tbl_name FROM sqlite_master ORDER BY name").fetchall()
        columns = {name: conn.execute(f"PRAGMA table_info({name})").fetchall() for _, name, _ in objects}
        indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
        return objects, columns, [(name, " ".join(sql.split())) for name, sql in conn.execute(indexes)]

    copied = tmp_path / "migrated.db"
    with SqliteSaver.from_conn_string(":memory:") as saver:
        saver.setup()
        copy_to_an_earlier_release(saver.conn, copied, len(queries.MIGRATIONS))
        migrated = sqlite3.connect(copied)
        assert made(saver.conn) == made(migrated)
        migrated.close()


@pytest.mark.parametrize("saver_of", [SqliteSaver, AsyncSqliteSaver])
def test_a_store_of_the_first_schema_version_is_brought_up_to_date(tmp_path, saver_of):
    run = stored_by_an_earlier_release(tmp_path / "store.db")
    conn = sqlite3.connect(tmp_path / "store.db", check_same_thread=False, isolation_level=None)
    tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"nbhitl_schema", "nbhitl_steps", "nbhitl_writes", "nbhitl_questions"}
    saver = saver_of(conn)
    assert saver.load(run.key()).values == {"n": 1}
    assert [question.interrupt_id for question in saver.pending()] == ["q1"]
    assert saver.begin_once("t", "k", "ann", "1") is None
    assert saver.end_once("t", "k", "ann", {"done": True}, "2")
    assert conn.execute(_sql.READ_VERSION).fetchone() == (len(queries.MIGRATIONS),)
    conn.close()
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as again:
        assert [entry.result for entry in again.once_entries("t")] == [{"done": True}]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_earlier_version_goes_on(tmp_path, version):
    path = str(tmp_path / "store.db")
    run = stored_by_an_earlier_release(path, version)
    before = sqlite3.connect(path)
    counts = [before.execute(f"SELECT count(*) FROM nbhitl_{t}").fetchone() for t in ("steps", "questions")]
    before.close()
    with SqliteSaver.from_conn_string(path) as saver:
        run.saver = saver
        assert [question.interrupt_id for question in saver.pending()] == ["q1"]
        saver.claim(run.request({"q1": "yes"}))
        run.step({"n": 2}, appended={"items": [1]})
        assert saver.load(run.key()).values == {"n": 2, "items": [1]}
        assert [claim.state for claim in saver.claims("t")] == ["applied"]
        saver.copy_thread("t", "copy")
        assert saver.conn.execute(_sql.READ_VERSION).fetchone() == (len(queries.MIGRATIONS),)
    assert counts == [(1,), (1,)]


@pytest.mark.parametrize("was_answered", [True, False])
def test_what_version_5_kept_beside_a_question_is_read_and_goes_on(tmp_path, was_answered):
    path, given = str(tmp_path / "store.db"), [["q1", "digest", "yes"], ["q2", "digest", "no"]]
    with SqliteSaver.from_conn_string(":memory:") as saver:
        run = Run(saver)
        run.step({"n": 1})
        saver.load(run.key())
        run.pause("q1")
        if was_answered:
            saver.claim(run.request({"q1": "yes"}))
        copy_to_an_earlier_release(saver.conn, path, 5)
    with SqliteSaver.from_conn_string(path) as saver:
        run.saver = saver
        if not was_answered:
            saver.claim(run.request({"q1": "yes"}))
        assert {channel: value for _, channel, value in saver.load(run.key()).writes}[RESUME] == given[:1]
        run.pause("q2", starts=2)
        saver.claim(run.request({"q2": "no"}, resumes={"id-of-asking": given}))
        assert {channel: value for _, channel, value in saver.load(run.key()).writes}[RESUME] == given
        assert saver.conn.execute("SELECT count(*) FROM nbhitl_writes").fetchone() == (0,)
        assert [question.state for question in saver.claims("t")] == ["applied", "delivered"]


@pytest.mark.parametrize("version", VERSIONS)
def test_many_may_open_an_earlier_store_at_once(tmp_path, version):
    path = str(tmp_path / "store.db")
    run = stored_by_an_earlier_release(path, version)
    gate = threading.Barrier(6)

    def opened(_):
        with SqliteSaver.from_conn_string(path) as saver:
            gate.wait(20)
            return saver.load(run.key()).values, len(saver.pending())

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(opened, range(6))) == [({"n": 1}, 1)] * 6
    with SqliteSaver.from_conn_string(path) as saver:
        saver.setup()
        versions = saver.conn.execute("SELECT version FROM nbhitl_schema").fetchall()
    assert versions == [(version,), (len(queries.MIGRATIONS),)]


def test_a_migration_that_breaks_off_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    path = str(tmp_path / "store.db")
    run = stored_by_an_earlier_release(path)
    monkeypatch.setattr(
        queries, "MIGRATIONS", (*queries.MIGRATIONS, "CREATE TABLE a (x); SELECT nonsense FROM nowhere")
    )
    with SqliteSaver.from_conn_string(path) as saver, pytest.raises(StoreError, match=r"store\.db.*nowhere"):
        saver.load(run.key())
    monkeypatch.undo()
    with SqliteSaver.from_conn_string(path) as saver:
        assert saver.load(run.key()).values == {"n": 1}


def test_savers_that_share_a_connection_know_what_each_has_changed(tmp_path):
    """Also where one begins while a cursor of the program's own is open."""
    conn = sqlite3.connect(tmp_path / "store.db", check_same_thread=False, isolation_level=None)
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
    conn.close()


def test_a_statement_that_fails_leaves_nothing_noted(tmp_path):
    """It notes a row before SQLite finds that the row is there already."""
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        record = run.record({"n": 1})
        before = len(_noted._noted)
        saver.put_step(record)
        with pytest.raises(StoreError, match="UNIQUE"):
            saver.put_step(record)
        assert len(_noted._noted) == before


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
                self.acquire, self._release = lock.acquire, lock.release
                self.__enter__, self.__exit__ = lock.__enter__, lock.__exit__

            def release(self) -> None:
                self._release()
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
