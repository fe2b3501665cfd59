"""SQLite stores of every schema version: earlier ones are brought up to date, newer ones refused."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver, queries
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.constants import RESUME
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, NewerStore, StoreError

from .building import NOON, Run, at


def test_a_newer_store_is_refused(tmp_path):
    path = str(tmp_path / "store.db")
    with SqliteSaver.from_conn_string(path) as saver:
        Run(saver).step({"n": 0})
        saver.conn.execute(_sql.WRITE_VERSION, (len(queries.MIGRATIONS) + 1,))
    with SqliteSaver.from_conn_string(path) as saver, pytest.raises(NewerStore, match=r"store\.db.*Upgrade"):
        saver.load(CheckpointKey("t", ""))


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
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
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
        with closing(sqlite3.connect(copied)) as migrated:
            assert made(saver.conn) == made(migrated)


@pytest.mark.parametrize("saver_of", [SqliteSaver, AsyncSqliteSaver])
def test_a_store_of_the_first_schema_version_is_brought_up_to_date(tmp_path, saver_of):
    run = stored_by_an_earlier_release(tmp_path / "store.db")
    with closing(
        sqlite3.connect(tmp_path / "store.db", check_same_thread=False, isolation_level=None)
    ) as conn:
        tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables == {"nbhitl_schema", "nbhitl_steps", "nbhitl_writes", "nbhitl_questions"}
        saver = saver_of(conn)
        assert saver.load(run.key()).values == {"n": 1}
        assert [question.interrupt_id for question in saver.pending()] == ["q1"]
        assert saver.begin_once("t", "k", "ann", "1") is None
        assert saver.end_once("t", "k", "ann", {"done": True}, "2")
        assert conn.execute(_sql.READ_VERSION).fetchone() == (len(queries.MIGRATIONS),)
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as again:
        assert [entry.result for entry in again.once_entries("t")] == [{"done": True}]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_of_every_earlier_version_goes_on(tmp_path, version):
    path = str(tmp_path / "store.db")
    run = stored_by_an_earlier_release(path, version)
    with closing(sqlite3.connect(path)) as before:
        counts = [
            before.execute(f"SELECT count(*) FROM nbhitl_{t}").fetchone() for t in ("steps", "questions")
        ]
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


@pytest.mark.parametrize("version", VERSIONS)
def test_questions_of_every_state_are_brought_along(tmp_path, version):
    path, states = str(tmp_path / "store.db"), ("open", "recorded", "delivered", "applied", "dropped")

    def shown(saver):
        writes = saver.load(run.key()).writes
        return writes, saver.claims("t"), saver.pending(states=states), saver.threads()

    with SqliteSaver.from_conn_string(":memory:") as saver:
        run = Run(saver)
        run.step({"n": 1})
        run.pause(*states)
        saver.record_answer(*run.place(), "recorded", "yes", "ann", NOON)
        for name in ("delivered", "applied"):
            saver.claim(run.request({name: "yes"}))
        saver.report(*run.place(), ["applied"])
        saver.drop(*run.place(), ["dropped"])
        before = shown(saver)
        copy_to_an_earlier_release(saver.conn, path, version)
    with SqliteSaver.from_conn_string(path) as saver:
        assert shown(saver) == before
        assert [claim.state for claim in saver.claims("t")] == [*states]
        for name in ("open", "recorded"):
            saver.claim(run.request({name: "yes"}))
        with pytest.raises(AnswerInDoubt):
            saver.claim(run.request({"delivered": "yes"}, at=at(60)))
        saver.release(*run.place(), ["delivered"])
        saver.claim(run.request({"delivered": "no"}))
        for name in ("applied", "dropped"):
            with pytest.raises(AlreadyAnswered):
                saver.claim(run.request({name: "yes"}))


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
