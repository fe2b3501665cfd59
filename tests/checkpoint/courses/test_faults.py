"""What fails or is stopped at any statement: the caller is told, the store is as before or after, and all goes on.

Each operation is done again and again, in a new store, with a fault at its first statement, at its second and so on.
Afterwards the saver tells what a fresh one tells, which has kept nothing in memory, and the thread can be finished.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import ExitStack, asynccontextmanager, closing, suppress

import aiosqlite
import psycopg
import pytest

from nbhitl.checkpoint.postgres import _links
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.errors import AlreadyAnswered, AnswerInDoubt, EffectInDoubt, StoreError
from nbhitl.types import Command

from .acts import LATER, told
from .kinds import POSTGRES, SQLITE
from .worlds import AsyncWorld, World

CONFIG = {"configurable": {"thread_id": "t"}}
MOST = 80


class Fault:
    """Happens at one of the statements to come, in the way that it is told."""

    def __init__(self):
        self._left, self._way, self.happened = 0, None, False
        self.task = None  # what a fault may cancel

    def arm(self, number, way):
        """Happen at the statement of this number, from 0 on: `way` is given what would send it."""
        self._left, self._way, self.happened = number, way, False

    def disarm(self):
        self._way = None

    def send(self, send):
        """Send a statement, or let it go wrong."""
        if self._way is None:
            return send()
        self._left -= 1
        if self._left >= 0:
            return send()
        way, self._way, self.happened = self._way, None, True
        return way(send)


FAULT = Fault()


class Faulty(sqlite3.Connection):
    """A connection whose statements may go wrong."""

    def execute(self, *statement):
        return FAULT.send(lambda: sqlite3.Connection.execute(self, *statement))

    def executemany(self, sql, rows):
        if not rows:  # nothing is done
            return super().executemany(sql, rows)
        return FAULT.send(lambda: sqlite3.Connection.executemany(self, sql, rows))


def is_full(send):
    raise sqlite3.OperationalError("database or disk is full")


def stops_before(send):
    stop()
    return send()


def stops_after(send):
    found = send()
    stop()
    return found


def stop():
    """Ctrl-C comes in the main thread; what is written in the background goes on."""
    if threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


def run(world):
    world.call(world.graph, "invoke", {"log": [1]}, CONFIG)


def answer(world):
    asked = world.call(world.graph, "get_state", CONFIG).interrupts
    world.call(world.graph, "invoke", Command(resume={each.id: "yes" for each in asked}), CONFIG)


def update(world):
    world.call(world.graph, "update_state", CONFIG, {"log": ["by hand"]}, as_node="first")


def drop(world):
    for question in world.call(world.saver, "pending"):
        world.call(world.saver, "drop", *question[:3], [question.interrupt_id])


def move(world):
    world.imported(world.bundle, thread_id="u", replace=True)


OPERATIONS = {
    "run": ((), run),
    "answer": ((run,), answer),
    "update": ((run,), update),
    "prune": ((run, answer, run), lambda world: world.call(world.saver, "prune", ["t"])),
    "prune older": ((run, answer, run), lambda world: world.call(world.saver, "prune_older", LATER)),
    "copy": ((run, answer), lambda world: world.call(world.saver, "copy_thread", "t", "u")),
    "delete": ((run, answer), lambda world: world.call(world.saver, "delete_thread", "t")),
    "drop": ((run,), drop),
    "move": ((run, answer), move),
}


def finish(world):
    """Go on until the thread has ended; what is in doubt is looked at, as its error says."""
    for _ in range(12):
        state = world.call(world.graph, "get_state", CONFIG)
        if state.values and not state.next:
            return
        try:
            if state.interrupts:
                answer(world)
            elif state.next:
                world.call(world.graph, "invoke", None, CONFIG)
            else:
                run(world)
        except EffectInDoubt:
            (doubt,) = [e for e in world.call(world.saver, "once_entries", "t") if e.state == "started"]
            world.call(world.saver, "settle_once", "t", doubt.key, 1)
        except (AnswerInDoubt, AlreadyAnswered):
            for question in world.call(world.saver, "pending", states="delivered"):
                world.call(world.saver, "release", *question[:3], [question.interrupt_id])
    raise AssertionError("the thread does not end")


def told_anew(world, opened):
    """Return what a saver tells that has just opened the store."""
    with closing(opened()) as fresh:
        fresh.names, fresh.effects = world.names, world.effects
        return told(fresh)


class TellsWhat:
    """A block that may end with a StoreError, which names the store and, if it is about one, the thread."""

    def __init__(self, operation):
        self._reads_all = operation in ("drop", "prune older")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if not isinstance(error, StoreError):
            return False
        assert " store " in str(error)
        assert "thread '" in str(error) or self._reads_all
        return True


def is_told(world, opened, operation, way, number):
    """Do an operation with a fault at a statement; return whether it has that many."""
    before, act = OPERATIONS[operation]
    for each in before:
        each(world)
    world.bundle = world.exported("t") if before else None
    told(world)
    FAULT.arm(number, way)
    with suppress(KeyboardInterrupt, asyncio.CancelledError), TellsWhat(operation):
        act(world)
    FAULT.disarm()
    if not FAULT.happened:
        return False
    assert told(world) == told_anew(world, opened), number
    if operation in ("run", "answer", "update", "prune", "prune older", "copy", "move"):
        finish(world)
    assert len(set(world.effects)) == len(world.effects)
    assert told(world) == told_anew(world, opened), number
    return True


def tried(shape, operation, ways, opened):
    """Let each statement of an operation go wrong, in one of the ways or in each; `opened` gives a world and the next."""
    for number in range(MOST):
        for way in ways(number):
            with ExitStack() as stack:
                world, anew = opened(stack, shape)
                if not is_told(world, anew, operation, way, number):
                    assert number > 0
                    return
    raise AssertionError("too many statements")


def by_turns(ways):
    return lambda number: (ways[number % len(ways)],)


def one_after_another(ways):
    return lambda number: ways


def on_sqlite(folder):
    def opened(stack, shape):
        path = str(folder / f"{time.monotonic_ns()}.db")

        def saver(stack):
            how = {"factory": Faulty, "check_same_thread": False, "isolation_level": None}
            return SqliteSaver(stack.enter_context(closing(sqlite3.connect(path, **how))))

        return stack.enter_context(closing(World(shape, saver))), lambda: SQLITE["sqlite"](shape, path)

    return opened


STOPS = (is_full, stops_before, stops_after)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_on_sqlite_at_any_statement(operation, tmp_path):
    tried("once", operation, by_turns(STOPS), on_sqlite(tmp_path))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", ["once", "twice", "beside", "own child"])
def test_each_fault_on_sqlite_at_any_statement(shape, operation, tmp_path):
    tried(shape, operation, one_after_another(STOPS), on_sqlite(tmp_path))


class Exchange:
    """Statements that are about to be sent to PostgreSQL."""

    def __init__(self, exchange, link, conn, batch, wanted):
        self._exchange, self._link, self._wanted = exchange, link, wanted
        self.conn, self.batch = conn, batch

    def __call__(self):
        return self._exchange(self._link, self.conn, self.batch, self._wanted)


def is_lost_before(send):
    send.conn.close()
    raise psycopg.errors.AdminShutdown("terminating connection due to administrator command")


def is_lost_after(send):
    send()
    send.conn.close()
    raise psycopg.OperationalError("server closed the connection unexpectedly")


def is_refused(send):
    """By the server, at the last of the statements."""
    raising = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'lost'; END $$"
    send.batch = [*send.batch[:-1], (raising, ()), *send.batch[-1:]]
    return send()


ON_A_SERVER = (is_refused, is_lost_before, is_lost_after, stops_before, stops_after)


@pytest.fixture
def faulty_server(postgres_server, monkeypatch):
    """A server of which each exchange may go wrong; returns what gives an empty place in it."""
    for kind in (_links.Link, _links.LentLink):

        def exchange(link, conn, batch, wanted=1, sent=kind.exchange):
            return FAULT.send(Exchange(sent, link, conn, batch, wanted))

        monkeypatch.setattr(kind, "exchange", exchange)
    return postgres_server.fresh


def on_a_server(kind, fresh):
    def opened(stack, shape):
        address = fresh()
        world = stack.enter_context(closing(POSTGRES[kind](shape, address)))
        return world, lambda: POSTGRES["postgres"](shape, address)

    return opened


@pytest.mark.parametrize("operation", ["run", "answer", "copy"])
def test_a_fault_on_a_server_at_any_exchange(operation, faulty_server):
    tried("once", operation, by_turns(ON_A_SERVER), on_a_server("postgres", faulty_server))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", ["once", "twice", "beside", "own child"])
@pytest.mark.parametrize("kind", ["postgres", "pool"])
def test_each_fault_on_a_server_at_any_exchange(kind, shape, operation, faulty_server):
    tried(shape, operation, one_after_another(ON_A_SERVER), on_a_server(kind, faulty_server))


class Cancelled(AsyncWorld):
    """A world in which what is awaited may be cancelled."""

    def run(self, coroutine):
        async def noted():
            FAULT.task = asyncio.current_task()
            return await coroutine

        return super().run(noted())


def cancels(send):
    """Cancel what waits for the statement, in the thread of its event loop, which is another one or this."""
    FAULT.task.get_loop().call_soon_threadsafe(FAULT.task.cancel)
    time.sleep(0.002)
    return send()


@asynccontextmanager
async def own(path):
    conn = sqlite3.connect(path, factory=Faulty, check_same_thread=False, isolation_level=None)
    with closing(conn):
        saver = AsyncSqliteSaver(conn)
        yield saver
        await saver._close()


@asynccontextmanager
async def lent(path):
    async with aiosqlite.connect(path, factory=Faulty) as conn:
        yield AsyncSqliteSaver(conn)


def in_a_loop(kind, folder, request):
    if kind in POSTGRES:
        on_the_server = on_a_server(kind, request.getfixturevalue("faulty_server"))

        def opened(stack, shape):
            world, anew = on_the_server(stack, shape)
            world.__class__ = Cancelled
            return world, anew

        return opened

    def opened(stack, shape):
        path = str(folder / f"{time.monotonic_ns()}.db")
        saver = (lent if kind == "aiosqlite" else own)(path)
        return stack.enter_context(closing(Cancelled(shape, lambda _: saver))), lambda: SQLITE["sqlite"](
            shape, path
        )

    return opened


IN_A_LOOP = ("async sqlite", "aiosqlite", "async postgres", "lent by a loop")


@pytest.mark.parametrize("kind", IN_A_LOOP)
@pytest.mark.parametrize("operation", ["answer"])
def test_a_run_that_is_cancelled_at_any_statement(kind, operation, tmp_path, request):
    tried("once", operation, by_turns((cancels,)), in_a_loop(kind, tmp_path, request))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", IN_A_LOOP)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", ["once", "twice", "beside", "own child"])
def test_whatever_is_cancelled_at_any_statement(kind, shape, operation, tmp_path, request):
    tried(shape, operation, by_turns((cancels,)), in_a_loop(kind, tmp_path, request))
