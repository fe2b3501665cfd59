"""SQLite's tables. What is done with them is SQL that PostgreSQL shares: `checkpoint/_sql.py`."""

from __future__ import annotations

from typing import Final

from nbhitl.checkpoint._sql import CREATE_SCHEMA, READ_VERSION, WRITE_VERSION
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.constants import RESUME

__all__ = [
    "ASK_FIRST",
    "ASK_IF_FIRST",
    "CREATE_SCHEMA",
    "DATA_VERSION",
    "FORGET_ASKING",
    "FORGET_BESIDE",
    "FORGET_RESUMING",
    "MIGRATIONS",
    "READ_VERSION",
    "SCHEMA_EXISTS",
    "TAKE",
    "TAKE_FIRST",
    "WRITES_BESIDE",
    "WRITES_BESIDE_IN_SPACE",
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
    # Of the first question that is asked at a checkpoint, the pending writes that say so and that deliver its answer:
    # beside the question they take no pages of their own. `path` is its task's, NULL where there are none.
    """
    ALTER TABLE nbhitl_questions ADD COLUMN path TEXT;
    ALTER TABLE nbhitl_questions ADD COLUMN asking BLOB;
    ALTER TABLE nbhitl_questions ADD COLUMN resuming BLOB;
    """,
)

# Changes with every commit of another connection to the same file.
DATA_VERSION: Final = "PRAGMA data_version"
SCHEMA_EXISTS: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'nbhitl_schema'"
ANY_LIVE: Final = "SELECT 1 FROM nbhitl_questions WHERE thread_id = ? AND state NOT IN ('applied', 'dropped')"
STEP_EXISTS: Final = "SELECT 1 FROM nbhitl_steps WHERE thread_id = ? AND ns = ? AND checkpoint_id = ?"

_BESIDE: Final = (
    "SELECT thread_id, ns, checkpoint_id, task_id, node, path, asking, resuming FROM nbhitl_questions "
    "WHERE thread_id = ? AND ns = ?"
)
WRITES_BESIDE: Final = f"{_BESIDE} AND checkpoint_id = ? AND path IS NOT NULL"
WRITES_BESIDE_IN_SPACE: Final = f"{_BESIDE} AND path IS NOT NULL"
_AT_STEP: Final = "WHERE thread_id = ? AND ns = ? AND checkpoint_id = ?"
FORGET_BESIDE: Final = (
    f"UPDATE nbhitl_questions SET path = NULL, asking = NULL, resuming = NULL {_AT_STEP} AND path IS NOT NULL"
)
FORGET_ASKING: Final = (
    f"UPDATE nbhitl_questions SET asking = NULL {_AT_STEP} AND task_id = ? AND path IS NOT NULL"
)
FORGET_RESUMING: Final = (
    f"UPDATE nbhitl_questions SET resuming = NULL {_AT_STEP} AND task_id = ? AND path IS NOT NULL"
)
_ASK: Final = """
    INSERT INTO nbhitl_questions (
        thread_id, ns, checkpoint_id, interrupt_id, task_id, node, kind, payload, digest, asked_at, state, path, asking
    )
"""
# Where the checkpoint is new, and where it may not be: its place is bound twice more then.
ASK_FIRST: Final = f"{_ASK} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?)"
ASK_IF_FIRST: Final = f"""
    {_ASK} SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?
    WHERE NOT EXISTS (SELECT 1 FROM nbhitl_writes {_AT_STEP}) AND NOT EXISTS (SELECT 1 FROM nbhitl_questions {_AT_STEP})
"""
_OF_TASK: Final = """
    WHERE answered.thread_id = asked.thread_id AND answered.ns = asked.ns
        AND answered.checkpoint_id = asked.checkpoint_id AND answered.task_id = asked.task_id
"""
_DELIVER: Final = """
    UPDATE nbhitl_questions AS asked
    SET state = 'delivered', answer = ?, "by" = ?, "at" = ?, owner = ?, lease_until = ?
"""
_OPEN: Final = f"{_AT_STEP} AND interrupt_id = ? AND task_id = ? AND state = 'open'"
_ROW: Final = f"FROM nbhitl_writes AS answered {_OF_TASK} AND answered.idx = {WRITES_IDX_MAP[RESUME]}"
# `_sql.TAKE` of the first question of a checkpoint: what delivers the answer is written beside it.
TAKE_FIRST: Final = f"""
    {_DELIVER}, resuming = ? {_OPEN} AND path IS NOT NULL AND NOT EXISTS (SELECT 1 {_ROW})
"""
# The same of any question; its task may have been answered beside the first one.
TAKE: Final = f"""
    {_DELIVER} {_OPEN} AND COALESCE(
        (SELECT value {_ROW}),
        (SELECT resuming FROM nbhitl_questions AS answered {_OF_TASK} AND answered.resuming IS NOT NULL),
        ?
    ) = ?
"""
