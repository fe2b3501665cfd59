"""A saver in PostgreSQL: for several people, several machines, and servers that keep their files elsewhere.

>>> from nbhitl.checkpoint.postgres import PostgresSaver
>>> from nbhitl.graph import START, StateGraph
>>> with PostgresSaver.from_conn_string(address) as saver:  # postgresql://user:password@host/database
...     graph = StateGraph(dict).add_node("greet", lambda state: {"said": "hello"}).add_edge(START, "greet")
...     graph.compile(checkpointer=saver).invoke({}, {"configurable": {"thread_id": "1"}})
...     [thread.thread_id for thread in saver.threads()]
{'said': 'hello'}
['1']
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

try:
    import psycopg
except ImportError as error:
    raise ImportError("nbhitl.checkpoint.postgres needs psycopg 3: pip install 'nbhitl[postgres]'") from error

from nbhitl.checkpoint._opening import closed_if_it_fails
from nbhitl.checkpoint._sql_rows import SqlRows
from nbhitl.checkpoint.postgres._database import Database
from nbhitl.checkpoint.postgres._errors import store_error, store_named_by
from nbhitl.checkpoint.postgres._links import Link
from nbhitl.checkpoint.steps import StepSaver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbhitl.checkpoint.serde import SerializerProtocol

__all__ = ["PostgresSaver"]

_PATIENCE = "30s"
"""How long to wait for another process that holds a thread."""


def connect(conn_string: str) -> psycopg.Connection[Any]:
    """Open a connection for a saver of this process's own.

    Raises:
        StoreError: it cannot be opened.
    """
    name = store_named_by(conn_string)
    try:
        conn = psycopg.connect(conn_string, autocommit=True)
    except (psycopg.Error, UnicodeError) as error:
        raise store_error(name, error, None, lost=False) from error
    try:
        with closed_if_it_fails(conn):
            conn.execute(
                f"SET lock_timeout = '{_PATIENCE}'; SET default_transaction_isolation = 'read committed'"
            )
    except psycopg.Error as error:
        raise store_error(name, error, None, lost=False) from error
    return conn


class PostgresSaver(StepSaver):
    """Keeps threads in a PostgreSQL database.

    Args:
        conn: a psycopg connection with `autocommit=True`, or a psycopg pool of such connections. With one
            connection, the nodes of a step take turns at it; with a pool they do not.
        pipe: LangGraph's; the saver sends in one go what belongs together, with it or without.
        serde: turns values into bytes and back. Classes of values must be registered with it, which
            `compile()` does for those that the state's schema names.

    The tables are named `nbhitl_...` and are made in the first schema of the connection's search path.

    What this process has saved survives its death at any moment. Questions, answers, effects of `once()`, results
    of parallel tasks and the last step of a run are on the server's disk before the run goes on; a step that
    another follows is there a moment later, together with what follows: should the server itself crash, a
    thread may be some steps behind. On the connection of `from_conn_string` the first steps of a new thread, before
    any of its nodes has ended, wait up to 5 ms for what is stored next, and are sent with it: a process that is killed
    meanwhile leaves no thread, and others see them as much later. Whatever is asked of this saver comes after them.
    With `durability="sync"` nothing waits, and each step is on the disk before the next one begins.
    """

    def __init__(self, conn: Any, pipe: Any = None, serde: SerializerProtocol | None = None) -> None:
        if not (isinstance(conn, psycopg.Connection) or hasattr(conn, "getconn")):
            raise TypeError(
                f"PostgresSaver needs a psycopg connection or a pool of them, not {type(conn).__name__}. "
                "Use PostgresSaver.from_conn_string(...)."
            )
        self._database = Database(Link(conn))
        super().__init__(SqlRows(self._database, str, str), serde=serde)

    @property
    def conn(self) -> Any:
        """The connection or pool."""
        return self._database.link.given

    @classmethod
    @contextmanager
    def from_conn_string(cls, conn_string: str, *, pipeline: bool = False) -> Iterator[PostgresSaver]:
        """Connect, and close the connection at the end of the `with` block. If it is lost meanwhile, the next
        call opens another.

        Args:
            conn_string: `postgresql://user:password@host:5432/database`, or `host=... dbname=...`.
            pipeline: LangGraph's; what belongs together is sent in one go, with it or without.

        Raises:
            StoreError: the database cannot be reached.
        """
        conn = connect(conn_string)
        with closed_if_it_fails(conn):
            saver = cls(conn)
        saver._database.link.own(partial(connect, conn_string))
        try:
            yield saver
        finally:
            saver._database.close()

    def setup(self) -> None:
        """Make the tables; done at the first use anyway.

        Raises:
            NewerStore: a newer nbhitl has written this database.
            StoreError: the database cannot be reached, or this role may not make tables.
        """
        self._database.setup()
