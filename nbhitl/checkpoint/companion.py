"""What nbhitl keeps beside a saver that is not its own: claims on questions, and the journal of `once()`.

Beside a SQLite file it is a second file, `<file>.nbhitl`, so that processes which share the one share the other; the
file itself is left alone. Beside any other saver it is in this process, for as long as the saver lives. It is made
when something is first kept in it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary, finalize

from nbhitl.checkpoint._overridden import as_ours
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.checkpoint.steps import StepSaver
from nbhitl.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["companion_of", "existing_companion", "off_the_loop"]

T = TypeVar("T")

SUFFIX = ".nbhitl"

_beside: WeakKeyDictionary[Any, StepSaver] = WeakKeyDictionary()
_files: WeakKeyDictionary[Any, str | None] = WeakKeyDictionary()
_lock = Lock()


def companion_of(checkpointer: Any) -> StepSaver:
    """Return what keeps the claims and the journal of a checkpointer: itself, if it is nbhitl's.

    Raises:
        StoreError: the file beside it cannot be opened.
    """
    found = _companion(checkpointer, make=True)
    assert found is not None
    return found


def existing_companion(checkpointer: Any) -> StepSaver | None:
    """Return the same, or None if nothing has been kept yet."""
    return _companion(checkpointer, make=False)


async def off_the_loop(checkpointer: Any, call: Callable[[], T]) -> T:
    """Return what `call` returns, which uses a companion: on a thread of its own if that is a file."""
    found = existing_companion(checkpointer)
    if found is None or isinstance(found, InMemorySaver) or isinstance(checkpointer, InMemorySaver):
        return call()
    # A thread of our own: those of the event loop may all be waiting for what this one is to do.
    return await asyncio.get_running_loop().run_in_executor(_executor(), call)


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="nbhitl-beside")


def _companion(checkpointer: Any, *, make: bool) -> StepSaver | None:
    if isinstance(checkpointer, StepSaver):
        ours: StepSaver = as_ours(checkpointer, StepSaver)
        return ours
    with _lock:
        found = _beside.get(checkpointer)
        if found is None:
            if checkpointer not in _files:
                _files[checkpointer] = _file_of(getattr(checkpointer, "conn", None))
            file = _files[checkpointer]
            if make or (file is not None and _beside_file(file).exists()):
                found = _beside[checkpointer] = _opened(checkpointer, file)
        return found


def _opened(checkpointer: Any, file: str | None) -> StepSaver:
    if file is None:
        return InMemorySaver()
    from nbhitl.checkpoint.sqlite import SqliteSaver, connect

    conn = connect(_beside_file(file))
    finalize(checkpointer, conn.close)
    return SqliteSaver(conn, serde=Serde(learn=True))


def _beside_file(file: str) -> Path:
    return Path(file + SUFFIX)


def _file_of(conn: Any) -> str | None:
    """The file of a SQLite connection; None if it has none, or is no SQLite connection."""
    if isinstance(conn, sqlite3.Connection):
        return _asked(lambda: _main_file(conn))
    if type(conn).__module__.partition(".")[0] != "aiosqlite":
        return None
    if conn._connection is None:
        raise StoreError("The checkpointer's aiosqlite connection is not open: await it first.")
    from nbhitl.checkpoint.sqlite._lent import LentDatabase

    lent = LentDatabase(conn)
    return _asked(lambda: lent.in_its_thread(lambda: _main_file(conn._connection)))


def _asked(ask: Callable[[], str | None]) -> str | None:
    try:
        return ask()
    except sqlite3.Error as error:
        raise StoreError(
            f"The file of the checkpointer's SQLite connection cannot be told: {error}. Keep it open while a graph "
            "uses it, and open it with check_same_thread=False."
        ) from error


def _main_file(conn: sqlite3.Connection) -> str | None:
    rows = conn.execute("PRAGMA database_list").fetchall()
    return next((file for _, name, file in rows if name == "main" and file), None)
