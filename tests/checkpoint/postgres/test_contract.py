import asyncio
import doctest
import threading

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool, ConnectionPool

import nbhitl.checkpoint.postgres
from nbhitl.checkpoint.bundle import export_thread, import_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.postgres import PostgresSaver
from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.errors import NewerStore, StoreError

from ..building import Run
from ..contract import SaverContract
from ..test_bundles import busy, shown
from ..values import CLASSES

ALONE = {"autocommit": True}


class PostgresContract(SaverContract):
    names_may_hold_nul = False  # PostgreSQL's text cannot
    knows_of_changes = False


class TestPostgresSaver(PostgresContract):
    @pytest.fixture
    def saver(self, postgres):
        with PostgresSaver.from_conn_string(postgres) as saver:
            yield saver


@pytest.mark.slow
class TestPostgresSaverOnAPool(PostgresContract):
    @pytest.fixture
    def saver(self, postgres):
        with ConnectionPool(postgres, kwargs=ALONE, min_size=1, max_size=4) as pool:
            yield PostgresSaver(pool)


class TestAsyncPostgresSaver(PostgresContract):
    @pytest.fixture
    async def saver(self, postgres):
        async with AsyncPostgresSaver.from_conn_string(postgres) as saver:
            yield saver


@pytest.fixture
def elsewhere():
    """Runs coroutines in an event loop of another thread, which is free while the test calls sync methods."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class TestAsyncPostgresSaverOnALentConnection(PostgresContract):
    @pytest.fixture
    def saver(self, postgres, elsewhere):
        async def opened():
            conn = await psycopg.AsyncConnection.connect(postgres, autocommit=True)
            return AsyncPostgresSaver(conn)

        saver = elsewhere(opened())
        yield saver
        elsewhere(saver.conn.close())


@pytest.mark.slow
class TestAsyncPostgresSaverOnALentPool(PostgresContract):
    @pytest.fixture
    def saver(self, postgres, elsewhere):
        async def opened():
            pool = AsyncConnectionPool(postgres, kwargs=ALONE, min_size=1, max_size=4, open=False)
            await pool.open()
            return AsyncPostgresSaver(pool)

        saver = elsewhere(opened())
        yield saver
        elsewhere(saver.conn.close())


def asks_and_is_answered(run):
    run.step({"n": 0})
    run.pause("q1")
    run.saver.claim(run.request({"q1": 1}))
    run.step({"n": 1})
    return [(claim.state, claim.answer) for claim in run.saver.claims("t")] == [("applied", 1)]


def test_a_pool_may_be_used(postgres, elsewhere):
    with ConnectionPool(postgres, kwargs=ALONE, min_size=1, max_size=4) as pool:
        assert asks_and_is_answered(Run(PostgresSaver(pool)))

    async def opened():
        pool = AsyncConnectionPool(postgres, kwargs=ALONE, min_size=1, max_size=2, open=False)
        await pool.open()
        return AsyncPostgresSaver(pool)

    saver = elsewhere(opened())
    saver.delete_thread("t")
    assert asks_and_is_answered(Run(saver))
    elsewhere(saver.conn.close())


def test_the_example_runs(postgres):
    failed, tried = doctest.testmod(nbhitl.checkpoint.postgres, extraglobs={"address": postgres})
    assert (failed, tried) == (0, 3)


async def test_a_lent_connection_is_not_waited_for_by_its_own_loop(postgres):
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as conn:
        saver = AsyncPostgresSaver(conn)
        run = Run(saver)
        await saver.aput_step(run.record({"n": 1}))
        with pytest.raises(StoreError, match="by the thread that runs its event loop"):
            saver.threads()
        assert [thread.thread_id for thread in await asyncio.to_thread(saver.threads)] == ["t"]
        assert (await saver.aload(CheckpointKey("t", ""))).values == {"n": 1}


def test_a_lent_connection_without_its_loop_is_told(postgres):
    saver = AsyncPostgresSaver(asyncio.run(psycopg.AsyncConnection.connect(postgres, autocommit=True)))
    with pytest.raises(StoreError, match="event loop that does not run"):
        saver.threads()
    asyncio.run(saver.conn.close())


def test_a_newer_store_is_refused(postgres):
    with PostgresSaver.from_conn_string(postgres) as saver:
        saver.setup()
    with psycopg.connect(postgres, autocommit=True) as conn:
        conn.execute("INSERT INTO nbhitl_schema (version) VALUES (99)")
    with PostgresSaver.from_conn_string(postgres) as saver, pytest.raises(NewerStore, match="Upgrade nbhitl"):
        saver.load(CheckpointKey("t", ""))


def test_threads_move_in_and_out(postgres):
    before, after = InMemorySaver(), InMemorySaver()
    after.serde.register(*CLASSES)
    busy(before)
    with PostgresSaver.from_conn_string(postgres) as saver:
        saver.serde.register(*CLASSES)
        import_thread(saver, export_thread(before, "t"))
        assert repr(shown(saver)) == repr(shown(before))
        import_thread(after, export_thread(saver, "t"))
    assert repr(shown(after)) == repr(shown(before))
