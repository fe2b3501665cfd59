"""A database over somebody else's aiosqlite connection: all work goes to that connection's thread."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from nbhitl.checkpoint.sqlite._database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from nbhitl.checkpoint._row_store import Tally

T = TypeVar("T")


class LentDatabase(Database):
    """As `Database`, for a connection that only its own thread may touch.

    Methods called in that thread work at once, others are sent there. A transaction that another thread
    begins keeps the connection's thread to itself until it ends.

    Args:
        given: an aiosqlite connection; `run` opens it if it is not open yet.
    """

    keeps_beside = False

    def __init__(self, given: Any) -> None:
        if not hasattr(given, "_tx"):
            raise TypeError(
                f"AsyncSqliteSaver needs an aiosqlite connection or one of sqlite3's, not "
                f"{type(given).__name__}. "
                "Use AsyncSqliteSaver.from_conn_string(path)."
            )
        super().__init__(None, "SQLite store (aiosqlite)")
        self.held = nullcontext()
        self.given = given
        self._thread: threading.Thread | None = None
        self._sessions = threading.local()

    async def run(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, called in the connection's thread."""
        if self.given._connection is None:
            await self.given
        return await asyncio.wrap_future(self._submit(call))

    def in_its_thread(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, called in the connection's thread; the connection is open."""
        return self._call(call)

    def _submit(self, call: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self.given._tx.put_nowait((_NOBODY, partial(self._work, future, call)))
        return future

    def _work(self, future: Future[T], call: Callable[[], T]) -> None:
        try:
            self._thread = threading.current_thread()
            self.conn = self.given._conn
            result = call()
        except BaseException as error:  # the caller's, who waits for it
            future.set_exception(error)
        else:
            future.set_result(result)

    def _call(self, call: Callable[[], T]) -> T:
        if threading.current_thread() is self._thread:
            return call()
        session: _Session | None = getattr(self._sessions, "now", None)
        return session.run(call) if session else self._submit(call).result()

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._call(partial(super().all, sql, values))

    def one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        return self._call(partial(super().one, sql, values))

    def change_mark(self, thread: str) -> None:
        """Unknown: the connection's owner may have a transaction open."""

    def own_mark(self, thread: str) -> None:
        """Unknown, as `change_mark`."""

    def do(self, sql: str, values: Sequence[Any] = ()) -> None:
        self._call(partial(super().do, sql, values))

    def do_many(self, sql: str, rows: Collection[Sequence[Any]]) -> None:
        self._call(partial(super().do_many, sql, rows))

    def do_counted(self, sql: str, values: Sequence[Any] = ()) -> Tally:
        return self._call(partial(super().do_counted, sql, values))

    def do_alone(self, sql: str, values: Sequence[Any], number: int) -> bool:
        return self._call(partial(super().do_alone, sql, values, number))

    def setup(self) -> None:
        self._call(super().setup)

    def begin(self, threads: Sequence[str] = ()) -> None:
        if threading.current_thread() is self._thread:
            super().begin(threads)
            return
        session = _Session(self._submit)
        try:
            session.run(partial(super().begin, threads))
        except BaseException:
            session.close()
            raise
        self._sessions.now = session

    def end(self, *, commit: bool, threads: Sequence[str] = ()) -> None:
        if threading.current_thread() is self._thread:
            super().end(commit=commit, threads=threads)
            return
        session: _Session = self._sessions.now
        self._sessions.now = None
        try:
            session.run(partial(super().end, commit=commit, threads=threads))
        finally:
            session.close()


class _Session:
    """The connection's thread, working for one other thread only, until closed."""

    def __init__(self, submit: Callable[[Callable[[], None]], object]) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        submit(self._serve)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            try:
                future.set_result(call())
            except BaseException as error:  # the caller's, who waits for it
                future.set_exception(error)

    def run(self, call: Callable[[], T]) -> T:
        future: Future[T] = Future()
        self._jobs.put((future, call))
        return future.result()

    def close(self) -> None:
        self._jobs.put(None)


class _Nobody:
    """Takes the place of the asyncio future that aiosqlite reports to; the caller has a future of its own."""

    def get_loop(self) -> _Nobody:
        return self

    def call_soon_threadsafe(self, *_: object) -> None:
        return None


_NOBODY = _Nobody()
