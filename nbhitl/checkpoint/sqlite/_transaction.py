"""What makes a `with` statement of a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from nbhitl.checkpoint.sqlite._database import Database


class Transaction:
    """Begins, and commits or rolls back; holds the database's lock meanwhile."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        database = self._database
        try:
            database.begin()
        except BaseException:
            # Ctrl-C may have come just after it had begun, or while another thread has one open.
            database.end_own_left_over()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.end(commit=kind is None)
