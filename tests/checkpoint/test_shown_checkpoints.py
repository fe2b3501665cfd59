"""Programs that read LangGraph's table `checkpoints` on a saver's connection find the threads there."""

from __future__ import annotations

import gc
import operator
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import aiosqlite
import langgraph.graph
import pytest
from langgraph.checkpoint.sqlite import SqliteSaver as LangGraphSaver
from typing_extensions import TypedDict

import nbhitl.graph
from nbhitl.checkpoint.base import empty_checkpoint
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THREADS = "SELECT DISTINCT thread_id FROM checkpoints ORDER BY thread_id"
STEPS = "SELECT checkpoint_id, parent_checkpoint_id FROM checkpoints WHERE thread_id = ? ORDER BY rowid DESC"


class State(TypedDict):
    log: Annotated[list, operator.add]


def graph_on(saver: Any, engine: Any = nbhitl.graph) -> Any:
    builder = engine.StateGraph(State).add_node("node", lambda state: {"log": ["ran"]})
    return builder.add_edge(engine.START, "node").compile(checkpointer=saver)


def run(saver: Any, thread: str, engine: Any = nbhitl.graph) -> Any:
    graph = graph_on(saver, engine)
    graph.invoke({"log": []}, {"configurable": {"thread_id": thread}})
    return graph


@pytest.fixture(params=["file", "memory"])
def conn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    where = ":memory:" if request.param == "memory" else tmp_path / "threads.db"
    with closing(sqlite3.connect(where, check_same_thread=False)) as opened:
        yield opened


def test_threads_and_steps_are_read(conn: sqlite3.Connection) -> None:
    saver = SqliteSaver(conn)
    for thread in ("b", "a"):
        graph = run(saver, thread)
    graph.update_state({"configurable": {"thread_id": "c"}}, {"log": ["by hand"]}, as_node="node")
    conn.row_factory = sqlite3.Row  # how the program reads is its own affair
    assert [row["thread_id"] for row in conn.execute(THREADS)] == ["a", "b", "c"]
    conn.row_factory = None
    known = [
        (snapshot.config["configurable"]["checkpoint_id"], (snapshot.parent_config or {}).get("configurable"))
        for snapshot in graph.get_state_history({"configurable": {"thread_id": "a"}})
    ]
    expected = [(own, parent and parent["checkpoint_id"]) for own, parent in known]
    assert len(expected) == 3
    assert conn.cursor().execute(STEPS, ("a",)).fetchall() == expected


def test_an_id_that_is_no_uuid(conn: sqlite3.Connection) -> None:
    saver = SqliteSaver(conn)
    config: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": "node"}}
    saver.put(config, {**empty_checkpoint(), "id": "first"}, {}, {})
    rows = conn.execute("SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id FROM checkpoints")
    assert rows.fetchall() == [("node", "first", None)]


def test_a_saver_of_langgraphs_on_the_same_connection(conn: sqlite3.Connection) -> None:
    ours = SqliteSaver(conn)
    mine = run(ours, "ours")
    theirs = run(LangGraphSaver(conn), "theirs", langgraph.graph)
    assert conn.execute(THREADS).fetchall() == [("theirs",)]
    for graph, thread in ((mine, "ours"), (theirs, "theirs")):
        config = {"configurable": {"thread_id": thread}}
        assert graph.invoke({"log": []}, config) == {"log": ["ran", "ran"]}
        assert graph.get_state(config).values == {"log": ["ran", "ran"]}


def test_a_table_of_that_name_comes_first(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "threads.db", check_same_thread=False)) as other:
        other.execute("CREATE TABLE checkpoints (thread_id TEXT)")
        other.execute("INSERT INTO checkpoints VALUES ('of the program')")
        other.commit()
        with SqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
            run(saver, "ours")
            assert saver.conn.execute(THREADS).fetchall() == [("of the program",)]
            other.execute("DROP TABLE checkpoints")
            assert saver.conn.execute(THREADS).fetchall() == [("ours",)]


def test_a_second_saver_of_a_connection(conn: sqlite3.Connection) -> None:
    run(SqliteSaver(conn), "1")
    gc.collect()
    saver = SqliteSaver(conn)
    run(saver, "2")
    assert conn.execute(THREADS).fetchall() == [("1",), ("2",)]


def test_a_file_is_read_without_its_saver(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "threads.db")) as conn:
        run(SqliteSaver(conn), "1")
        gc.collect()
        assert conn.execute(THREADS).fetchall() == [("1",)]


def test_a_saver_works_where_nothing_may_be_attached(conn: sqlite3.Connection) -> None:
    def refuse(action: int, *_: object) -> int:
        return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK

    conn.set_authorizer(refuse)
    assert run(SqliteSaver(conn), "1")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        conn.execute(THREADS)


def test_nothing_can_be_changed_there(conn: sqlite3.Connection) -> None:
    saver = SqliteSaver(conn)
    run(saver, "1")
    with pytest.raises(sqlite3.OperationalError, match="it is a view"):
        conn.execute("DELETE FROM checkpoints WHERE thread_id = '1'")
    run(saver, "1")


def test_a_file_opened_for_reading_only(tmp_path: Path) -> None:
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.db")) as saver:
        run(saver, "1")
    address = f"{(tmp_path / 'threads.db').as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as conn:
        reading = SqliteSaver(conn)
        assert len(list(reading.list(None))) == 3
        assert conn.execute(THREADS).fetchall() == [("1",)]


@pytest.mark.parametrize("where", ["file", "memory"])
async def test_awaited_connections(where: str, tmp_path: Path) -> None:
    def at(name: str) -> str:
        return ":memory:" if where == "memory" else str(tmp_path / name)

    config = {"configurable": {"thread_id": "1"}}
    async with AsyncSqliteSaver.from_conn_string(at("own.db")) as saver:
        await graph_on(saver).ainvoke({"log": []}, config)
        assert await (await saver.conn.execute(THREADS)).fetchall() == [("1",)]
    async with aiosqlite.connect(at("lent.db")) as conn:
        saver = AsyncSqliteSaver(conn)
        await graph_on(saver).ainvoke({"log": []}, config)
        assert [*await (await conn.execute(THREADS)).fetchall()] == [("1",)]
