"""The first steps of a new thread: sent with what follows them, found by whoever looks, never lost without a word."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from textwrap import dedent
from typing import TypedDict

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from nbhitl.checkpoint import _background
from nbhitl.checkpoint.postgres import PostgresSaver, _links, _waiting
from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.errors import StoreError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from ..building import Run

CONFIG = {"configurable": {"thread_id": "t"}}
TWO = 2
"""First steps of a new thread: of its input, and of START."""


class State(TypedDict, total=False):
    n: int
    big: bytes


@pytest.fixture
def saver(postgres):
    with PostgresSaver.from_conn_string(postgres) as saver:
        saver.setup()
        yield saver


@pytest.fixture
def other(postgres, saver):
    with psycopg.connect(postgres, autocommit=True) as conn:
        yield conn


@pytest.fixture
def patient(monkeypatch):
    """Nothing is written by the background."""
    monkeypatch.setattr(_background.Writer, "watch", lambda self, late: None)


def graph(saver, node=lambda state: {"n": interrupt("how many?")}):
    return StateGraph(State).add_node("ask", node).add_edge(START, "ask").compile(checkpointer=saver)


def steps(conn, thread="t"):
    return conn.execute("SELECT count(*) FROM nbhitl_steps WHERE thread_id = %s", (thread,)).fetchone()[0]


def waiting(saver):
    return len(saver._database.waiting.rows)


def seen_from_outside(saver, other, found):
    def node(state):
        found.append((waiting(saver), steps(other)))
        return {"n": interrupt("how many?")}

    return node


def test_a_question_and_its_answer_take_five_exchanges(saver, monkeypatch):
    """Look, pause; look, claim, end."""
    asking, sent = graph(saver), []
    exchange = _links.Link.exchange
    monkeypatch.setattr(
        _links.Link,
        "exchange",
        lambda self, conn, batch, wanted=1: sent.append(batch) or exchange(self, conn, batch, wanted),
    )
    assert asking.invoke({"n": 0}, CONFIG)["__interrupt__"]
    assert len(sent) == 2
    assert asking.invoke(Command(resume=7), CONFIG)["n"] == 7
    assert len(sent) == 5


@pytest.mark.usefixtures("patient")
def test_they_are_there_with_the_pause(saver, other):
    found = []
    asking = graph(saver, seen_from_outside(saver, other, found))
    asking.invoke({"n": 0}, CONFIG)
    assert found == [(TWO, 0)]
    assert (waiting(saver), steps(other)) == (0, TWO)
    assert [snapshot.metadata["step"] for snapshot in asking.get_state_history(CONFIG)] == [0, -1]


@pytest.mark.usefixtures("patient")
def test_with_durability_sync_none_waits(saver, other):
    found = []
    graph(saver, seen_from_outside(saver, other, found)).invoke({"n": 0}, CONFIG, durability="sync")
    assert found == [(0, TWO)]


@pytest.mark.usefixtures("patient")
def test_on_a_connection_or_pool_of_the_callers_none_waits(postgres, other):
    found = []
    with psycopg.connect(postgres, autocommit=True) as conn:
        saver = PostgresSaver(conn)
        graph(saver, seen_from_outside(saver, other, found)).invoke({"n": 0}, CONFIG)
    with ConnectionPool(postgres, kwargs={"autocommit": True}, min_size=1, max_size=2) as pool:
        saver = PostgresSaver(pool)
        graph(saver, seen_from_outside(saver, other, found)).invoke({"n": 0}, CONFIG)
    assert found == [(0, TWO), (0, 2 * TWO)]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("thread", ["é", "x" * 600])
def test_what_the_server_may_refuse_is_sent_at_once(saver, thread):
    found = []

    def node(state):
        found.append(waiting(saver))

    graph(saver, node).invoke({"n": 0}, {"configurable": {"thread_id": thread}})
    graph(saver, node).invoke({"big": bytes(100_000)}, CONFIG)
    with pytest.raises(StoreError, match="without the character NUL"):
        graph(saver, node).invoke({"n": 0}, {"configurable": {"thread_id": "a\0b"}})
    assert found == [0, 0]


def test_others_see_them_a_moment_later_however_long_the_node_takes(saver, other):
    def node(state):
        patience = time.monotonic() + 10
        while steps(other) < TWO and time.monotonic() < patience:
            time.sleep(0.002)
        return {"n": steps(other)}

    assert graph(saver, node).invoke({"n": 0}, CONFIG)["n"] == TWO
    assert waiting(saver) == 0


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    "look",
    [
        lambda saver: saver.load(CheckpointKey("t", "")).values["n"] == 0,
        lambda saver: [thread.thread_id for thread in saver.threads()] == ["t"],
        lambda saver: len(list(saver.list(CONFIG))) == TWO,
        lambda saver: saver.pending() == [],
    ],
)
def test_whoever_reads_finds_them(saver, look):
    found = []
    graph(saver, lambda state: found.append((look(saver), waiting(saver)))).invoke({"n": 0}, CONFIG)
    assert found == [(True, 0)]


@pytest.mark.usefixtures("patient")
def test_what_is_done_with_the_thread_comes_after_them(saver, other):
    def copy(state):
        saver.copy_thread("t", "u")
        saver.delete_thread("t")

    graph(saver, copy).invoke({"n": 0}, CONFIG)
    assert steps(other, "u") == TWO
    assert [step.values["n"] for step in saver.history("t", "")] == [0]


@pytest.mark.usefixtures("patient")
def test_a_failing_node_leaves_them(saver, other):
    with pytest.raises(ZeroDivisionError):
        graph(saver, lambda state: 1 / 0).invoke({"n": 0}, CONFIG)
    assert (waiting(saver), steps(other)) == (0, TWO)
    assert graph(saver).get_state(CONFIG).tasks[0].error


@pytest.mark.usefixtures("patient")
def test_a_change_that_is_undone_leaves_them_to_wait(saver, other):
    found = []

    def look_and_stop():
        with saver._rows.atomic("t"):
            assert saver._rows.step("t", "", None) is not None  # they are written here, and undone
            raise KeyboardInterrupt

    def node(state):
        with pytest.raises(KeyboardInterrupt):
            look_and_stop()
        found.append((waiting(saver), steps(other)))

    graph(saver, node).invoke({"n": 0}, CONFIG)
    assert found == [(TWO, 0)]
    assert steps(other) == TWO + 1


@pytest.mark.usefixtures("patient")
def test_a_connection_lost_meanwhile_loses_none(saver, other):
    def drop(state):
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (saver.conn.info.backend_pid,))
        return {"n": interrupt("how many?")}

    asking = graph(saver, drop)
    assert asking.invoke({"n": 0}, CONFIG)["__interrupt__"]
    assert steps(other) == TWO


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("is_committed", [False, True])
def test_a_pause_that_may_have_been_lost_is_told_and_they_wait_on(saver, other, monkeypatch, is_committed):
    exchange, asking = _links.Link.exchange, graph(saver)
    armed = []

    def lose(self, conn, batch, wanted=1):
        if armed and len(batch) > 1:
            armed.clear()
            if is_committed:
                exchange(self, conn, batch, wanted)
            conn.close()
            raise psycopg.OperationalError("the server closed the connection")
        return exchange(self, conn, batch, wanted)

    monkeypatch.setattr(_links.Link, "exchange", lose)
    armed.append(True)
    with pytest.raises(StoreError, match=r"thread 't'.*whether the last change was saved is not known"):
        asking.invoke({"n": 0}, CONFIG)
    assert waiting(saver) == TWO
    assert bool(asking.get_state(CONFIG).interrupts) is is_committed
    assert (waiting(saver), steps(other)) == (0, TWO)
    assert len(saver.pending()) == is_committed
    assert asking.invoke(None, CONFIG)["__interrupt__"]
    assert asking.invoke(Command(resume=7), CONFIG)["n"] == 7


@pytest.mark.usefixtures("patient")
def test_steps_that_the_server_refuses_are_told_to_whoever_asks_and_to_their_run(saver, other):
    other.execute("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON nbhitl_steps EXECUTE FUNCTION refuse()
    """)
    asking = graph(saver)
    with pytest.raises(StoreError, match="thread 't': no room"):
        asking.invoke({"n": 0}, CONFIG)
    with pytest.raises(StoreError, match="thread 't': no room"):
        saver.threads()
    assert saver.threads() == saver.pending() == []
    assert waiting(saver) == 0
    with pytest.raises(StoreError, match="thread 't': its first steps could not be saved"):
        saver.put_pending(CheckpointKey("t", "", "1"), [])
    other.execute("DROP TRIGGER refuse ON nbhitl_steps")
    assert asking.invoke({"n": 0}, CONFIG)["__interrupt__"]
    assert steps(other) == TWO


@pytest.mark.usefixtures("patient")
def test_two_that_start_the_same_thread_both_leave_their_steps(saver, other, postgres):
    """The later one's question counts, as it would if each step was sent at once."""
    with PostgresSaver.from_conn_string(postgres) as second:

        def meanwhile(state):
            graph(second).invoke({"n": 1}, CONFIG)
            return {"n": interrupt("how many?")}

        graph(saver, meanwhile).invoke({"n": 0}, CONFIG)
    assert steps(other) == 2 * TWO
    assert graph(saver).get_state(CONFIG).values == {"n": 1}
    assert len(saver.pending()) == 2


@pytest.mark.usefixtures("patient")
def test_a_question_of_before_is_over(saver, postgres):
    """Somebody else has asked on the thread after this run looked, and before it began."""
    asked = Run(saver)
    asked.step({"n": 1})
    asked.pause("q1")
    with PostgresSaver.from_conn_string(postgres) as second:
        second.setup()
        later = Run(second)
        record = later.record({"n": 0}, source="input")
        record.hurries = True
        second.put_step(record)
        assert waiting(second) == 1
        second.put_pending(CheckpointKey("t", "", record.checkpoint_id), [])
    assert [claim.state for claim in saver.claims("t")] == ["dropped"]


def test_a_saver_that_ends_has_written_them(postgres, saver, other, monkeypatch):
    monkeypatch.setattr(_background.Writer, "watch", lambda self, late: None)
    with PostgresSaver.from_conn_string(postgres) as ending:
        ending.setup()
        stream = graph(ending).stream({"n": 0}, CONFIG, stream_mode="checkpoints")
        next(stream)
        next(stream)
        stream.close()
    assert steps(other) == TWO


async def test_so_has_an_async_one(postgres, saver, other, monkeypatch):
    monkeypatch.setattr(_background.Writer, "watch", lambda self, late: None)
    async with AsyncPostgresSaver.from_conn_string(postgres) as ending:
        await ending.setup()
        found = []

        async def node(state):
            found.append((waiting(ending), steps(other)))
            return {"n": interrupt("how many?")}

        await graph(ending, node).ainvoke({"n": 0}, CONFIG)
    assert found == [(TWO, 0)]
    assert steps(other) == TWO


def test_without_threads_in_the_background_none_waits(saver, other, monkeypatch):
    def refuse(self, late):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_background.Writer, "watch", refuse)
    found = []
    graph(saver, seen_from_outside(saver, other, found)).invoke({"n": 0}, CONFIG)
    assert found == [(0, TWO)]


def test_after_slow_nodes_the_next_threads_do_not_wait(saver, monkeypatch):
    monkeypatch.setattr(_waiting, "_SKIPPED", 2)
    found = []
    asking = graph(saver, lambda state: found.append(waiting(saver)))
    late = saver._database.waiting

    def slow(state):
        late.write_behind(time.monotonic() + 60)

    graph(saver, slow).invoke({"n": 0}, {"configurable": {"thread_id": "slow"}})
    for thread in "abc":
        asking.invoke({"n": 0}, {"configurable": {"thread_id": thread}})
    assert found == [0, 0, TWO]


@pytest.mark.usefixtures("patient")
def test_the_background_does_not_wait_for_a_connection_in_use(saver, other):
    late = saver._database.waiting
    found = []

    def node(state):
        conn = saver._database.borrow()
        try:
            behind = threading.Thread(target=late.write_behind, args=(time.monotonic() + 60,))
            behind.start()
            behind.join(10)
            found.append((behind.is_alive(), waiting(saver)))
            told = []

            def at_exit():
                with pytest.raises(StoreError, match="keeps its connection in use"):
                    late.write_at_exit(0.01)
                told.append(True)

            ending = threading.Thread(target=at_exit)
            ending.start()
            ending.join(10)
            found.append(told)
        finally:
            saver._database.link.give_back(conn)
        late.write_at_exit(1.0)
        found.append((waiting(saver), steps(other)))

    graph(saver, node).invoke({"n": 0}, CONFIG)
    assert found == [(False, TWO), [True], (0, TWO)]


def test_a_process_that_ends_has_written_them(postgres, saver, other):
    program = dedent("""
        import sys
        from nbhitl.checkpoint import _background
        from nbhitl.checkpoint.postgres import PostgresSaver
        from nbhitl.graph import START, StateGraph

        _background.Writer.tick = lambda self, now: None
        opened = PostgresSaver.from_conn_string(sys.argv[1])
        saver = opened.__enter__()
        saver.setup()
        graph = StateGraph(dict).add_node("end", lambda state: sys.exit(3)).add_edge(START, "end")
        graph.compile(checkpointer=saver).invoke({}, {"configurable": {"thread_id": "t"}})
    """)
    ended = subprocess.run([sys.executable, "-c", program, postgres], timeout=60, check=False)
    assert ended.returncode == 3
    assert steps(other) == TWO


def test_a_forked_process_leaves_them_to_its_parent(saver):
    late = saver._database.waiting
    row = ("t", "", "1", None, "", None, 1, 1, 1, b"", b"")
    assert late.take(row)
    late.forget_waiting()
    assert late.rows == []
