"""LangGraph's own suite for checkpointers."""

import aiosqlite
import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.postgres import PostgresSaver
from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.checkpoint.sqlite.aio import AsyncSqliteSaver


async def memory():
    yield InMemorySaver()


async def sqlite():
    with SqliteSaver.from_conn_string(":memory:") as saver:
        yield saver


async def sqlite_aio():
    async with AsyncSqliteSaver.from_conn_string(":memory:") as saver:
        yield saver


async def sqlite_lent():
    async with aiosqlite.connect(":memory:") as conn:
        yield AsyncSqliteSaver(conn)


@pytest.mark.parametrize("opened", [memory, sqlite, sqlite_aio, sqlite_lent])
async def test_passes_langgraphs_conformance_suite(opened):
    await passes(opened.__name__, opened)


@pytest.mark.parametrize("kind", [PostgresSaver, AsyncPostgresSaver])
async def test_passes_it_with_postgresql(kind, postgres_server):
    async def opened():
        manager = kind.from_conn_string(postgres_server.fresh())
        if kind is PostgresSaver:
            with manager as saver:
                yield saver
        else:
            async with manager as saver:
                yield saver

    await passes(kind.__name__, opened)


async def passes(name, opened):
    report = await validate(checkpointer_test(name=name)(opened))
    assert report.passed_all(), report.print_report()
    failed = {name: result.failures for name, result in report.results.items() if result.failures}
    assert not failed
    assert len(report.results) >= 8
