"""Whether a statement has changed a row: it says so itself, by a function that SQLite calls for each row that it changes.

RETURNING would make a table of its own each time, which takes longer than the change. A count of changes would include
those of triggers, and of others on the connection. Savers may share a connection: so each statement brings a number.
"""

from __future__ import annotations

import sqlite3
from itertools import count

_NAME = "nbhitl_note"

numbers = count(1)
"""Numbers for statements, each once in this process."""

_noted: set[int] = set()


def noting(value: str) -> str:
    """Return the SQL for a value in a row that is changed, which notes the number that is bound there."""
    return f"COALESCE({_NAME}(?), {value})"


def teach(conn: sqlite3.Connection) -> None:
    """Let the connection know the function. It is one in C: Ctrl-C within one in Python would be an error of SQLite's.

    Raises:
        sqlite3.Error: the connection cannot be used.
    """
    try:
        conn.execute(f"SELECT {_NAME}(0)")
    except sqlite3.OperationalError as error:
        if "no such function" not in str(error):
            raise
        conn.create_function(_NAME, 1, _noted.add)


def was_noted(number: int) -> bool:
    """Whether the statement with this number has changed a row; asked once."""
    try:
        _noted.remove(number)
    except KeyError:
        return False
    return True


def forget(number: int) -> None:
    """Forget a statement that failed: what it has changed was rolled back."""
    _noted.discard(number)
