"""What PostgreSQL and psycopg say, as errors that name the store and the thread and say what to do."""

from __future__ import annotations

from typing import Any

from psycopg import errors, pq
from psycopg.conninfo import conninfo_to_dict

from nbhitl.errors import StoreError

_CLOSED = "connection is closed"

_ADVICE: tuple[tuple[str, str], ...] = (
    (
        _CLOSED,
        "Use it inside its `with` block, or give it a connection that stays open: "
        "psycopg.connect(address, autocommit=True).",
    ),
    (
        "couldn't get a connection",
        "Check that the server runs and the pool's connection string, and give the pool as many "
        "connections as work at once.",
    ),
    ("pool", "Open the pool first, keep it open, and give it as many connections as work at once."),
    ('FATAL:  database "', "Create the database, or name another one in the connection string."),
    ('FATAL:  role "', "Check user and password of the connection string."),
    (
        "pg_hba.conf",
        "Check user, host and database of the connection string; the server's pg_hba.conf refuses them.",
    ),
    ("bad value", "Correct the connection string."),
    ("invalid port", "Correct the connection string."),
    ("timeout expired", "Check that the server runs, and the host and port of the connection string."),
    ("timed out", "Check that the server runs, and the host and port of the connection string."),
    ("password", "Check user and password of the connection string."),
    ("Connection refused", "Check that the server runs, and the host and port of the connection string."),
    ("No such file", "Check that the server runs, and the host and port of the connection string."),
    ("resolve host", "Check the host of the connection string."),
    ("in a read-only transaction", "Connect to the server that accepts writes."),
    ("NUL", "Thread ids, namespaces and node names must be text without the character NUL."),
    ("surrogates", "Thread ids, namespaces and node names must be text that UTF-8 can hold."),
    ("index row size", "Thread ids, namespaces and node names must be shorter."),
)
"""What to do, by a part of the message."""

_IN_THE_WAY = "Another transaction was in the way, and nothing was saved; do it again."
_BY_KIND: tuple[tuple[type[Exception], str], ...] = (
    (errors.UniqueViolation, "A checkpoint of this id is there already; ids must be fresh."),
    (errors.UndefinedTable, "The tables are gone; call setup() to make them again."),
    (errors.UndefinedColumn, "The tables are not nbhitl's; use another database or schema."),
    (errors.InsufficientPrivilege, "Let a role that may create tables call setup() once, and grant yours "
     "SELECT, INSERT, UPDATE and DELETE on nbhitl's tables."),
    (errors.InvalidCatalogName, "Create the database, or name another one in the connection string."),
    (errors.InvalidSchemaName, "Create the schema that the connection's search_path names."),
    (errors.LockNotAvailable, "Another process has held this thread for too long; end it."),
    (errors.QueryCanceled, "It took longer than the connection's statement_timeout; raise that."),
    (errors.DiskFull, "Make room on the server's disk."),
    (errors.SerializationFailure, _IN_THE_WAY),
    (errors.DeadlockDetected, _IN_THE_WAY),
    (errors.TooManyConnections, "Close connections, or share a pool among the savers."),
)  # fmt: skip
"""What to do, by the kind of error."""

LOST = (
    "The connection was lost; whether the last change was saved is not known. Read the thread's newest state, "
    "and give the saver a new connection: a pool, or PostgresSaver.from_conn_string(), opens one by itself."
)


def store_error(store: str, error: BaseException, thread: str | None, *, lost: bool) -> StoreError:
    """Return the error for a failure in the store of that name; `lost` if its connection is gone."""
    lines = str(error).strip().splitlines()
    text = (lines[0] if lines else type(error).__name__).rstrip(".")
    where = store if thread is None else f"{store}, thread {thread!r}"
    gone = lost and _CLOSED not in text
    return StoreError(f"{where}: {text}. {LOST if gone else _advice(error, text)}")


def _advice(error: BaseException, text: str) -> str:
    for kind, advice in _BY_KIND:
        if isinstance(error, kind):
            return advice
    for part, advice in _ADVICE:
        if part in text:
            return advice
    return "Check the server and the connection."


def store_name(info: Any) -> str:
    """Return how errors call the store of a connection: by database and server, never by password."""
    if info.status != pq.ConnStatus.OK:
        return "PostgreSQL store (closed)"
    return f"PostgreSQL store {info.dbname} at {info.host}:{info.port}"


def store_named_by(conn_string: str) -> str:
    """Return how errors call the store that a connection string names.

    Raises:
        StoreError: it is no connection string. The message does not repeat it: it may hold a password.
    """
    try:
        parts = conninfo_to_dict(conn_string)
    except (errors.Error, UnicodeError):
        parts = None
    if parts is None:
        raise StoreError(
            "PostgreSQL store: this is no connection string. "
            "Write postgresql://user:password@host:5432/database, or host=... dbname=... user=..."
        )
    host, port = parts.get("host") or "localhost", parts.get("port") or 5432
    return f"PostgreSQL store {parts.get('dbname') or parts.get('user') or '(default)'} at {host}:{port}"
