"""The SQL of the SQLite savers: all of it, by name. Values are bound, never pasted in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nbhitl.checkpoint._store import QuestionFilter

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
)

SCHEMA_EXISTS: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'nbhitl_schema'"
CREATE_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS nbhitl_schema (version INTEGER NOT NULL)"
READ_VERSION: Final = "SELECT max(version) FROM nbhitl_schema"
WRITE_VERSION: Final = "INSERT INTO nbhitl_schema (version) VALUES (?)"

_STEP: Final = (
    "thread_id, ns, checkpoint_id, parent_id, created_at, base_id, depth, since, size, metadata, body"
)
_OF_SPACE: Final = "FROM nbhitl_steps WHERE thread_id = ? AND ns = ?"

STEP: Final = f"SELECT {_STEP} {_OF_SPACE} AND checkpoint_id = ?"
NEWEST_STEP: Final = f"SELECT {_STEP} {_OF_SPACE} ORDER BY checkpoint_id DESC LIMIT 1"
STEPS_FROM: Final = f"SELECT {_STEP} {_OF_SPACE} AND checkpoint_id BETWEEN ? AND ? ORDER BY checkpoint_id"
NEWEST_FIRST: Final = f"SELECT {_STEP} {_OF_SPACE} ORDER BY checkpoint_id DESC LIMIT ?"
NEWEST_FIRST_BEFORE: Final = (
    f"SELECT {_STEP} {_OF_SPACE} AND checkpoint_id < ? ORDER BY checkpoint_id DESC LIMIT ?"
)
NEXT_CHILD: Final = (
    f"SELECT {_STEP} {_OF_SPACE} AND checkpoint_id > ? AND parent_id = ? ORDER BY checkpoint_id LIMIT 1"
)
INSERT_STEP: Final = "INSERT INTO nbhitl_steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# Values are bound by place alone (Python 3.12 warns of `?1`), so the row to insert is a table of its own.
INSERT_IF_QUIET: Final = """
    INSERT INTO nbhitl_steps
    WITH row (c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
    SELECT row.* FROM row WHERE NOT EXISTS (
        SELECT 1 FROM nbhitl_questions
        WHERE thread_id = row.c1 AND state IN ('open', 'recorded', 'delivered')
    ) AND (row.c6 IS NULL OR EXISTS (
        SELECT 1 FROM nbhitl_steps AS step
        WHERE step.thread_id = row.c1 AND step.ns = row.c2 AND step.checkpoint_id = row.c4
    ))
"""
REPLACE_STEP: Final = "INSERT OR REPLACE INTO nbhitl_steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

_WRITE: Final = "thread_id, ns, checkpoint_id, task_id, idx, name, path, channel, value"
WRITES: Final = (
    f"SELECT {_WRITE} FROM nbhitl_writes WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? "
    "ORDER BY task_id, idx"
)
WRITES_OF_SPACE: Final = (
    f"SELECT {_WRITE} FROM nbhitl_writes WHERE thread_id = ? AND ns = ? ORDER BY checkpoint_id, task_id, idx"
)
INSERT_WRITE: Final = "INSERT OR IGNORE INTO nbhitl_writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
REPLACE_WRITE: Final = "INSERT OR REPLACE INTO nbhitl_writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
DELETE_WRITE: Final = (
    "DELETE FROM nbhitl_writes WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? "
    "AND task_id = ? AND idx = ?"
)

_QUESTION: Final = (
    "thread_id, ns, checkpoint_id, interrupt_id, task_id, node, kind, payload, digest, asked_at, state, "
    'answer, "by", "at", owner, lease_until, undo'
)
QUESTIONS: Final = f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? ORDER BY rowid"
QUESTIONS_AT: Final = (
    f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? "
    "ORDER BY rowid"
)
LIVE_QUESTIONS: Final = (
    f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? "
    "AND state IN ('open', 'recorded', 'delivered') ORDER BY rowid"
)
DELIVERED_TO_TASK: Final = (
    f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? AND task_id = ? "
    "AND state IN ('open', 'recorded', 'delivered') AND state = 'delivered'"
)
PUT_QUESTION: Final = f"""
    INSERT INTO nbhitl_questions ({_QUESTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (thread_id, ns, checkpoint_id, interrupt_id) DO UPDATE SET
        task_id = excluded.task_id, node = excluded.node, kind = excluded.kind, payload = excluded.payload,
        digest = excluded.digest, asked_at = excluded.asked_at, state = excluded.state,
        answer = excluded.answer, "by" = excluded."by", "at" = excluded."at", owner = excluded.owner,
        lease_until = excluded.lease_until, undo = excluded.undo
"""

_ONCE: Final = "thread_id, key, state, result, owner, started_at, done_at"
ONCE_ENTRY: Final = f"SELECT {_ONCE} FROM nbhitl_once WHERE thread_id = ? AND key = ?"
ONCE_ENTRIES: Final = f"SELECT {_ONCE} FROM nbhitl_once WHERE thread_id = ? ORDER BY started_at, rowid"
PUT_ONCE: Final = f"INSERT OR REPLACE INTO nbhitl_once ({_ONCE}) VALUES (?, ?, ?, ?, ?, ?, ?)"
DELETE_ONCE: Final = "DELETE FROM nbhitl_once WHERE thread_id = ? AND key = ?"

# The distinct pairs, found by leaping from one to the next in the index instead of reading every step.
NAMESPACES: Final = """
    WITH RECURSIVE pairs (thread_id, ns) AS (
        SELECT * FROM (SELECT thread_id, ns FROM nbhitl_steps ORDER BY thread_id, ns LIMIT 1)
        UNION ALL
        SELECT next.thread_id, next.ns FROM pairs JOIN nbhitl_steps AS next ON next.rowid = (
            SELECT rowid FROM nbhitl_steps AS later
            WHERE (later.thread_id, later.ns) > (pairs.thread_id, pairs.ns)
            ORDER BY later.thread_id, later.ns LIMIT 1
        )
    )
    SELECT thread_id, ns FROM pairs
"""
NAMESPACES_OF: Final = """
    WITH RECURSIVE names (ns) AS (
        SELECT min(ns) FROM nbhitl_steps WHERE thread_id = :thread
        UNION ALL
        SELECT (SELECT min(ns) FROM nbhitl_steps WHERE thread_id = :thread AND ns > names.ns)
        FROM names WHERE names.ns IS NOT NULL
    )
    SELECT :thread, ns FROM names WHERE ns IS NOT NULL
"""
THREADS: Final = """
    WITH RECURSIVE names (thread_id) AS (
        SELECT min(thread_id) FROM nbhitl_steps WHERE thread_id >= :first AND thread_id < :end
        UNION ALL
        SELECT (SELECT min(thread_id) FROM nbhitl_steps
                WHERE thread_id > names.thread_id AND thread_id < :end)
        FROM names WHERE names.thread_id IS NOT NULL
    )
    SELECT names.thread_id, newest.checkpoint_id, newest.created_at, (
        SELECT count(*) FROM nbhitl_questions AS asked
        WHERE asked.thread_id = names.thread_id AND asked.state IN ('open', 'recorded', 'delivered')
            AND asked.state = 'open'
    )
    FROM names JOIN nbhitl_steps AS newest ON newest.rowid = (
        SELECT rowid FROM nbhitl_steps AS step WHERE step.thread_id = names.thread_id AND step.ns = ''
        ORDER BY step.checkpoint_id DESC LIMIT 1
    )
    LIMIT :limit
"""

_TABLES: Final = ("nbhitl_steps", "nbhitl_writes", "nbhitl_questions")
DELETE_STEP: Final = tuple(
    f"DELETE FROM {table} WHERE thread_id = ? AND ns = ? AND checkpoint_id = ?" for table in _TABLES
)
DELETE_THREAD: Final = tuple(
    f"DELETE FROM {table} WHERE thread_id = ?" for table in (*_TABLES, "nbhitl_once")
)

LAST_CHARACTER: Final = "\U0010ffff"
"""Sorts after every other character, so that `prefix + LAST_CHARACTER` ends the range of a prefix."""


def find_questions(wanted: QuestionFilter) -> tuple[str, list[Any]]:
    """Return the query for a filter, made of fixed parts, and its parameters."""
    parts, values = [], list[Any]()
    if wanted.states == ("open",):
        parts.append("state = 'open'")  # spelled out, or the indexes on open questions would not be used
    else:
        parts.append(f"state IN ({', '.join('?' * len(wanted.states))})")
        values += wanted.states
    if wanted.node is not None:
        parts.append("node = ?")
        values.append(wanted.node)
    if wanted.asked_before is not None:
        parts.append("asked_at < ?")
        values.append(wanted.asked_before)
    if wanted.thread_prefix is not None:
        parts.append("thread_id >= ? AND thread_id < ?")
        values += [wanted.thread_prefix, wanted.thread_prefix + LAST_CHARACTER]
    values.append(-1 if wanted.limit is None else wanted.limit)
    where = " AND ".join(parts)
    return f"SELECT {_QUESTION} FROM nbhitl_questions WHERE {where} ORDER BY asked_at LIMIT ?", values
