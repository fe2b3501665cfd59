"""Whether the file that a connection has open is still the one at its path.

SQLite goes on writing to a file that was deleted, moved or replaced, and says nothing where the log is a WAL: whoever
opens the path afterwards finds none of it. Looking costs a system call, so it is done where a person's answer is taken
up, and before the file is opened by its path once more.
"""

from __future__ import annotations

import os
import sqlite3


class OpenFile:
    """The file at `path`, as it was when this was made; "" stands for a database that has none.

    Files are told apart as SQLite does it, by the inode. Where there is none to be had nothing is refused: in memory,
    where a VFS of the program's own names what is no file, and on Windows, which keeps open files where they are.
    """

    __slots__ = ("_inode", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode = _inode(path) if path and os.name != "nt" else None

    def check(self) -> None:
        """Look whether it is still there.

        Raises:
            sqlite3.OperationalError: it is not, or another file is.
        """
        if self._inode is not None and _inode(self.path, self._inode) != self._inode:
            raise sqlite3.OperationalError("the file was deleted, moved or replaced while it was open")


def _inode(path: str, unknown: int | None = None) -> int | None:
    """Return the inode of the file at a path; None if there is none, `unknown` if that cannot be told."""
    try:
        return os.stat(path).st_ino or unknown
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:  # the folder may not be read any more, or is on a disk that does not answer
        return unknown
