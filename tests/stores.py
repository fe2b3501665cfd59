"""Stores that several processes may open, by their address: a file of SQLite, or a place in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

KINDS = ("sqlite", "postgres")


def opened(address: str) -> AbstractContextManager[Any]:
    """A saver; closed at the end of the `with` block."""
    if "host=" in address:
        from nbhitl.checkpoint.postgres import PostgresSaver

        return PostgresSaver.from_conn_string(address)
    from nbhitl.checkpoint.sqlite import SqliteSaver

    return SqliteSaver.from_conn_string(address)


def address_of(kind: str, request: Any) -> str:
    """The address of an empty store of that kind, for a test."""
    if kind == "postgres":
        return str(request.getfixturevalue("postgres"))
    return str(request.getfixturevalue("tmp_path") / "threads.sqlite")
