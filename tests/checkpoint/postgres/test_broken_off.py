"""Transactions in PostgreSQL that fail or that Ctrl-C breaks off."""

from __future__ import annotations

import threading

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from nbhitl.checkpoint.postgres import PostgresSaver, _database, _links, queries
from nbhitl.errors import StoreError

from ..building import Run


def test_a_failed_transaction_leaves_nothing(run, other):
    other.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON nbhitl_questions EXECUTE FUNCTION refuse()
    """)
    record = run.record({"n": 1})
    with pytest.raises(StoreError, match="thread 't'"):
        run.saver.put_step(record)
    assert run.saver.load(run.key()).values == {"n": 0}
    other.execute("DROP TRIGGER refuse ON nbhitl_questions")
    run.saver.put_step(record)
    assert run.saver.load(run.key()).values == {"n": 1}


@pytest.mark.parametrize("code", ["serialization_failure", "deadlock_detected"])
def test_what_lost_against_another_transaction_can_be_done_again(run, other, code):
    other.execute(f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'lost'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON nbhitl_questions EXECUTE FUNCTION refuse()
    """)
    with pytest.raises(StoreError, match=r"thread 't': lost\. .*nothing was saved; do it again"):
        run.saver.claim(run.request({"q1": "yes"}))
    other.execute("DROP TRIGGER refuse ON nbhitl_questions")
    assert [claim.state for claim in run.saver.claim(run.request({"q1": "yes"}))] == ["delivered"]


def test_a_step_of_the_same_id_is_refused(saver):
    run = Run(saver)
    record = run.record({"n": 1})
    saver.put_step(record)
    with pytest.raises(StoreError, match=r"thread 't'.*of this id is there already"):
        saver.put_step(record)


def test_a_deleted_parent_is_seen_in_time(run, postgres):
    """Who deletes a thread holds its steps: a step that comes meanwhile waits, and is then stored whole."""
    run.saver.drop(*run.place(), ["q1"])
    record = run.record({"m": 1})
    run.saver._read_tip("t", "", run.head)
    with PostgresSaver.from_conn_string(postgres) as deleting:
        rows = deleting._rows
        with rows.atomic("t", rewriting=True):
            rows.delete_thread("t")
            rows.questions("t")
            late = threading.Thread(target=run.saver.put_step, args=(record,))
            late.start()
            late.join(0.1)
            assert late.is_alive()
        late.join(10)
        assert deleting.load(run.key()).values == {"n": 0, "m": 1}


def delete_in_vain(run, error=None):
    with run.saver._rows.atomic("t"):
        run.saver._rows.delete_thread("t")
        assert run.saver._rows.step("t", "", None) is None
        if error is not None:
            raise error


@pytest.fixture(params=["own", "lent", "pool"])
def stopped(request, postgres):
    """A saver whose user pressed Ctrl-C just when a transaction was about to end, which Python does not run then."""
    if request.param == "own":
        opened = PostgresSaver.from_conn_string(postgres)
    elif request.param == "lent":
        opened = psycopg.connect(postgres, autocommit=True)
    else:
        opened = ConnectionPool(postgres, kwargs={"autocommit": True}, min_size=1, max_size=1, timeout=5)
    with opened as given, pytest.MonkeyPatch.context() as patch:
        run = Run(given if isinstance(given, PostgresSaver) else PostgresSaver(given))
        run.step({"n": 0})

        def stop(*args):
            raise KeyboardInterrupt

        patch.setattr(_database.Transaction, "__exit__", stop)
        with pytest.raises(KeyboardInterrupt):
            delete_in_vain(run)
        patch.undo()
        yield run


def test_a_transaction_that_ctrl_c_left_open_is_undone(stopped, other):
    assert stopped.saver.load(stopped.key()).values == {"n": 0}
    other.execute("SET lock_timeout = '5s'")
    other.execute(queries.LOCK_THREAD.replace("?", "%s"), ("t",))


def test_so_it_is_by_the_next_change(stopped):
    stopped.pause("q1")
    stopped.saver.claim(stopped.request({"q1": "yes"}))
    stopped.step({"n": 1})
    assert stopped.saver.load(stopped.key()).values == {"n": 1}


def test_a_connection_on_which_nothing_can_be_undone_is_given_up(run, monkeypatch):
    exchange = _links.Link.exchange

    def fail(self, conn, batch, wanted=1):
        if batch[0][0] == "ROLLBACK":
            raise psycopg.errors.QueryCanceled("canceling statement due to user request")
        return exchange(self, conn, batch, wanted)

    with monkeypatch.context() as patch:
        patch.setattr(_links.Link, "exchange", fail)
        with pytest.raises(RuntimeError, match="stop"):
            delete_in_vain(run, RuntimeError("stop"))
    assert run.saver.load(run.key()).values == {"n": 0}
