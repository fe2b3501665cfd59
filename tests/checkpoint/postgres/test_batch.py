"""One exchange with the server: several statements sent together, prepared, refused, interrupted."""

from __future__ import annotations

import os
import signal
import threading
import time

import psycopg
import pytest
from psycopg.pq import PipelineStatus, TransactionStatus

from nbhitl.checkpoint.postgres import PostgresSaver, _batch
from nbhitl.checkpoint.postgres._batch import Answer, exchanged

from ..building import Run

INSERT = "INSERT INTO numbers VALUES (?)"


@pytest.fixture
def conn(postgres):
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute("CREATE TABLE numbers (n BIGINT CHECK (n < 100))")
        yield conn


def send(conn, *statements, wanted=None):
    return conn.wait(exchanged(conn, statements, len(statements) if wanted is None else wanted))


def numbers(conn):
    return [n for (n,) in conn.execute("SELECT n FROM numbers ORDER BY n")]


def prepared(conn):
    return [
        name for (name,) in conn.execute("SELECT name FROM pg_prepared_statements WHERE name LIKE 'nbhitl%'")
    ]


def is_usable(conn):
    return (
        conn.pgconn.pipeline_status == PipelineStatus.OFF
        and conn.pgconn.transaction_status == TransactionStatus.IDLE
        and conn.execute("SELECT 1").fetchone() == (1,)
    )


def test_answers_are_rows_and_counts_of_the_last_ones(conn):
    many = "INSERT INTO numbers SELECT generate_series(1, ?)"
    assert send(
        conn, (INSERT, (7,)), (many, (3,)), ("SELECT n FROM numbers WHERE n > ?", (2,)), wanted=2
    ) == [
        Answer([], 3),
        Answer([(7,), (3,)], 2),
    ]
    assert send(conn, ("SELECT ?::text, ?::bytea, ?::bigint, ?::text", ("é?", b"\0\xff", 2**40, None))) == [
        Answer([("é?", b"\0\xff", 2**40, None)], 1)
    ]
    assert is_usable(conn)


@pytest.mark.parametrize("begin", [[], [("BEGIN", ())]])
def test_all_of_it_counts_or_nothing(conn, begin):
    with pytest.raises(psycopg.errors.CheckViolation):
        send(conn, *begin, (INSERT, (1,)), (INSERT, (100,)), (INSERT, (2,)), ("COMMIT", ()))
    if begin:
        assert conn.pgconn.transaction_status == TransactionStatus.INERROR
        send(conn, ("ROLLBACK", ()))
    assert numbers(conn) == []
    assert is_usable(conn)


def test_nothing_is_sent_if_a_value_cannot_be(conn):
    with pytest.raises(UnicodeError):
        send(conn, (INSERT, (1,)), ("SELECT ?", ("\ud800",)))
    assert numbers(conn) == []
    assert is_usable(conn)


def test_what_is_larger_than_all_buffers_goes_both_ways(conn):
    big = os.urandom(4_000_000)
    assert [answer.rows for answer in send(conn, *[("SELECT ?::bytea", (big,))] * 4)] == [[(big,)]] * 4


def test_statements_that_come_often_are_prepared_once(conn):
    for count in range(12):
        send(conn, (INSERT, (1,)), (INSERT, (2,)), ("SELECT count(*) FROM numbers", ()))
        assert len(prepared(conn)) == (count >= 5) + (count >= 2)
    assert numbers(conn) == [1] * 12 + [2] * 12


def test_nothing_is_prepared_on_a_connection_that_must_not(conn):
    """Behind a proxy that hands each transaction another connection of the server's."""
    conn.prepare_threshold = None
    for _ in range(12):
        send(conn, (INSERT, (1,)))
    assert prepared(conn) == []


def test_preparing_has_an_end(conn, monkeypatch):
    monkeypatch.setattr(_batch, "_MOST_PREPARED", 3)
    conn.prepare_threshold = 0
    for number in range(6):
        send(conn, (f"SELECT {number}", ()))
    assert len(prepared(conn)) == 3


def test_a_statement_that_failed_while_it_was_prepared_is_not_called_prepared(conn):
    conn.prepare_threshold = 0
    for _ in range(2):
        with pytest.raises(psycopg.errors.UndefinedTable):
            send(conn, ("SELECT * FROM later WHERE n = ?", (1,)))
    conn.execute("CREATE TABLE later (n BIGINT)")
    assert send(conn, ("SELECT * FROM later WHERE n = ?", (1,))) == [Answer([], 0)]


@pytest.mark.parametrize("begin", [[], [("BEGIN", ())]])
def test_what_somebody_has_discarded_is_prepared_again(conn, begin):
    end = [("COMMIT", ())] if begin else []
    for _ in range(7):
        send(conn, *begin, (INSERT, (1,)), *end)
    conn.execute("DISCARD ALL")
    for _ in range(7):
        send(conn, *begin, (INSERT, (1,)), *end)
    assert numbers(conn) == [1] * 14
    assert prepared(conn) != []
    assert is_usable(conn)


def test_within_a_transaction_it_is_told_that_something_was_discarded(conn):
    for _ in range(7):
        send(conn, (INSERT, (1,)))
    send(conn, ("BEGIN", ()), ("DEALLOCATE ALL", ()))
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        send(conn, (INSERT, (2,)))
    send(conn, ("ROLLBACK", ()))
    send(conn, (INSERT, (3,)))
    assert numbers(conn) == [1] * 7 + [3]


@pytest.mark.parametrize("when", ["_queue", "_received"])
@pytest.mark.parametrize("after", [False, True])
def test_an_interrupted_exchange_leaves_a_connection_to_go_on_with(conn, monkeypatch, when, after):
    """Ctrl-C between any two lines of it."""
    once = [KeyboardInterrupt()]
    whole = getattr(_batch, when)

    def queue(*args):
        found = whole(*args) if after else None
        if once:
            raise once.pop()
        return found if after else whole(*args)

    def received(*args):
        found = (yield from whole(*args)) if after else None
        if once:
            raise once.pop()
        return found if after else (yield from whole(*args))

    with monkeypatch.context() as patch:
        patch.setattr(_batch, when, queue if when == "_queue" else received)
        with pytest.raises(KeyboardInterrupt):
            send(conn, (INSERT, (1,)), (INSERT, (2,)))
    assert numbers(conn) == ([] if (when, after) == ("_queue", False) else [1, 2])
    assert is_usable(conn)
    send(conn, (INSERT, (3,)))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_half_of_an_exchange_never_counts(conn, monkeypatch, number):
    """Ctrl-C while the statements are put together: those that are in the buffer already are undone."""
    asked = []

    def is_due(*args):
        asked.append(args)
        if len(asked) == number:
            raise KeyboardInterrupt
        return False

    with monkeypatch.context() as patch:
        patch.setattr(_batch._Prepared, "is_due", is_due)
        with pytest.raises(KeyboardInterrupt):
            send(conn, *((INSERT, (n,)) for n in range(3)))
    assert numbers(conn) == []
    assert is_usable(conn)


@pytest.mark.skipif(os.name != "posix", reason="a process is sent SIGINT, as POSIX has it")
def test_ctrl_c_ends_what_the_server_does(conn):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    stopping = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    stopping.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            send(conn, (INSERT, (1,)), ("SELECT pg_sleep(20)", ()))
    finally:
        stopping.cancel()
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 10
    assert is_usable(conn)
    assert numbers(conn) == []


def test_the_owner_of_the_connection_may_use_it_meanwhile(postgres):
    with psycopg.connect(postgres, autocommit=True, prepare_threshold=0) as conn:
        run = Run(PostgresSaver(conn))
        run.saver.setup()
        found, done = [], threading.Event()

        def look():
            while not done.is_set():
                found.append(
                    conn.execute("SELECT count(*) FROM nbhitl_steps WHERE ns = %s", ("",)).fetchone()
                )

        looking = threading.Thread(target=look)
        looking.start()
        for number in range(20):
            run.step({"n": number})
            run.pause(f"q{number}")
        done.set()
        looking.join()
        assert run.saver.load(run.key()).values == {"n": 19}
        assert found == sorted(found)
