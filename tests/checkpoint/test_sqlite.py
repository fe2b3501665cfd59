"""The contract on SQLite: files, memory, connections of one's own, sync and async."""

import sqlite3
from contextlib import closing

import aiosqlite
import pytest

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._row_store import QuestionFilter
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import StoreError

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
        with closing(sqlite3.connect(tmp_path / "store.db", check_same_thread=False)) as conn:
            yield SqliteSaver(conn)


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
