"""The leases of answers are kept alive while their nodes run, whatever becomes of other runs and of the store."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from threading import current_thread

import aiosqlite
import pytest

from nbhitl.checkpoint import leases
from nbhitl.checkpoint.claims import is_in_doubt
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import AnswerInDoubt, StoreError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

from .building import Run

CONFIG = {"configurable": {"thread_id": "t"}}


class Failing(InMemorySaver):
    """A saver that cannot be asked for as long as it `fails`."""

    fails = False

    def claims(self, thread_id):
        if self.fails:
            raise StoreError("database is locked")
        return super().claims(thread_id)


@pytest.fixture
def saver():
    return Failing()


def taken(saver, thread):
    """Take an answer up on a new thread, with a lease that is over; return what keeps it alive, and the thread."""
    run = Run(saver, thread)
    run.step()
    run.pause("q")
    request = run.request({"q": "yes"}, at="2020-01-01T00:00:00.000000+00:00")
    saver.claim(request)
    return leases.hold(saver, request), thread


def in_doubt(saver, thread):
    (claim,) = saver.claims(thread)
    assert claim.state == "delivered"
    return is_in_doubt(claim, datetime.now(UTC).isoformat())


def test_only_what_this_run_still_applies_is_renewed(saver):
    run = Run(saver)
    run.step()
    run.pause("q", "r")
    request = run.request({"q": "yes", "r": "no"})
    saver.claim(request)
    held, claims = leases.Held(saver, request), {claim.interrupt_id: claim for claim in saver.claims("t")}
    assert held._applying(claims.values()) == ("q", "r")
    for other in (
        {"thread_id": "u"}, {"ns": "child"}, {"checkpoint_id": "earlier"}, {"interrupt_id": "s"},
        {"state": "applied"}, {"owner": "kernel-2"}, {"lease_until": None},
    ):  # fmt: skip
        assert held._applying([claims["q"]._replace(**other), claims["r"]]) == ("r",)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # its end here
def test_one_thread_renews_until_the_process_ends(saver, monkeypatch):
    began, slept, renewed = leases._keeper, [], []

    def sleep(seconds):
        if current_thread() is began:
            time.sleep(seconds)
        elif slept:
            raise SystemExit
        slept.append((seconds, current_thread().daemon))

    monkeypatch.setattr(leases, "sleep", sleep)
    monkeypatch.setattr(leases, "renew_all", lambda: renewed.append(current_thread()))
    monkeypatch.setattr(leases, "_keeper", None)
    first, _ = taken(saver, "one")
    keeper = leases._keeper
    keeper.join(10)
    assert slept == [(leases.LEASE / 3, True)]
    assert keeper in renewed
    second, _ = taken(saver, "other")
    assert leases._keeper is keeper
    leases.let_go(first)
    leases.let_go(second)


def test_a_lease_is_kept_alive_until_it_is_let_go(saver):
    (first, one), (second, other) = taken(saver, "one"), taken(saver, "other")
    leases.let_go(first)
    leases.renew_all()
    assert (in_doubt(saver, one), in_doubt(saver, other)) == (True, False)
    leases.end(second)
    leases.renew_all()
    assert in_doubt(saver, other)


def test_a_run_that_ends_twice_ends_no_lease_of_the_next_one(saver):
    for number in range(20):
        key, _ = taken(saver, f"before-{number}")
        leases.let_go(key)
        held, thread = taken(saver, f"next-{number}")
        leases.let_go(key)
        leases.end(key)
        leases.renew_all()
        assert not in_doubt(saver, thread)
        leases.let_go(held)


def test_a_store_that_fails_for_a_moment_is_asked_again(saver):
    key, thread = taken(saver, "t")
    saver.fails = True
    leases.renew_all()
    saver.fails = False
    assert in_doubt(saver, thread)
    leases.renew_all()
    assert not in_doubt(saver, thread)
    leases.let_go(key)


def test_what_has_stopped_a_run_is_told_though_its_store_fails_too(saver):
    def ask(state):
        interrupt("Go on?")
        saver.fails = True
        raise KeyboardInterrupt

    graph = StateGraph(dict).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke({}, CONFIG)
    with pytest.raises(KeyboardInterrupt):
        graph.invoke(Command(resume="yes"), CONFIG)


KINDS = (
    "memory",
    "sqlite",
    "aiosqlite",
    "langgraph",
    "postgres",
    "postgres: a connection",
    "postgres: a pool",
)


@asynccontextmanager
async def opened(kind, request):
    """A saver for asyncio, as its users open it."""
    path = str(request.getfixturevalue("tmp_path") / "threads.db")
    if kind == "memory":
        yield InMemorySaver()
    elif kind == "sqlite":
        async with AsyncSqliteSaver.from_conn_string(path) as saver:
            yield saver
    elif kind == "aiosqlite":
        async with aiosqlite.connect(path) as conn:
            yield AsyncSqliteSaver(conn)
    elif kind == "langgraph":
        async with pytest.importorskip("langgraph.checkpoint.sqlite.aio").AsyncSqliteSaver.from_conn_string(
            path
        ) as saver:
            yield saver
    else:
        async with opened_on_a_server(kind, request.getfixturevalue("postgres")) as saver:
            yield saver


@asynccontextmanager
async def opened_on_a_server(kind, address):
    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool

    from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver

    if kind == "postgres":
        async with AsyncPostgresSaver.from_conn_string(address) as saver:
            yield saver
    elif kind == "postgres: a connection":
        async with await AsyncConnection.connect(address, autocommit=True) as conn:
            yield AsyncPostgresSaver(conn)
    else:
        async with AsyncConnectionPool(address, kwargs={"autocommit": True}, min_size=1, max_size=2) as pool:
            yield AsyncPostgresSaver(pool)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_run_that_is_cancelled_ends_its_leases_and_is_told_of_nothing_else(kind, request):
    began = asyncio.Event()

    async def ask(state):
        interrupt("Go on?")
        began.set()
        await asyncio.sleep(60)

    async with opened(kind, request) as saver:
        graph = StateGraph(dict).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
        await graph.ainvoke({}, CONFIG)
        running = asyncio.create_task(graph.ainvoke(Command(resume="yes"), CONFIG))
        await began.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(AnswerInDoubt):
            await graph.ainvoke(None, CONFIG)


class Stopped(Exception):
    """Somebody has stopped waiting."""


def test_leases_are_renewed_three_times_before_they_are_over(saver, monkeypatch):
    slept = []

    def sleep(seconds):
        if slept:
            raise Stopped
        slept.append(seconds)

    monkeypatch.setattr(leases, "sleep", sleep)
    key, thread = taken(saver, "t")
    with pytest.raises(Stopped):
        leases._keep_renewing()
    leases.let_go(key)
    assert not in_doubt(saver, thread)
    assert slept == [leases.LEASE / 3]
