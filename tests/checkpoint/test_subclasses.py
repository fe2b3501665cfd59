"""Classes derived from the savers and stores: `from_conn_string` makes them as their own `__init__` says."""

from __future__ import annotations

import sqlite3
from contextlib import AsyncExitStack

import pytest

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver
from nbhitl.graph import START, StateGraph
from nbhitl.store.sqlite import AsyncSqliteStore, SqliteStore
from nbhitl.types import Command, interrupt

KINDS = [
    f"{how} {what} in {where}"
    for where in ("sqlite", "postgres")
    for what in ("saver", "store")
    for how in ("sync", "async")
]


def class_of(kind):
    if "sqlite" in kind:
        saver, store = (SqliteSaver, AsyncSqliteSaver), (SqliteStore, AsyncSqliteStore)
    else:
        from nbhitl.checkpoint.postgres import PostgresSaver
        from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver
        from nbhitl.store.postgres import AsyncPostgresStore, PostgresStore

        saver, store = (PostgresSaver, AsyncPostgresSaver), (PostgresStore, AsyncPostgresStore)
    return (saver if "saver" in kind else store)["async" in kind]


def address_of(kind, request):
    return ":memory:" if "sqlite" in kind else request.getfixturevalue("postgres")


async def entered(stack, block):
    """What a `with` or an `async with` block gives."""
    if hasattr(block, "__aenter__"):
        return await stack.enter_async_context(block)
    return stack.enter_context(block)


def is_closed(conn):
    if isinstance(conn, sqlite3.Connection):
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            conn.execute("SELECT 1")
        return True
    return conn.closed


@pytest.mark.parametrize("kind", KINDS)
async def test_the_connection_of_one_that_is_not_made_is_closed(kind, request):
    made = []

    class Refusing(class_of(kind)):
        def __init__(self, conn, **options):
            super().__init__(conn, **options)
            made.append(conn)
            raise ValueError("not today")

    async with AsyncExitStack() as stack:
        with pytest.raises(ValueError, match="not today"):
            await entered(stack, Refusing.from_conn_string(address_of(kind, request)))
    (conn,) = made
    assert is_closed(conn)


@pytest.mark.parametrize("kind", KINDS)
async def test_one_has_what_its_own_init_gave_it_and_is_closed_at_the_end(kind, request):
    class Counting(class_of(kind)):
        def __init__(self, conn, **options):
            self.given, self.calls = conn, 0
            super().__init__(conn, **options)

    async with AsyncExitStack() as stack:
        made = await entered(stack, Counting.from_conn_string(address_of(kind, request)))
        done = made.setup()
        if "async" in kind:
            await done
        assert made.calls == 0
        assert "postgres" not in kind or made._database.link.is_own
    assert is_closed(made.given)


def test_one_may_have_methods_of_its_own_with_everyday_names():
    class Named(InMemorySaver):
        def _metadata(self):
            return {"kept by": "ann"}

        def _pending(self):
            return self.pending()

    def ask(state):
        return {"got": interrupt("Go on?")}

    saver, config = Named(), {"configurable": {"thread_id": "t"}}
    graph = StateGraph(dict).add_node("ask", ask).add_edge(START, "ask").compile(checkpointer=saver)
    graph.invoke({}, config)
    assert [question.node for question in saver._pending()] == ["ask"]
    assert graph.invoke(Command(resume="yes"), config) == {"got": "yes"}
    assert [found.metadata["step"] for found in graph.get_state_history(config)] == [1, 0, -1]
    assert saver._metadata() == {"kept by": "ann"}


def test_a_method_by_the_name_of_a_private_one_is_told_where_it_is_written():
    with pytest.warns(
        UserWarning, match=r"Clashing: _exists, _codec of InMemorySaver's own .* \(__exists\)"
    ) as told:

        class Clashing(InMemorySaver):
            def _exists(self):
                return True

            _codec = "utf-8"

            def _encode_answer(self, interrupt_id, answer):
                return super()._encode_answer(interrupt_id, answer)

            def __forget(self):
                return None

    assert [warning.filename for warning in told] == [__file__]
