"""SQLite's tables. What is done with them is SQL that PostgreSQL shares: `checkpoint/_sql.py`."""

from __future__ import annotations

from typing import Final

from nbhitl.checkpoint._sql import (
    CREATE_SCHEMA,
    INDEX_MIDWAY,
    READ_VERSION,
    WRITE_VERSION,
    insert_if_quiet,
    use_up,
)
from nbhitl.checkpoint.base import WRITES_IDX_MAP
from nbhitl.checkpoint.sqlite._changed_rows import noting
from nbhitl.constants import INTERRUPT, RESUME, SCHEDULED

__all__ = [
    "ASK_BESIDE",
    "ASK_FIRST",
    "ASK_NEXT",
    "CREATE_SCHEMA",
    "DATA_VERSION",
    "FORGET",
    "FORGET_BESIDE",
    "INSERT_IF_QUIET",
    "MIGRATIONS",
    "READ_VERSION",
    "SCHEMA_EXISTS",
    "TABLES",
    "TAKE",
    "TAKE_FIRST",
    "TAKE_FIRST_SEEN",
    "TAKE_NEXT",
    "TAKE_NEXT_SEEN",
    "USE_UP_BESIDE",
    "USE_UP_LAST",
    "WRITES_BESIDE",
    "WRITES_BESIDE_IN_SPACE",
    "WRITE_VERSION",
]

# Tables that no migration has changed since.
_STEPS_AND_WRITES: Final = """
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
"""
_ONCE: Final = """
    CREATE TABLE nbhitl_once (
        thread_id TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, result BLOB, owner TEXT NOT NULL,
        started_at TEXT NOT NULL, done_at TEXT
    );
    CREATE UNIQUE INDEX nbhitl_once_key ON nbhitl_once (thread_id, key);
"""

# What a new file gets: what all migrations together make of one, in a fifth of the time. Ids of checkpoints and tasks are
# BLOBs of 16 bytes if they are UUIDs, else TEXT. The columns from `path` on are the pending writes that stand beside a
# question, and whether it is live; see below.
TABLES: Final = f"""
    {_STEPS_AND_WRITES}
    CREATE TABLE nbhitl_questions (
        thread_id TEXT NOT NULL, ns TEXT NOT NULL, checkpoint_id NOT NULL, interrupt_id TEXT NOT NULL,
        task_id NOT NULL, node TEXT NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL,
        digest TEXT NOT NULL, asked_at TEXT NOT NULL, state TEXT NOT NULL, answer BLOB, "by" TEXT, "at" TEXT,
        owner TEXT, lease_until TEXT, path TEXT, asking BLOB, resuming BLOB, starts BLOB, nth INTEGER,
        live INTEGER
    );
    CREATE UNIQUE INDEX nbhitl_questions_key
        ON nbhitl_questions (thread_id, ns, checkpoint_id, interrupt_id);
    CREATE INDEX nbhitl_questions_live ON nbhitl_questions (thread_id, task_id) WHERE live = 1;
    CREATE INDEX nbhitl_questions_of_node ON nbhitl_questions (node, asked_at) WHERE live = 1;
    {INDEX_MIDWAY}

    {_ONCE}
"""

# Entry i brings a store from version i to i + 1; what has been released is never changed.
MIGRATIONS: Final = (
    f"""
    {_STEPS_AND_WRITES}
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
    _ONCE,
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
    # Of what a task asks next too; `starts` is the write that counts how often its node has started. `resuming` holds the
    # answer to this question alone, the `nth` of its task: known when it is asked, else NULL. Whether a question is live
    # (1, else NULL) stands in a column that an answer on its way leaves alone: it does not touch the indexes then.
    """
    ALTER TABLE nbhitl_questions ADD COLUMN starts BLOB;
    ALTER TABLE nbhitl_questions ADD COLUMN nth INTEGER;
    ALTER TABLE nbhitl_questions ADD COLUMN live INTEGER;
    UPDATE nbhitl_questions SET nth = 1 WHERE path IS NOT NULL;
    UPDATE nbhitl_questions SET live = 1 WHERE state NOT IN ('applied', 'dropped');
    DROP INDEX nbhitl_questions_live;
    DROP INDEX nbhitl_questions_of_node;
    CREATE INDEX nbhitl_questions_live ON nbhitl_questions (thread_id, task_id) WHERE live = 1;
    CREATE INDEX nbhitl_questions_of_node ON nbhitl_questions (node, asked_at) WHERE live = 1;
    """,
    # No table changes: a step may tell what was edited in a list, where an earlier nbhitl would see nothing.
    "",
    # So that those whose answers are on their way are found among many that are open.
    INDEX_MIDWAY,
)

# The number to be noted is bound last.
INSERT_IF_QUIET: Final = insert_if_quiet(first=noting("c1"))

# Changes with every commit of another connection to the same file.
DATA_VERSION: Final = "PRAGMA data_version"
# For a statement that changes something only as long as it is that number: to ask by itself takes four times as long.
_SEEN: Final = "AND (SELECT data_version FROM pragma_data_version) = ?"
SCHEMA_EXISTS: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'nbhitl_schema'"
ANY_LIVE: Final = "SELECT 1 FROM nbhitl_questions WHERE thread_id = ? AND live = 1"
STEP_EXISTS: Final = "SELECT 1 FROM nbhitl_steps WHERE thread_id = ? AND ns = ? AND checkpoint_id = ?"

_BESIDE: Final = (
    "SELECT thread_id, ns, checkpoint_id, task_id, node, path, asking, starts, resuming, nth FROM nbhitl_questions "
    "WHERE thread_id = ? AND ns = ?"
)
WRITES_BESIDE: Final = f"{_BESIDE} AND checkpoint_id = ? AND path IS NOT NULL ORDER BY rowid"
WRITES_BESIDE_IN_SPACE: Final = f"{_BESIDE} AND path IS NOT NULL ORDER BY rowid"
_AT_STEP: Final = "WHERE thread_id = ? AND ns = ? AND checkpoint_id = ?"
FORGET_BESIDE: Final = f"""
    UPDATE nbhitl_questions SET path = NULL, asking = NULL, starts = NULL, resuming = NULL, nth = NULL
    {_AT_STEP} AND path IS NOT NULL
"""
_OF_ITS_TASK: Final = f"{_AT_STEP} AND task_id = ? AND path IS NOT NULL"
# By the index of the write.
FORGET: Final = {
    WRITES_IDX_MAP[INTERRUPT]: f"UPDATE nbhitl_questions SET asking = NULL {_OF_ITS_TASK}",
    WRITES_IDX_MAP[SCHEDULED]: f"UPDATE nbhitl_questions SET starts = NULL {_OF_ITS_TASK}",
    WRITES_IDX_MAP[RESUME]: f"UPDATE nbhitl_questions SET resuming = NULL {_OF_ITS_TASK}",
}
_ASK: Final = """
    INSERT INTO nbhitl_questions (
        thread_id, ns, checkpoint_id, interrupt_id, task_id, node, kind, payload, digest, asked_at, state,
        live, path, asking, starts, nth
    )
"""
# Where the checkpoint is new, and where it may not be: its task may have written, or have asked the same, then. Its
# answer comes after the one that it is about to use up, or is the first one if it is the task's first question: so no
# two questions of a task have the same number.
ASK_FIRST: Final = f"{_ASK} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 1, ?, ?, ?, 1)"
ASK_BESIDE: Final = f"""
    {_ASK} SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 1, ?, ?, ?, (
        SELECT CASE count(*) WHEN 1 THEN max(nth) + 1 WHEN 0 THEN (
            SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM nbhitl_questions {_AT_STEP} AND task_id = ?)
        ) END FROM nbhitl_questions
        WHERE thread_id = ? AND task_id = ? AND live = 1 AND state = 'delivered' AND ns || '' = ? AND checkpoint_id = ?
    )
    WHERE NOT EXISTS (SELECT 1 FROM nbhitl_writes {_AT_STEP} AND task_id = ?)
    ON CONFLICT (thread_id, ns, checkpoint_id, interrupt_id) DO NOTHING
"""
# `_sql.USE_UP` where the next question comes with the write that asks it: the one before it is not needed then.
USE_UP_BESIDE: Final = use_up(", asking = NULL")
# Both for the question after one whose number is known, in this order; the second if the first changes a row. Then the
# task has no writes of its own: nothing has to be looked for.
USE_UP_LAST: Final = f"""
    UPDATE nbhitl_questions
    SET state = 'applied', live = NULL, owner = NULL, lease_until = NULL, asking = NULL
    {_AT_STEP} AND interrupt_id = ? AND nth = ? AND state = 'delivered'
        AND NOT EXISTS (SELECT 1 FROM nbhitl_writes {_AT_STEP} AND task_id = ?)
"""
ASK_NEXT: Final = f"""
    {_ASK} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 1, ?, ?, ?, ?)
    ON CONFLICT (thread_id, ns, checkpoint_id, interrupt_id) DO NOTHING
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
_BESIDE_OF_TASK: Final = f"FROM nbhitl_questions AS answered {_OF_TASK} AND answered.resuming IS NOT NULL"
# As `_sql.TAKE`, with what delivers the answer beside the question. What begins with WITH is a transaction by itself:
# see `_sql.insert_if_quiet`. The number to be noted is bound before the write.
_TAKE_BESIDE: Final = f"""
    WITH alone (x) AS (VALUES (1))
    {_DELIVER}, resuming = {noting("?")} {_OPEN} AND nth = ? AND NOT EXISTS (SELECT 1 {_ROW})
"""
# The first answer of its task; or the next one after that whose question and write are bound. Those before are applied,
# so they are final.
TAKE_FIRST: Final = _TAKE_BESIDE
TAKE_NEXT: Final = f"""
    {_TAKE_BESIDE} AND EXISTS (
        SELECT 1 FROM nbhitl_questions AS answered {_OF_TASK} AND answered.interrupt_id = ?
            AND answered.nth = asked.nth - 1 AND answered.resuming = ?
    )
"""
# Both if no other connection has changed the file since its number was seen.
TAKE_FIRST_SEEN: Final = f"{TAKE_FIRST} {_SEEN}"
TAKE_NEXT_SEEN: Final = f"{TAKE_NEXT} {_SEEN}"
# The same of any question, for a task with a write of its own that delivers its answers, or without any.
TAKE: Final = f"""
    {_DELIVER} {_OPEN}
    AND COALESCE((SELECT value {_ROW}), CASE WHEN EXISTS (SELECT 1 {_BESIDE_OF_TASK}) THEN NULL ELSE ? END) = ?
"""
