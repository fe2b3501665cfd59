"""Connections that are lost, shared, closed, or lead nowhere."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from benchmarks.postgres_server import PostgresServer
from nbhitl.checkpoint.postgres import PostgresSaver, _links, queries
from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.errors import StoreError

from ..building import Run

SECRET = "open-sesame"


def drop(conn: psycopg.Connection, other: psycopg.Connection) -> None:
    """End a connection from the server's side, as a restart or a proxy does."""
    other.execute("SELECT pg_terminate_backend(%s, 5000)", (conn.info.backend_pid,))


def test_a_lost_connection_is_replaced_before_anything_is_sent(run, other):
    drop(run.saver.conn, other)
    assert run.saver.load(run.key()).values == {"n": 0}
    drop(run.saver.conn, other)
    run.saver.claim(run.request({"q1": "yes"}))
    assert [claim.answer for claim in run.saver.claims("t")] == ["yes"]
    drop(run.saver.conn, other)
    run.step({"n": 1})
    drop(run.saver.conn, other)
    run.pause("q2")
    assert [question.interrupt_id for question in run.saver.pending()] == ["q2"]


def test_a_change_that_may_have_been_lost_is_told(run, other, monkeypatch):
    monkeypatch.setattr(_links, "has_ended", lambda conn: conn.closed)
    record, there = run.record({"n": 1}), Run(run.saver, "other")
    first = there.record({"n": 1})
    drop(run.saver.conn, other)
    with pytest.raises(StoreError, match=r"thread 'other'.*whether the last change was saved is not known"):
        there.saver.put_step(first)
    there.saver.put_step(first)
    run.saver.put_step(record)
    assert there.saver.load(there.key()).values == run.saver.load(run.key()).values == {"n": 1}


def test_a_connection_lost_in_the_middle_of_a_transaction_changes_nothing(run, other):
    rows = run.saver._rows

    def delete() -> None:
        with rows.atomic("t"):
            rows.delete_thread("t")
            assert rows.step("t", "", None) is None
            drop(run.saver.conn, other)
            rows.questions("t")

    with pytest.raises(StoreError, match="connection was lost"):
        delete()
    assert run.saver.load(run.key()).values == {"n": 0}
    assert [question.interrupt_id for question in run.saver.pending()] == ["q1"]


def test_a_lent_connection_that_is_lost_is_not_replaced(postgres, other):
    with psycopg.connect(postgres, autocommit=True) as conn:
        saver = PostgresSaver(conn)
        assert saver.threads() == []
        drop(conn, other)
        for _ in range(2):
            with pytest.raises(StoreError, match="give the saver a new connection"):
                saver.threads()


def test_a_pool_goes_on_after_a_lost_connection(postgres, other):
    with ConnectionPool(postgres, kwargs={"autocommit": True}, min_size=1, max_size=1) as pool:
        run = Run(PostgresSaver(pool))
        run.step({"n": 0})
        with pool.connection() as conn:
            lost = conn
        drop(lost, other)
        assert run.saver.load(run.key()).values == {"n": 0}
        run.step({"n": 1})
    with pytest.raises(StoreError, match=r"pool.*Open the pool first"):
        run.saver.load(run.key())


def test_the_server_may_be_restarted(postgres_server):
    with PostgresServer.running() as server, PostgresSaver.from_conn_string(server.address()) as saver:
        run = Run(saver)
        run.step({"n": 0})
        server.stop()
        with pytest.raises(StoreError, match=r"Check that the server runs"):
            saver.load(run.key())
        server.start()
        run.step({"n": 1})
        assert saver.load(run.key()).values == {"n": 1}


def test_a_closed_saver_says_what_to_do(postgres):
    with PostgresSaver.from_conn_string(postgres) as saver:
        saver.setup()
    with pytest.raises(StoreError, match=r"connection is closed.*inside its `with` block"):
        saver.load(CheckpointKey("t", ""))


async def test_so_does_a_closed_async_saver(postgres):
    async with AsyncPostgresSaver.from_conn_string(postgres) as saver:
        await saver.setup()
    with pytest.raises(StoreError, match=r"connection is closed.*inside its `with` block"):
        await saver.aload(CheckpointKey("t", ""))


@pytest.mark.parametrize("of", [PostgresSaver, AsyncPostgresSaver])
def test_a_connection_that_does_not_commit_by_itself_is_refused(postgres, of):
    with psycopg.connect(postgres) as conn, pytest.raises(StoreError, match="autocommit=True"):
        of(conn).threads()
    with ConnectionPool(postgres, min_size=1, max_size=1) as pool:
        with pytest.raises(StoreError, match="autocommit=True"):
            of(pool).threads()
        assert pool.get_stats()["pool_available"] == 1


@pytest.mark.parametrize("of", [PostgresSaver, AsyncPostgresSaver])
def test_something_else_is_refused(of):
    with pytest.raises(TypeError, match=r"not str\. Use .*from_conn_string"):
        of("postgresql://localhost/db")


@pytest.mark.parametrize("cursors", [psycopg.Cursor, psycopg.ClientCursor, psycopg.RawCursor])
def test_the_connection_may_make_cursors_of_any_kind(postgres, cursors):
    with psycopg.connect(postgres, autocommit=True, row_factory=dict_row, cursor_factory=cursors) as conn:
        run = Run(PostgresSaver(conn))
        run.step({"n": 0})
        run.pause("q1")
        assert run.saver.load(run.key()).values == {"n": 0}


def test_it_works_within_langgraphs_pipelines(postgres):
    with psycopg.connect(postgres, autocommit=True) as conn, conn.pipeline() as pipe:
        run = Run(PostgresSaver(conn, pipe))
        run.step({"n": 0})
        run.pause("q1")
        assert [question.interrupt_id for question in run.saver.pending()] == ["q1"]
    with PostgresSaver.from_conn_string(postgres, pipeline=True) as saver:
        assert saver.load(run.key()).values == {"n": 0}


def test_who_holds_a_thread_for_too_long_is_not_waited_for(run, other):
    run.saver.conn.execute("SET lock_timeout = '50ms'")
    other.execute("BEGIN")
    other.execute(queries.LOCK_THREAD.replace("?", "%s"), ("t",))
    with pytest.raises(StoreError, match=r"thread 't'.*held this thread for too long"):
        run.saver.claim(run.request({"q1": "yes"}))
    other.execute("ROLLBACK")
    run.saver.claim(run.request({"q1": "yes"}))


def interrupt_the_waiting_one(other, pid):
    """Stop this process's main thread once the server has that backend wait for a lock, however busy it is."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = %s"
    while other.execute(waiting, (pid,)).fetchone()[0] == 0:
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def stoppable():
    """SIGINT raises KeyboardInterrupt, as in a kernel: whatever another test's server or event loop made of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="a process is sent SIGINT, as POSIX has it")
@pytest.mark.usefixtures("stoppable")
def test_whoever_interrupts_a_wait_can_go_on(run, other):
    """As a reader does who stops a cell."""
    other.execute("BEGIN")
    other.execute(queries.LOCK_THREAD.replace("?", "%s"), ("t",))
    pid = run.saver.conn.info.backend_pid
    stopping = threading.Thread(target=interrupt_the_waiting_one, args=(other, pid))
    stopping.start()
    with pytest.raises(KeyboardInterrupt):
        run.saver.claim(run.request({"q1": "yes"}))
    stopping.join()
    assert [claim.state for claim in run.saver.claims("t")] == ["open"]
    other.execute("ROLLBACK")
    run.saver.claim(run.request({"q1": "yes"}))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("host={folder} user=postgres dbname=nowhere password={secret}", "nowhere.*Create the database"),
        (
            "postgresql://ann:{secret}@127.0.0.1:1/db",
            "PostgreSQL store db at 127.0.0.1:1.*Check that the server runs",
        ),
        ("host=/no/such/folder user=ann password={secret}", "Check that the server runs"),
        ("host={folder} user=nobody_known dbname=postgres password={secret}", "nobody_known"),
        ("host={folder} password {secret}", "no connection string"),
        ("postgresql://ann:{secret}@[::1/db", "no connection string"),
        ("postgresql://ann:{secret}@host/db?nonsense={secret}", "no connection string"),
    ],
)
async def test_an_address_that_leads_nowhere_is_told_without_its_password(postgres_server, address, told):
    address = address.format(folder=postgres_server.folder, secret=SECRET)
    for opened in (sync_open, async_open):
        with pytest.raises(StoreError, match=told) as raised:
            await opened(address)
        assert SECRET not in "".join(traceback.format_exception(raised.value, limit=0))


async def sync_open(address: str) -> None:
    with PostgresSaver.from_conn_string(address):
        pass


async def async_open(address: str) -> None:
    async with AsyncPostgresSaver.from_conn_string(address):
        pass


def test_the_password_is_not_shown(postgres):
    with PostgresSaver.from_conn_string(f"{postgres} password={SECRET}") as saver:
        assert (
            SECRET not in repr(saver) + repr(saver._database) + repr(saver.conn) + saver._database.link.name
        )
        saver.setup()
    with pytest.raises(StoreError) as raised:
        saver.threads()
    assert SECRET not in "".join(traceback.format_exception(raised.value, limit=0))
