"""SQLite's tables. What is done with them is SQL that PostgreSQL shares: `checkpoint/_sql.py`."""

from __future__ import annotations

from typing import Final

from nbhitl.checkpoint._sql import CREATE_SCHEMA, READ_VERSION, WRITE_VERSION

__all__ = [
    "CREATE_SCHEMA",
    "DATA_VERSION",
    "MIGRATIONS",
    "READ_VERSION",
    "SCHEMA_EXISTS",
    "WRITE_VERSION",
]

# Entry i brings a store from version i to i + 1; what has been released is never changed. Ids of checkpoints
# and tasks are BLOBs of 16 bytes if they are UUIDs, else TEXT.
MIGRATIONS: Final = (
    """
    CREATE TABLE nbhitl_steps (
        thread_id TEXT NOT NULL, ns TEXT NOT NULL, checkpoint_id NOT NULL, parent_id,
        created_at TEXT NOT NULL, base_id, depth INTEGER NOT NULL, since INTEGER NOT NULL,
        size INTEGER NOT NULL, metadata BLOB NOT NULL, body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX nbhitl_steps_key ON nbhitl_steps (thread_id, ns, checkpoint_id);

    CREATE TABLE nbhitl_writes (
        thread_id TEXT NOT NULL, ns TEXT NOT NULL, checkpoint_id NOT NULL, task_id NOT NULL,
        idx INTEGER NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL, channel TEXT NOT NULL,
        value BLOB NOT NULL
    );
    CREATE UNIQUE INDEX nbhitl_writes_key ON nbhitl_writes (thread_id, ns, checkpoint_id, task_id, idx);

    CREATE TABLE nbhitl_questions (
        thread_id TEXT NOT NULL, ns TEXT NOT NULL, checkpoint_id NOT NULL, interrupt_id TEXT NOT NULL,
        task_id NOT NULL, node TEXT NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL,
        digest TEXT NOT NULL, asked_at TEXT NOT NULL, state TEXT NOT NULL, answer BLOB, "by" TEXT, "at" TEXT,
        owner TEXT, lease_until TEXT, undo BLOB
    );
    CREATE UNIQUE INDEX nbhitl_questions_key
        ON nbhitl_questions (thread_id, ns, checkpoint_id, interrupt_id);
    CREATE INDEX nbhitl_questions_live ON nbhitl_questions (thread_id, task_id)
        WHERE state IN ('open', 'recorded', 'delivered');
    CREATE INDEX nbhitl_questions_open ON nbhitl_questions (asked_at) WHERE state = 'open';
    CREATE INDEX nbhitl_questions_of_node ON nbhitl_questions (node, asked_at) WHERE state = 'open';
    """,
    """
    CREATE TABLE nbhitl_once (
        thread_id TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, result BLOB, owner TEXT NOT NULL,
        started_at TEXT NOT NULL, done_at TEXT
    );
    CREATE UNIQUE INDEX nbhitl_once_key ON nbhitl_once (thread_id, key);
    """,
    "ALTER TABLE nbhitl_questions DROP COLUMN undo",
    # Which questions are live is found out by two comparisons: of a list of three states SQLite makes a table, for each
    # row. The index of open questions by node finds those of all nodes too: asking and answering write a page less.
    """
    DROP INDEX nbhitl_questions_open;
    DROP INDEX nbhitl_questions_live;
    CREATE INDEX nbhitl_questions_live ON nbhitl_questions (thread_id, task_id)
        WHERE state NOT IN ('applied', 'dropped');
    """,
)

# Changes with every commit of another connection to the same file.
DATA_VERSION: Final = "PRAGMA data_version"
SCHEMA_EXISTS: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'nbhitl_schema'"
ANY_LIVE: Final = "SELECT 1 FROM nbhitl_questions WHERE thread_id = ? AND state NOT IN ('applied', 'dropped')"
STEP_EXISTS: Final = "SELECT 1 FROM nbhitl_steps WHERE thread_id = ? AND ns = ? AND checkpoint_id = ?"
