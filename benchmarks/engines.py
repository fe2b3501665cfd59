"""The names that a program imports, from one engine or the other, and the stores that it may use."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Store = Literal["none", "memory", "sqlite", "sqlite-full", "postgres"]


@dataclass(frozen=True)
class Engine:
    """One engine under the names that LangGraph gives them."""

    name: str
    version: str
    StateGraph: Any
    MessagesState: Any
    START: str
    END: str
    interrupt: Any
    Command: Any
    Send: Any
    InMemorySaver: Any
    SqliteSaver: Any

    @contextmanager
    def saver(self, store: Store, path: Path) -> Iterator[Any]:
        """Yield a saver of that kind, with its tables, or None."""
        if store == "none":
            yield None
        elif store == "memory":
            yield self.InMemorySaver()
        else:
            with sqlite_connection(store, path) as connection:
                saver = self.SqliteSaver(connection)
                saver.setup()
                yield saver


@contextmanager
def sqlite_connection(store: Store, path: Path, **options: Any) -> Iterator[sqlite3.Connection]:
    """Yield a connection with WAL, and `synchronous` as the store's name says: the same for everyone."""
    with closing(sqlite3.connect(path, check_same_thread=False, **options)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if store == 'sqlite-full' else 'NORMAL'}")
        yield connection


def load_engine(name: str) -> Engine:
    """Return the engine `name`: "nbhitl" or "langgraph"."""
    graph = import_module(f"{name}.graph")
    types = import_module(f"{name}.types")
    return Engine(
        name=name,
        version=version(name),
        StateGraph=graph.StateGraph,
        MessagesState=graph.MessagesState,
        START=graph.START,
        END=graph.END,
        interrupt=types.interrupt,
        Command=types.Command,
        Send=types.Send,
        InMemorySaver=import_module(f"{name}.checkpoint.memory").InMemorySaver,
        SqliteSaver=import_module(f"{name}.checkpoint.sqlite").SqliteSaver,
    )
