"""Tables in PostgreSQL that are newer, older, gone or forbidden."""

from __future__ import annotations

import threading

import pytest

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.postgres import PostgresSaver, queries
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.errors import NewerStore, StoreError

from ..building import Run


def test_many_make_the_tables_at_once(postgres):
    gate, problems = threading.Barrier(8), []

    def begin(number: int) -> None:
        try:
            with PostgresSaver.from_conn_string(postgres) as saver:
                gate.wait()
                saver.setup()
                Run(saver, f"t{number}").step({"n": number})
        except Exception as error:
            problems.append(error)

    workers = [threading.Thread(target=begin, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert problems == []
    with PostgresSaver.from_conn_string(postgres) as saver:
        assert len(saver.threads()) == 8
        assert saver.conn.execute(_sql.READ_VERSION).fetchone() == (len(queries.MIGRATIONS),)


def test_a_newer_store_is_refused(postgres, saver):
    saver.conn.execute(_sql.WRITE_VERSION.replace("?", "%s"), (len(queries.MIGRATIONS) + 1,))
    with (
        PostgresSaver.from_conn_string(postgres) as again,
        pytest.raises(NewerStore, match=r"PostgreSQL store postgres at .*Upgrade nbhitl"),
    ):
        again.load(CheckpointKey("t", ""))


def test_a_migration_happens_as_a_whole(postgres, saver, monkeypatch):
    Run(saver).step({"n": 0})
    broken = "CREATE TABLE nbhitl_more (x TEXT); CREATE TABLE nbhitl_more (x TEXT)"
    better = "CREATE TABLE nbhitl_more (x TEXT); ALTER TABLE nbhitl_once ADD COLUMN y TEXT"
    with PostgresSaver.from_conn_string(postgres) as again:
        monkeypatch.setattr(queries, "MIGRATIONS", (*queries.MIGRATIONS, broken))
        with pytest.raises(StoreError, match="already exists"):
            again.threads()
        monkeypatch.setattr(queries, "MIGRATIONS", (*queries.MIGRATIONS[:-1], better))
        assert [thread.thread_id for thread in again.threads()] == ["t"]
        assert again.conn.execute(_sql.READ_VERSION).fetchone() == (len(queries.MIGRATIONS),)


def insert_row(conn, table, row):
    columns = ", ".join(f'"{name}"' for name in row._fields)
    conn.execute(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(row))})", row)


@pytest.mark.parametrize("version", range(1, len(queries.MIGRATIONS)))
def test_a_store_of_every_earlier_version_goes_on(postgres, monkeypatch, version):
    run = Run(InMemorySaver())
    run.step({"n": 1})
    run.pause("q1")
    held = run.saver._rows
    with monkeypatch.context() as patch, PostgresSaver.from_conn_string(postgres) as earlier:
        patch.setattr(queries, "MIGRATIONS", queries.MIGRATIONS[:version])
        earlier.setup()
        insert_row(earlier.conn, "nbhitl_steps", held.step("t", "", None))
        insert_row(earlier.conn, "nbhitl_writes", held.writes(*run.place())[0])
        insert_row(earlier.conn, "nbhitl_questions", held.questions("t")[0])
        if version >= 3:
            earlier.conn.execute("UPDATE nbhitl_questions SET live = 1")
    with PostgresSaver.from_conn_string(postgres) as saver:
        run.saver = saver
        assert [question.interrupt_id for question in saver.pending()] == ["q1"]
        saver.claim(run.request({"q1": "yes"}))
        run.step({"n": 2})
        assert [claim.state for claim in saver.claims("t")] == ["applied"]
        assert saver.conn.execute(_sql.READ_VERSION).fetchone() == (len(queries.MIGRATIONS),)


def test_tables_that_are_gone_can_be_made_again(run, other):
    other.execute("DROP TABLE nbhitl_steps, nbhitl_writes, nbhitl_questions, nbhitl_once, nbhitl_schema")
    with pytest.raises(StoreError, match=r"thread 't'.*call setup\(\)"):
        run.saver.load(run.key())
    run.saver.setup()
    assert run.saver.load(run.key()) is None


def test_who_may_not_make_tables_is_told(postgres_server, postgres, other):
    schema = other.execute("SELECT current_schema").fetchone()[0]
    other.execute("DROP ROLE IF EXISTS guest")
    other.execute("CREATE ROLE guest LOGIN")
    other.execute(f"GRANT USAGE ON SCHEMA {schema} TO guest")
    as_guest = postgres.replace("user=postgres", "user=guest")
    with PostgresSaver.from_conn_string(as_guest) as saver:
        with pytest.raises(StoreError, match=r"permission denied.*call setup\(\) once"):
            saver.threads()
        with PostgresSaver.from_conn_string(postgres) as owner:
            owner.setup()
        other.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO guest")
        Run(saver).step({"n": 0})
        assert [thread.thread_id for thread in saver.threads()] == ["t"]
    other.execute("DROP OWNED BY guest")
    other.execute("DROP ROLE guest")
