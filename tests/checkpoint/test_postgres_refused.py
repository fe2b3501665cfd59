"""Roles that PostgreSQL does not let in or lets only read, servers that are gone: who calls is told what to check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from benchmarks.postgres_server import PostgresServer
from nbhitl.checkpoint.postgres import PostgresSaver
from nbhitl.checkpoint.postgres.aio import AsyncPostgresSaver
from nbhitl.errors import StoreError

from .building import Run


async def sync_open(address: str) -> None:
    with PostgresSaver.from_conn_string(address):
        pass


async def async_open(address: str) -> None:
    async with AsyncPostgresSaver.from_conn_string(address):
        pass


def refused_roles(server: Any, schema: str) -> dict[str, str]:
    """Connection strings of roles that the server does not let in, or lets only read, and what to do then."""
    options = f" options='-c search_path={schema}'"
    roles = ("with_password", "shut_out", "reader")
    with psycopg.connect(server.address(), autocommit=True) as conn:
        conn.execute("CREATE ROLE with_password LOGIN PASSWORD 'right'")
        conn.execute("CREATE ROLE shut_out LOGIN")
        conn.execute("CREATE ROLE reader LOGIN")
        rules = Path(conn.execute("SHOW hba_file").fetchone()[0])
        kept = rules.read_text()
        rules.write_text(f"local all with_password scram-sha-256\nlocal all shut_out reject\n{kept}")
        conn.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader")
        conn.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader")
    server.stop()
    server.start()
    return {role: server.address().replace("user=postgres", f"user={role}") + options for role in roles}


@pytest.mark.usefixtures("postgres_server")
async def test_whom_the_server_does_not_let_in_is_told_what_to_check():
    with PostgresServer.running() as server:
        address = server.fresh()
        schema = address.split("search_path=")[1].rstrip("'")
        with PostgresSaver.from_conn_string(address) as saver:
            saver.setup()
            Run(saver).step({"n": 0})
        roles = refused_roles(server, schema)
        refused = {
            f"{roles['with_password']} password=wrong": "password authentication failed.*Check user and password",
            roles["with_password"]: "no password supplied.*Check user and password",
            roles["shut_out"]: r"rejects connection.*Check user, host and database",
            f"{address} connect_timeout=x": "bad value for connect_timeout.*Correct the connection string",
        }
        for wrong, told in refused.items():
            for opened in (sync_open, async_open):
                with pytest.raises(StoreError, match=f"PostgreSQL store postgres at .*{told}"):
                    await opened(wrong)
        await only_reading(roles["reader"])
        await nobody_there(server, address)


async def only_reading(address: str) -> None:
    told = "thread 't': permission denied for table nbhitl_steps.*grant yours SELECT, INSERT"
    with PostgresSaver.from_conn_string(address) as saver:
        assert [thread.thread_id for thread in saver.threads()] == ["t"]
        for change in (lambda: saver.delete_thread("t"), lambda: Run(saver).step({"n": 1})):
            with pytest.raises(StoreError, match=told):
                change()
    async with AsyncPostgresSaver.from_conn_string(address) as saver:
        with pytest.raises(StoreError, match=told):
            await saver.adelete_thread("t")


async def nobody_there(server: Any, address: str) -> None:
    """The server stops after the connections were opened: `setup()` is the first that meets it."""
    with PostgresSaver.from_conn_string(address) as saver:
        async with AsyncPostgresSaver.from_conn_string(address) as asaver:
            server.stop()
            told = "PostgreSQL store postgres at .*Check that the server runs"
            with pytest.raises(StoreError, match=told):
                saver.setup()
            with pytest.raises(StoreError, match=told):
                await asaver.setup()
            with pytest.raises(StoreError, match=told):
                saver.threads()


def test_a_pool_that_gets_no_connection_tells_whose_it_is():
    address = "host=/no/such/folder user=ann dbname=threads"
    with ConnectionPool(address, open=False, timeout=0.1, reconnect_timeout=0.1) as pool:
        saver = PostgresSaver(pool)
        told = "store threads at /no/such/folder:5432: couldn't get a connection.*Check that the server runs"
        with pytest.raises(StoreError, match=told):
            saver.setup()
