"""A store that somebody has tampered with: what it holds is data or an error, never anything else."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from stores import address_of, opened

from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import StoreError

from .building import Run
from .contract import config
from .test_serde import mutated
from .values import CLASSES, USERS

if TYPE_CHECKING:
    from collections.abc import Callable

BLOBS = (
    ("nbhitl_steps", "body"),
    ("nbhitl_steps", "metadata"),
    ("nbhitl_writes", "value"),
    ("nbhitl_questions", "payload"),
)


def filled(saver: Any) -> Run:
    saver.serde.register(*CLASSES)
    run = Run(saver)
    run.step({"n": 0, "users": USERS[:6], "items": []})
    for n in range(6):
        run.step({"n": n}, appended={"items": [{"n": n}, USERS[n]]})
    run.pause("q1", payload={"what": USERS[7]})
    return run


def read_everything(saver: Any, run: Run) -> None:
    reads = [
        lambda: saver.load(run.key()),
        lambda: saver.load(run.key(), share=True),
        lambda: list(saver.history("t", "")),
        lambda: list(saver.history("t", "", filter={"step": 3}, limit=2)),
        lambda: saver.get_tuple(config("t")),
        lambda: list(saver.list(None)),
        saver.pending,
        lambda: saver.claims("t"),
        saver.threads,
        *(lambda key=key: saver.load(run.key(key)) for key in run.saved),
    ]
    for read in reads:
        with suppress(StoreError):
            read()


def changed_in(saver: Any, table: str, column: str, change: Callable[[bytes], bytes], row: int) -> Any:
    """Change the bytes of one row, by SQL; returns what to call to put them back."""
    key, mark = ("ctid", "%s") if "Postgres" in type(saver).__name__ else ("rowid", "?")
    set_value = f"UPDATE {table} SET {column} = {mark} WHERE {key} = {mark} RETURNING {key}"

    def execute(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        found = saver.conn.execute(sql, values).fetchall()
        return [tuple(part.values() if isinstance(part, dict) else part) for part in found]

    rows = execute(f"SELECT {key}, {column} FROM {table} ORDER BY {key}")
    place, blob = rows[row % len(rows)]
    place = execute(set_value, change(bytes(blob)), place)[0][0]
    return lambda: execute(set_value, bytes(blob), place)


def tamper(saver: Any, count: int, seed: int) -> None:
    source = random.Random(seed)
    run = filled(saver)
    for _ in range(count):
        table, column = source.choice(BLOBS)
        put_back = changed_in(
            saver, table, column, lambda blob: mutated(source, blob), source.randrange(1 << 20)
        )
        read_everything(saver, run)
        put_back()
    assert saver.load(run.key()).values == run.saved[run.head].values


# Over PostgreSQL each reading is some twenty queries to another process.
EVERYDAY = {"sqlite": 150, "postgres": 15}
MANY = {"sqlite": 5000, "postgres": 1500}


@pytest.mark.parametrize("kind", EVERYDAY)
@pytest.mark.filterwarnings("ignore")
def test_a_tampered_store_is_data_or_an_error(kind, request):
    with opened(address_of(kind, request)) as saver:
        tamper(saver, EVERYDAY[kind], seed=3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MANY)
@pytest.mark.filterwarnings("ignore")
def test_a_much_tampered_store_is_data_or_an_error(kind, request):
    with opened(address_of(kind, request)) as saver:
        tamper(saver, MANY[kind], seed=4)


MORE_BYTES = [
    ("nbhitl_steps", "body", r"thread 't', checkpoint .*more bytes follow"),
    ("nbhitl_steps", "metadata", r"thread 't', checkpoint .*more bytes follow"),
    ("nbhitl_writes", "value", r"thread 't', checkpoint .*, node 'asking', write to '.*more bytes follow"),
]


@pytest.mark.parametrize("kind", EVERYDAY)
@pytest.mark.parametrize(("table", "column", "message"), MORE_BYTES)
def test_bytes_after_the_end_of_a_value_are_refused(kind, table, column, message, request):
    with opened(address_of(kind, request)) as saver:
        run = filled(saver)
        for more in (b"\xc0", b"\x01\x02", b"more of it", b"\xc4\x08\x00"):
            put_back = changed_in(saver, table, column, lambda blob, more=more: blob + more, -1)
            with pytest.raises(StoreError, match=message):
                saver.load(run.key())
            put_back()
        assert saver.load(run.key()).values == run.saved[run.head].values


@pytest.mark.parametrize("column", ["asking", "resuming"])
def test_bytes_after_the_end_of_a_write_beside_a_question_are_refused(tmp_path, column):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 1})
        assert saver.load(run.key()).writes == []
        run.pause("q1")
        saver.claim(run.request({"q1": "yes"}))
        written = saver.load(run.key()).writes
        put_back = changed_in(saver, "nbhitl_questions", column, lambda blob: blob + b"more", 0)
        with pytest.raises(StoreError, match=r"thread 't', checkpoint .*, write to '.*more bytes follow"):
            saver.load(run.key())
        put_back()
        assert saver.load(run.key()).writes == written
        assert saver.conn.execute("SELECT count(*) FROM nbhitl_writes").fetchone() == (0,)


def test_bytes_after_the_end_of_a_compressed_step_are_refused(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"items": ["x" * 5000]})
        for change in (lambda blob: blob + b"more", lambda blob: blob[:-3]):
            put_back = changed_in(saver, "nbhitl_steps", "body", change, 0)
            with pytest.raises(StoreError, match=r"thread 't', checkpoint .* damaged"):
                saver.load(run.key())
            put_back()
        assert saver.load(run.key()).values == {"items": ["x" * 5000]}


def test_a_missing_parent_is_named(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"items": ["x" * 100]})
        for n in range(3):
            run.step({}, appended={"items": [n]})
        missing = list(run.saved)[1]
        saver.conn.execute("DELETE FROM nbhitl_steps WHERE rowid = 2")
        for read in (lambda: saver.load(run.key()), lambda: list(saver.history("t", ""))):
            with pytest.raises(StoreError, match=rf"thread 't'.*parent {missing} is not in the store"):
                read()
        assert saver.load(CheckpointKey("t", "", next(iter(run.saved)))).values == {"items": ["x" * 100]}


@pytest.mark.parametrize("kind", EVERYDAY)
def test_whoever_reads_a_damaged_write_is_told_where_it_is(kind, request):
    with opened(address_of(kind, request)) as saver:
        run = Run(saver)
        run.step({"n": 1})
        saver.put_pending(run.key(run.head), [run.task("node", [("n", 5)])])
        changed_in(saver, "nbhitl_writes", "value", lambda _: b"\xc1", 0)
        for read in (
            lambda: [*saver.history("t", "")],
            lambda: [*saver.history("t", "", limit=1)],
            lambda: [*saver.outline("t", "")],
            lambda: saver.load(run.key(run.head)),
            lambda: saver.answers_at(*run.place()) or saver.load(run.key()),
        ):
            with pytest.raises(StoreError, match=r"thread 't', checkpoint .*, node 'node', write to 'n'"):
                read()


@pytest.mark.parametrize("kind", EVERYDAY)
def test_whoever_lists_a_damaged_question_is_told_whose_it_is(kind, request):
    with opened(address_of(kind, request)) as saver:
        for thread in ("fine", "t"):
            run = Run(saver, thread)
            run.step()
            run.pause("q1")
        changed_in(saver, "nbhitl_questions", "payload", lambda _: b"\xc1", -1)
        where = r"thread 't', checkpoint .*, node 'asking', question q1: a stored value is damaged"
        with pytest.raises(StoreError, match=where):
            saver.pending()
        assert len(saver.pending(thread_prefix="f")) == 1
        saver.claim(run.request({"q1": "yes"}))
        changed_in(saver, "nbhitl_questions", "answer", lambda _: b"\xc1", -1)
        with pytest.raises(StoreError, match=where):
            saver.claims("t")
