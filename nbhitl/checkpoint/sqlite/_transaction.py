"""What makes a `with` statement of a transaction.

Python looks for Ctrl-C where a function begins, and so also when `__exit__` has begun and done nothing yet, where no
`try` of it reaches: then the thread's next change undoes the transaction. Wherever else it comes, none is left open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from nbhitl.checkpoint.sqlite._database import Database


class Transaction:
    """Begins, and commits or rolls back; holds the database's lock meanwhile.

    Args:
        database: where.
        threads: what it is about, for errors.
    """

    __slots__ = ("_database", "_threads")

    def __init__(self, database: Database, threads: Sequence[str]) -> None:
        self._database = database
        self._threads = threads

    def __enter__(self) -> None:
        database = self._database
        try:
            database.begin(self._threads)
        except BaseException:
            # Ctrl-C may have come just after it had begun, or while another thread has one open.
            database.end_own_left_over()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        database = self._database
        try:
            database.end(commit=kind is None, threads=self._threads)
        except BaseException:
            database.end_own_left_over()  # Ctrl-C may have come before or amid that
            raise
