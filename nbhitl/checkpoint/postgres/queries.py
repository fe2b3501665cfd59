"""PostgreSQL's tables and locks. What else is done with them is SQL that SQLite shares: `checkpoint/_sql.py`."""

from __future__ import annotations

from typing import Final

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._sql import CREATE_SCHEMA, INDEX_MIDWAY, READ_VERSION, WRITE_VERSION

__all__ = [
    "BEGIN",
    "CREATE_SCHEMA",
    "HOLD_STEPS",
    "INSERT_IF_QUIET",
    "INSERT_LAZILY",
    "LAZILY",
    "LOCK_SETUP",
    "LOCK_THREAD",
    "MIGRATIONS",
    "READ_VERSION",
    "SCHEMA_EXISTS",
    "WRITE_VERSION",
]

# Entry i brings a store from version i to i + 1; what has been released is never changed. Text is compared by
# its code points, as everywhere in nbhitl, whatever the database's own collation is.
MIGRATIONS: Final = (
    """
    CREATE TABLE nbhitl_steps (
        thread_id TEXT COLLATE "C" NOT NULL, ns TEXT COLLATE "C" NOT NULL,
        checkpoint_id TEXT COLLATE "C" NOT NULL, parent_id TEXT COLLATE "C", created_at TEXT NOT NULL,
        base_id TEXT COLLATE "C", depth BIGINT NOT NULL, since BIGINT NOT NULL, size BIGINT NOT NULL,
        metadata BYTEA NOT NULL, body BYTEA NOT NULL
    );
    CREATE UNIQUE INDEX nbhitl_steps_key ON nbhitl_steps (thread_id, ns, checkpoint_id);

    CREATE TABLE nbhitl_writes (
        thread_id TEXT COLLATE "C" NOT NULL, ns TEXT COLLATE "C" NOT NULL,
        checkpoint_id TEXT COLLATE "C" NOT NULL, task_id TEXT COLLATE "C" NOT NULL, idx INTEGER NOT NULL,
        name TEXT NOT NULL, path TEXT NOT NULL, channel TEXT NOT NULL, value BYTEA NOT NULL
    );
    CREATE UNIQUE INDEX nbhitl_writes_key ON nbhitl_writes (thread_id, ns, checkpoint_id, task_id, idx);

    CREATE TABLE nbhitl_questions (
        rowid BIGINT GENERATED ALWAYS AS IDENTITY,
        thread_id TEXT COLLATE "C" NOT NULL, ns TEXT COLLATE "C" NOT NULL,
        checkpoint_id TEXT COLLATE "C" NOT NULL, interrupt_id TEXT COLLATE "C" NOT NULL,
        task_id TEXT COLLATE "C" NOT NULL, node TEXT COLLATE "C" NOT NULL, kind TEXT NOT NULL,
        payload BYTEA NOT NULL, digest TEXT NOT NULL, asked_at TEXT COLLATE "C" NOT NULL,
        state TEXT COLLATE "C" NOT NULL, answer BYTEA, "by" TEXT, "at" TEXT, owner TEXT, lease_until TEXT
    );
    CREATE UNIQUE INDEX nbhitl_questions_key
        ON nbhitl_questions (thread_id, ns, checkpoint_id, interrupt_id);
    CREATE INDEX nbhitl_questions_live ON nbhitl_questions (thread_id, task_id)
        WHERE state IN ('open', 'recorded', 'delivered');
    CREATE INDEX nbhitl_questions_open ON nbhitl_questions (asked_at) WHERE state = 'open';
    CREATE INDEX nbhitl_questions_of_node ON nbhitl_questions (node, asked_at) WHERE state = 'open';

    CREATE TABLE nbhitl_once (
        rowid BIGINT GENERATED ALWAYS AS IDENTITY,
        thread_id TEXT COLLATE "C" NOT NULL, key TEXT COLLATE "C" NOT NULL, state TEXT NOT NULL,
        result BYTEA, owner TEXT NOT NULL, started_at TEXT COLLATE "C" NOT NULL, done_at TEXT
    );
    CREATE UNIQUE INDEX nbhitl_once_key ON nbhitl_once (thread_id, key);
    """,
    # Which questions are live is told as in SQLite, and which are open too.
    """
    DROP INDEX nbhitl_questions_open;
    DROP INDEX nbhitl_questions_live;
    CREATE INDEX nbhitl_questions_live ON nbhitl_questions (thread_id, task_id)
        WHERE state NOT IN ('applied', 'dropped');
    """,
    # Whether a question is live (1, else NULL) stands in a column of its own, as in SQLite.
    """
    ALTER TABLE nbhitl_questions ADD COLUMN live SMALLINT;
    UPDATE nbhitl_questions SET live = 1 WHERE state NOT IN ('applied', 'dropped');
    DROP INDEX nbhitl_questions_live;
    DROP INDEX nbhitl_questions_of_node;
    CREATE INDEX nbhitl_questions_live ON nbhitl_questions (thread_id, task_id) WHERE live = 1;
    CREATE INDEX nbhitl_questions_of_node ON nbhitl_questions (node, asked_at) WHERE live = 1;
    """,
    # As in SQLite: a step may tell what was edited in a list.
    "",
    # As in SQLite: what is neither open nor applied is found by its state.
    INDEX_MIDWAY,
)

# Asked of the catalog itself: to_regclass() may remember how it was before a lock was waited for.
SCHEMA_EXISTS: Final = (
    "SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'nbhitl_schema' AND pg_table_is_visible(oid)"
)

# Whoever waits for a lock sees what its holder has committed: so not in one snapshot from the start.
BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"

# The numbers only keep nbhitl's locks apart from those of others in the same database.
LOCK_THREAD: Final = "SELECT pg_advisory_xact_lock(hashtextextended(?, 6841))"
LOCK_SETUP: Final = "SELECT pg_advisory_xact_lock(6841, 1)"

# The parent is held until the step is there: who deletes or replaces steps waits, and sees it.
INSERT_IF_QUIET: Final = _sql.insert_if_quiet(lock="FOR KEY SHARE")
INSERT_LAZILY: Final = _sql.insert_if_quiet(
    lock="FOR KEY SHARE", condition="AND set_config('synchronous_commit', 'off', true) = 'off'"
)
"""As `INSERT_IF_QUIET`, without waiting for the server's disk; what is committed later carries it along."""

LAZILY: Final = "SELECT set_config('synchronous_commit', 'off', true)"
"""The transaction in which this is does not wait for the server's disk."""

HOLD_STEPS: Final = "SELECT count(*) FROM (SELECT 1 FROM nbhitl_steps WHERE thread_id = ? FOR UPDATE) AS held"
"""Keeps `INSERT_IF_QUIET` from adding steps to those of a thread; what it has added before is seen after."""

TAKE_AND_ANSWER: Final = f"""
    WITH taken AS ({_sql.TAKE} RETURNING 1), answered AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?))
    INSERT INTO nbhitl_writes SELECT answered.* FROM answered, taken {_sql.REPLACING_WRITE}
"""
"""`_sql.TAKE`, and if it took the question, the write that delivers the answer."""
