"""LangGraph's own suite for checkpointers."""

import aiosqlite
import pytest
from langgraph.checkpoint.conformance import checkpointer_test, validate

from nbhitl.checkpoint.memory import InMemorySaver
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
    report = await validate(checkpointer_test(name=opened.__name__)(opened))
    assert report.passed_all(), report.print_report()
    failed = {name: result.failures for name, result in report.results.items() if result.failures}
    assert not failed
    assert len(report.results) >= 8
