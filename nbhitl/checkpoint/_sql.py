"""The SQL that SQLite and PostgreSQL both understand, by name. Values are bound, never pasted in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nbhitl.checkpoint.claims import DELIVERED, DROPPED, LIVE, OPEN, RECORDED
from nbhitl.errors import NewerStore, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.checkpoint._row_store import QuestionFilter

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
OUTLINE: Final = (
    f"SELECT checkpoint_id, parent_id, created_at, metadata, body {_OF_SPACE} ORDER BY checkpoint_id"
)
NEXT_CHILD: Final = (
    f"SELECT {_STEP} {_OF_SPACE} AND checkpoint_id > ? AND parent_id = ? ORDER BY checkpoint_id LIMIT 1"
)
INSERT_STEP: Final = "INSERT INTO nbhitl_steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# Python's sqlite3 begins a transaction before what begins with INSERT, unless told otherwise; what begins with WITH
# is a transaction by itself on every connection, and so takes one call and not three.
_INSERT_IF_QUIET = """
    WITH added (c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
    INSERT INTO nbhitl_steps
    SELECT {first}, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 FROM added WHERE NOT EXISTS (
        SELECT 1 FROM nbhitl_questions
        WHERE thread_id = added.c1 AND live = 1
    ) AND (added.c6 IS NULL OR EXISTS (
        SELECT 1 FROM nbhitl_steps AS step
        WHERE step.thread_id = added.c1 AND step.ns = added.c2 AND step.checkpoint_id = added.c4 {lock}
    )) {condition}
"""
REPLACE_STEP: Final = f"""
    {INSERT_STEP} ON CONFLICT (thread_id, ns, checkpoint_id) DO UPDATE SET
        parent_id = excluded.parent_id, created_at = excluded.created_at, base_id = excluded.base_id,
        depth = excluded.depth, since = excluded.since, size = excluded.size, metadata = excluded.metadata,
        body = excluded.body
"""

_WRITE: Final = "thread_id, ns, checkpoint_id, task_id, idx, name, path, channel, value"
WRITES: Final = (
    f"SELECT {_WRITE} FROM nbhitl_writes WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? "
    "ORDER BY task_id, idx"
)
# The newest step with its writes, a row each; the step's body is in the first.
NEWEST_WITH_WRITES: Final = f"""
    SELECT step.thread_id, step.ns, step.checkpoint_id, parent_id, created_at, base_id, depth, since, size, metadata,
        CASE WHEN row_number() OVER (ORDER BY task_id, idx) = 1 THEN body END,
        task_id, idx, name, path, channel, value
    FROM ({NEWEST_STEP}) AS step LEFT JOIN nbhitl_writes AS written
        ON written.thread_id = step.thread_id AND written.ns = step.ns
            AND written.checkpoint_id = step.checkpoint_id
    ORDER BY task_id, idx
"""
WRITES_OF_SPACE: Final = (
    f"SELECT {_WRITE} FROM nbhitl_writes WHERE thread_id = ? AND ns = ? ORDER BY checkpoint_id, task_id, idx"
)
_ADD_WRITE: Final = "INSERT INTO nbhitl_writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SAME_WRITE: Final = "ON CONFLICT (thread_id, ns, checkpoint_id, task_id, idx)"
INSERT_WRITE: Final = f"{_ADD_WRITE} {_SAME_WRITE} DO NOTHING"
REPLACING_WRITE: Final = f"""
    {_SAME_WRITE} DO UPDATE SET
        name = excluded.name, path = excluded.path, channel = excluded.channel, value = excluded.value
"""
REPLACE_WRITE: Final = f"{_ADD_WRITE} {REPLACING_WRITE}"
DELETE_WRITE: Final = (
    "DELETE FROM nbhitl_writes WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? "
    "AND task_id = ? AND idx = ?"
)

_QUESTION: Final = (
    "thread_id, ns, checkpoint_id, interrupt_id, task_id, node, kind, payload, digest, asked_at, state, "
    'answer, "by", "at", owner, lease_until'
)
QUESTIONS: Final = f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? ORDER BY rowid"
QUESTIONS_AT: Final = (
    f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? "
    "ORDER BY rowid"
)
QUESTION: Final = (
    f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? "
    "AND interrupt_id = ?"
)
LIVE_QUESTIONS: Final = (
    f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? AND live = 1 ORDER BY rowid"
)
DELIVERED_TO_TASK: Final = (
    f"SELECT {_QUESTION} FROM nbhitl_questions WHERE thread_id = ? AND task_id = ? "
    "AND live = 1 AND state = 'delivered'"
)
PUT_QUESTION: Final = f"""
    INSERT INTO nbhitl_questions ({_QUESTION}, live) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (thread_id, ns, checkpoint_id, interrupt_id) DO UPDATE SET
        task_id = excluded.task_id, node = excluded.node, kind = excluded.kind, payload = excluded.payload,
        digest = excluded.digest, asked_at = excluded.asked_at, state = excluded.state,
        answer = excluded.answer, "by" = excluded."by", "at" = excluded."at", owner = excluded.owner,
        lease_until = excluded.lease_until, live = excluded.live
"""
# A question that is open, and what it asks.
INSERT_QUESTION: Final = """
    INSERT INTO nbhitl_questions (
        thread_id, ns, checkpoint_id, interrupt_id, task_id, node, kind, payload, digest, asked_at, state, live
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 1)
    ON CONFLICT (thread_id, ns, checkpoint_id, interrupt_id) DO NOTHING
"""
# `claims.take` of an open question whose task has been answered so far as the last value says (empty: not at all).
TAKE: Final = """
    UPDATE nbhitl_questions
    SET state = 'delivered', answer = ?, "by" = ?, "at" = ?, owner = ?, lease_until = ?
    WHERE thread_id = ? AND ns = ? AND checkpoint_id = ? AND interrupt_id = ? AND state = 'open' AND COALESCE((
        SELECT value FROM nbhitl_writes AS answered
        WHERE answered.thread_id = ? AND answered.ns = ? AND answered.checkpoint_id = ? AND answered.task_id = ?
            AND answered.idx = ?
    ), ?) = ?
"""
# `claims.after_pause` where one task asks its next question. The namespace is no bare column: SQLite would look at all
# questions that were ever asked at the checkpoint instead of those that are live.
_USE_UP: Final = """
    UPDATE nbhitl_questions SET state = 'applied', live = NULL, owner = NULL, lease_until = NULL{more}
    WHERE thread_id = ? AND task_id = ? AND live = 1 AND state = 'delivered'
        AND ns || '' = ? AND checkpoint_id = ? AND interrupt_id <> ?
"""
USE_UP: Final = _USE_UP.format(more="")
# `claims.after_step` for the questions of a thread: namespace, first and last of the namespaces below, step, parent.
SETTLE: Final = """
    UPDATE nbhitl_questions SET
        state = CASE WHEN state = 'delivered' THEN 'applied' ELSE 'dropped' END, live = NULL, owner = NULL,
        lease_until = NULL
    WHERE thread_id = ? AND live = 1 AND (ns = ? OR (ns >= ? AND ns < ?))
        AND ((state <> 'delivered' AND checkpoint_id <= ?) OR (state = 'delivered' AND checkpoint_id = ?))
"""
# The same after a step of results: those that were delivered below are applied too.
SETTLE_BELOW: Final = """
    UPDATE nbhitl_questions SET
        state = CASE WHEN state = 'delivered' THEN 'applied' ELSE 'dropped' END, live = NULL, owner = NULL,
        lease_until = NULL
    WHERE thread_id = ? AND live = 1 AND (ns = ? OR (ns >= ? AND ns < ?))
        AND ((state <> 'delivered' AND checkpoint_id <= ?) OR (state = 'delivered' AND (checkpoint_id = ? OR ns <> ?)))
"""

_ONCE: Final = "thread_id, key, state, result, owner, started_at, done_at"
ONCE_ENTRY: Final = f"SELECT {_ONCE} FROM nbhitl_once WHERE thread_id = ? AND key = ?"
ONCE_ENTRIES: Final = f"SELECT {_ONCE} FROM nbhitl_once WHERE thread_id = ? ORDER BY started_at, rowid"
PUT_ONCE: Final = f"""
    INSERT INTO nbhitl_once ({_ONCE}) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (thread_id, key) DO UPDATE SET
        state = excluded.state, result = excluded.result, owner = excluded.owner,
        started_at = excluded.started_at, done_at = excluded.done_at
"""
DELETE_ONCE: Final = "DELETE FROM nbhitl_once WHERE thread_id = ? AND key = ?"

# What is distinct is found by leaping from one to the next in the index instead of reading every step.
_EVERY_THREAD: Final = """
        SELECT min(thread_id) FROM nbhitl_steps
        UNION ALL
        SELECT (SELECT min(thread_id) FROM nbhitl_steps WHERE thread_id > names.thread_id)
        FROM names WHERE names.thread_id IS NOT NULL
"""
_NAMESPACES_OF_NAMES: Final = """
    spaces (thread_id, ns) AS (
        SELECT thread_id, (SELECT min(ns) FROM nbhitl_steps AS step WHERE step.thread_id = names.thread_id)
        FROM names WHERE names.thread_id IS NOT NULL
        UNION ALL
        SELECT thread_id, (
            SELECT min(ns) FROM nbhitl_steps AS step
            WHERE step.thread_id = spaces.thread_id AND step.ns > spaces.ns
        )
        FROM spaces WHERE spaces.ns IS NOT NULL
    )
    SELECT thread_id, ns FROM spaces WHERE ns IS NOT NULL
"""
ASKING_NODES: Final = """
    WITH RECURSIVE nodes (node) AS (
        SELECT min(node) FROM nbhitl_questions WHERE live = 1
        UNION ALL
        SELECT (SELECT min(node) FROM nbhitl_questions WHERE live = 1 AND node > nodes.node)
        FROM nodes WHERE nodes.node IS NOT NULL
    )
    SELECT node FROM nodes WHERE node IS NOT NULL
"""
NAMESPACES: Final = f"WITH RECURSIVE names (thread_id) AS ({_EVERY_THREAD}), {_NAMESPACES_OF_NAMES}"
NAMESPACES_OF: Final = f"WITH RECURSIVE names (thread_id) AS (VALUES (?)), {_NAMESPACES_OF_NAMES}"
THREADS: Final = """
    WITH RECURSIVE names (thread_id) AS (
        SELECT min(thread_id) FROM nbhitl_steps WHERE thread_id >= ? AND thread_id < ?
        UNION ALL
        SELECT (SELECT min(thread_id) FROM nbhitl_steps WHERE thread_id > names.thread_id AND thread_id < ?)
        FROM names WHERE names.thread_id IS NOT NULL
    ), roots (thread_id, checkpoint_id) AS (
        SELECT thread_id, (
            SELECT max(checkpoint_id) FROM nbhitl_steps AS step
            WHERE step.thread_id = names.thread_id AND step.ns = ''
        ) FROM names
    )
    SELECT thread_id, checkpoint_id, (
        SELECT created_at FROM nbhitl_steps AS step
        WHERE step.thread_id = roots.thread_id AND step.ns = '' AND step.checkpoint_id = roots.checkpoint_id
    ), (
        SELECT count(*) FROM nbhitl_questions AS asked
        WHERE asked.thread_id = roots.thread_id AND asked.live = 1 AND asked.state = 'open'
    )
    FROM roots WHERE checkpoint_id IS NOT NULL LIMIT ?
"""

# States in which few questions are at a time, and so the index of them is small.
_MIDWAY: Final = frozenset({RECORDED, DELIVERED, DROPPED})
_IS_MIDWAY: Final = "state <> 'open' AND state <> 'applied'"
INDEX_MIDWAY: Final = (
    f"CREATE INDEX nbhitl_questions_midway ON nbhitl_questions (state, asked_at) WHERE {_IS_MIDWAY};"
)

_TABLES: Final = ("nbhitl_steps", "nbhitl_writes", "nbhitl_questions")
_OF_STEP: Final = "WHERE thread_id = ? AND ns = ? AND checkpoint_id = ?"
DELETE_STEP: Final = (f"DELETE FROM nbhitl_steps {_OF_STEP}", f"DELETE FROM nbhitl_writes {_OF_STEP}")
DELETE_QUESTIONS: Final = f"DELETE FROM nbhitl_questions {_OF_STEP}"
DELETE_UNDECIDED: Final = f"{DELETE_QUESTIONS} AND state <> 'applied'"
DELETE_THREAD: Final = tuple(
    f"DELETE FROM {table} WHERE thread_id = ?" for table in (*_TABLES, "nbhitl_once")
)

ALL: Final = 2**62
"""A limit that is none."""

LAST_CHARACTER: Final = "\U0010ffff"
"""Sorts after every other character, so that `prefix + LAST_CHARACTER` ends the range of a prefix."""


def settle(thread: str, ns: str, parent: Any, source: str | None, made: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the change of `RowStore.settle_step`, and its parameters; `parent` and `made` are ids as they are stored."""
    below = (f"{ns}|", f"{ns}}}") if ns else ("", LAST_CHARACTER)
    values = (thread, ns, *below, made, parent)
    return (SETTLE_BELOW, (*values, ns)) if source == "loop" else (SETTLE, values)


def find_questions(wanted: QuestionFilter) -> tuple[str, list[Any]]:
    """Return the query for a filter, made of fixed parts, and its parameters; it gives questions and their row ids."""
    parts, values = [], list[Any]()
    # What the indexes are for, in their words.
    if _MIDWAY.issuperset(wanted.states):
        parts.append(_IS_MIDWAY)
    elif LIVE.issuperset(wanted.states):
        parts.append("live = 1")
    if wanted.states == (OPEN,):
        parts.append("state = 'open'")
    else:
        parts.append(f"state IN ({', '.join('?' * len(wanted.states)) or 'NULL'})")
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
    values.append(ALL if wanted.limit is None else wanted.limit)
    where = " AND ".join(parts)
    found = f"SELECT {_QUESTION}, rowid FROM nbhitl_questions WHERE {where}"
    return f"{found} ORDER BY asked_at, rowid LIMIT ?", values


def insert_if_quiet(*, first: str = "c1", lock: str = "", condition: str = "") -> str:
    """Return what adds a step if that is all: see `RowStore.insert_if_quiet`. It is a transaction by itself.

    Args:
        first: what gives the first column, the thread, which is `c1`.
        lock: for the parent's row.
        condition: one more, beginning with AND.
    """
    return _INSERT_IF_QUIET.format(first=first, lock=lock, condition=condition)


def use_up(more: str) -> str:
    """Return `USE_UP` with more columns set."""
    return _USE_UP.format(more=more)


def thread_of(sql: str, values: Sequence[Any]) -> str | None:
    """Return the thread that a statement is about, None if it is about all or none."""
    is_one = "WHERE thread_id = ?" in sql or "INSERT INTO" in sql or sql == NAMESPACES_OF
    return values[0] if is_one and values and isinstance(values[0], str) else None


def parts(script: str) -> list[str]:
    """Return the statements of a migration."""
    return [part for part in script.split(";") if part.strip()]


def refuse_newer(store: str, version: Any, known: int) -> None:
    """Refuse tables that this nbhitl does not know.

    Raises:
        NewerStore: they have a version above `known`.
        StoreError: they have none that there ever was.
    """
    if type(version) is not int or version < 0:
        raise StoreError(
            f"{store}: the version of its tables is {version!r}, which is none. Somebody else has changed it: "
            "restore the store from a copy."
        )
    if version > known:
        raise NewerStore(
            f"{store} was written by a newer nbhitl (its tables have version {version}, "
            f"this nbhitl knows {known}). Upgrade nbhitl, or use another store."
        )
