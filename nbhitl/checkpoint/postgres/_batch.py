"""Several statements in one message to the server, and its answers to all of them: one exchange.

psycopg's own pipelines send statement by statement, and the server wakes up for each; here they wait in libpq's
buffer for the last one. These are generators as psycopg's are, for the `wait()` of its sync and async connections.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import psycopg
from psycopg import errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format, PipelineStatus, TransactionStatus
from psycopg.waiting import Ready, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import abc
    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGconn, PGresult

Statement: TypeAlias = "tuple[str, Sequence[Any]]"
_Key: TypeAlias = "tuple[bytes, tuple[int, ...]]"

_MOST_PREPARED = 200
_FAIL = b"SELECT 1 / 0 -- nbhitl was interrupted: this undoes what came before"
_numbers = count(1)  # of prepared statements, of all connections: so none of them is there already


class Answer(NamedTuple):
    """What a statement gave: its rows, and how many it changed or found."""

    rows: list[Any]
    changed: int


class _Bound(NamedTuple):
    """A statement as libpq takes it."""

    sql: bytes
    data: list[Any]
    types: tuple[int, ...]
    formats: list[Format]


class _Prepared:
    """The statements that the server keeps ready on a connection, by text and types of values."""

    __slots__ = ("names", "used")

    def __init__(self) -> None:
        self.names: dict[_Key, bytes] = {}
        self.used: Counter[_Key] = Counter()

    def is_due(self, key: _Key, threshold: int | None) -> bool:
        """Whether to prepare a statement; `threshold` is how often it has to be used before, None forbids it."""
        if threshold is None or len(self.names) >= _MOST_PREPARED:
            return False
        self.used[key] += 1
        return self.used[key] > threshold


_prepared: WeakKeyDictionary[Any, _Prepared] = WeakKeyDictionary()


def exchanged(conn: Any, statements: Sequence[Statement], wanted: int) -> PQGen[list[Answer]]:
    """Send statements, which are a transaction if none is open; return what the last ones gave, as many as `wanted`.

    Args:
        conn: a psycopg connection that nobody else uses meanwhile, not in pipeline mode.
        statements: SQL with `?` where a value is bound, and the values.
        wanted: how many answers to return.

    Raises:
        psycopg.Error: what the server says of the first statement that fails; or the connection is lost.
    """
    was_idle = conn.pgconn.transaction_status == TransactionStatus.IDLE
    adapter: abc.Transformer = Transformer(conn)
    bound = [_bound(adapter, sql, values) for sql, values in statements]
    try:
        results = yield from _results(conn, bound)
    except errors.InvalidSqlStatementName:  # somebody has told the server to discard all that was prepared
        _prepared.pop(conn, None)
        if not was_idle:
            raise
        if conn.pgconn.transaction_status != TransactionStatus.IDLE:
            bound.insert(0, _Bound(b"ROLLBACK", [], (), []))
        results = yield from _results(conn, bound)
    return [_answer(adapter, result) for result in results[-wanted:]]


def _bound(adapter: abc.Transformer, sql: str, values: Sequence[Any]) -> _Bound:
    if not values:
        return _Bound(_numbered(sql), [], (), [])
    data = adapter.dump_sequence(values, [PyFormat.AUTO] * len(values))
    return _Bound(_numbered(sql), list(data), adapter.types or (), list(adapter.formats or ()))


@lru_cache(maxsize=256)
def _numbered(sql: str) -> bytes:
    """Return a statement with PostgreSQL's marks for values: `?` becomes `$1`, `$2`, ..."""
    first, *rest = sql.split("?")
    return (first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))).encode()


def _answer(adapter: abc.Transformer, result: PGresult) -> Answer:
    if result.status != ExecStatus.TUPLES_OK:
        return Answer([], result.command_tuples or 0)
    adapter.set_pgresult(result)
    return Answer(adapter.load_rows(0, result.ntuples, tuple), result.ntuples)


def _results(conn: Any, bound: Sequence[_Bound]) -> PQGen[list[PGresult]]:
    """Send statements, and return their results."""
    pgconn: PGconn = conn.pgconn
    if pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError(f"the connection is {'lost' if conn.broken else 'closed'}")
    prepared = _prepared.get(conn)
    if prepared is None:
        prepared = _prepared[conn] = _Prepared()
    try:
        pgconn.enter_pipeline_mode()
        fresh = _queue(pgconn, bound, prepared, conn.prepare_threshold)
        found = yield from _received(pgconn)
        if pgconn.status == ConnStatus.OK:
            pgconn.exit_pipeline_mode()
    except GeneratorExit:  # given up: nobody waits any more
        raise
    except BaseException:
        yield from _left_behind(pgconn)
        raise
    return _checked(conn, prepared, fresh, found)


def _queue(
    pgconn: PGconn, bound: Sequence[_Bound], prepared: _Prepared, threshold: int | None
) -> list[tuple[int, _Key, bytes]]:
    """Put statements into the connection's buffer, before them what prepares those that come often.

    Returns:
        What is prepared: as which of the results to come, for which statements, under which name.
    """
    fresh: dict[_Key, tuple[int, _Key, bytes]] = {}
    place = 0
    for sql, data, types, formats in bound:
        key = (sql, types)
        name = prepared.names.get(key)
        if name is None and key in fresh:
            name = fresh[key][2]
        elif name is None and prepared.is_due(key, threshold):
            name = b"nbhitl_%d" % next(_numbers)
            fresh[key] = (place, key, name)
            pgconn.send_prepare(name, sql, types)
            place += 1
        if name is None:
            pgconn.send_query_params(sql, data, types, formats, Format.BINARY)
        else:
            pgconn.send_query_prepared(name, data, formats, Format.BINARY)
        place += 1
    pgconn.pipeline_sync()
    return [*fresh.values()]


def _received(pgconn: PGconn) -> PQGen[list[PGresult]]:
    """Send what is in the connection's buffer; return the results up to the end of the pipeline."""
    found: list[PGresult] = []
    is_unsent = pgconn.flush()
    while True:
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                continue  # the end of one statement's
            if result.status == ExecStatus.PIPELINE_SYNC:
                return found
            found.append(result)
        ready = (yield Wait.RW if is_unsent else Wait.R) or Ready.NONE
        if ready & Ready.R:
            try:
                pgconn.consume_input()
            except psycopg.OperationalError:
                if found and found[-1].status == ExecStatus.FATAL_ERROR:
                    return found  # why the server has closed the connection
                raise
        if is_unsent and ready & Ready.W:
            is_unsent = pgconn.flush()


def _left_behind(pgconn: PGconn) -> PQGen[None]:
    """After an interruption: undo what is not committed, take in what is still to come, and leave pipeline mode."""
    if pgconn.status != ConnStatus.OK or pgconn.pipeline_status == PipelineStatus.OFF:
        return
    pgconn.send_query_params(_FAIL, None)
    pgconn.pipeline_sync()
    while pgconn.pipeline_status != PipelineStatus.OFF:
        yield from _received(pgconn)
        with suppress(psycopg.OperationalError):  # there were two ends, and this was the first
            pgconn.exit_pipeline_mode()


def _checked(
    conn: Any, prepared: _Prepared, fresh: Sequence[tuple[int, _Key, bytes]], found: list[PGresult]
) -> list[PGresult]:
    """Note what has been prepared; return the results of the statements, or raise the error among them."""
    for place, key, name in fresh:
        if place < len(found) and found[place].status == ExecStatus.COMMAND_OK:
            prepared.names[key] = name
    for result in found:
        if result.status == ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, conn.info.encoding)
    for place, _, _ in reversed(fresh):
        del found[place]
    return found
