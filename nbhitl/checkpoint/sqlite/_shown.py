"""What programs that look for LangGraph's table `checkpoints` find on a saver's connection: which threads there are.

It is a view in a database of its own, in memory and attached: SQLite looks for a name there last, so a table or view
`checkpoints` that anybody makes in the file is found instead. (A temporary view would hide it, and a saver of LangGraph's
on the same connection could not write.) Such a view may not name the file's tables, so its rows come from a function.
"""

from __future__ import annotations

import sqlite3
import weakref
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbhitl.checkpoint.sqlite._database import Database

_PLACE = "nbhitl_shown"
_FUNCTION = "nbhitl_checkpoints"


def _text(packed: str) -> str:
    """Return the SQL for an id as a program knows it; see `_ids.packed`."""
    parts = "||'-'||".join(f"substr(hex({packed}), {first}, {size})" for first, size in _PARTS)
    return f"CASE typeof({packed}) WHEN 'blob' THEN lower({parts}) ELSE {packed} END"


_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
_COLUMNS = ("rowid", "thread_id", "checkpoint_ns", "checkpoint_id", "parent_checkpoint_id")
_ROWS: Final = f"""
    SELECT json_group_array(json_array(rowid, thread_id, ns, {_text("checkpoint_id")}, {_text("parent_id")}))
    FROM main.nbhitl_steps
"""
_VIEW: Final = f"""
    CREATE VIEW {_PLACE}.checkpoints AS
    SELECT {", ".join(f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(_COLUMNS))}
    FROM json_each({_FUNCTION}())
"""


def show_checkpoints(database: Database) -> None:
    """Let SQL on a connection read `thread_id`, `checkpoint_ns`, `checkpoint_id` and `parent_checkpoint_id`.

    Not where SQLite refuses it: ten databases are attached already, or the program lets nothing be attached. The saver
    does not need it, and who asks for the table is told that there is none.
    """
    conn = database.conn
    try:
        places = {name: file for _, name, file in conn.cursor().execute("PRAGMA database_list")}
        if _PLACE not in places:
            conn.execute(f"ATTACH ':memory:' AS {_PLACE}")
            conn.execute(_VIEW)
        elif places["main"]:
            return
        conn.create_function(_FUNCTION, 0, _reader(database, places["main"]))
    except sqlite3.Error:
        return


def _reader(database: Database, file: str) -> Callable[[], str]:
    """Return what reads the rows. The connection outlives it, and must not be kept alive by it."""
    if file:
        return partial(_read_file, file)
    return partial(_read_memory, weakref.ref(database))


def _read_file(file: str) -> str:
    with closing(sqlite3.connect(f"{Path(file).as_uri()}?mode=ro", uri=True)) as conn:
        return _read(conn)


def _read_memory(lent: Callable[[], Database | None]) -> str:
    database = lent()
    if database is None:
        raise LookupError("The saver of this connection is gone.")
    return _read(database.conn)


def _read(conn: sqlite3.Connection) -> str:
    cursor = conn.cursor()
    cursor.row_factory = None
    rows: str = cursor.execute(_ROWS).fetchone()[0]
    return rows
