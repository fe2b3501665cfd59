"""A store that somebody has tampered with: what it holds is data or an error, never anything else."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from stores import address_of, opened

from nbhitl.checkpoint import _compression
from nbhitl.checkpoint._recall import Recall
from nbhitl.checkpoint.bundle import export_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import StoreError, UnsupportedValue

from .building import NOON, Run
from .contract import config
from .test_serde_damage import mutated
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
    items = run.saved[run.head].values["items"]
    run.step(edited={"items": [*items[:2], {"n": "edited"}, *items[4:]]})
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
        lambda: list(saver.outline("t", "")),
        lambda: saver.answers_at(*run.place()),
        lambda: saver.once_entries("t"),
        lambda: export_thread(saver, "t"),
        *(lambda key=key: saver.load(run.key(key)) for key in run.saved),
    ]
    told = []
    for read in reads:
        try:
            read()
        except StoreError as error:
            told.append(str(error))
    if saver._rows.name and saver.threads():  # memory has no name
        assert [text for text in told if not text.startswith(f"{saver._rows.name}, thread 't'")] == []


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
            told = r"thread 't', checkpoint .*, node 'node', write to 'n': .*Restore the store from a copy"
            with pytest.raises(StoreError, match=told):
                read()


def test_what_can_be_read_and_not_be_kept_is_read(monkeypatch):
    saver = InMemorySaver()
    run = Run(saver)
    run.step({"items": ["x" * 5000]})
    run.step(appended={"items": ["y"]})

    def refuse(*_):
        raise UnsupportedValue("a list cannot be taken apart")

    for method in ("keep", "follow"):  # the second time there is something to follow
        with monkeypatch.context() as patch:
            patch.setattr(Recall, method, refuse)
            assert saver.load(run.key(), share=True).values == {"items": ["x" * 5000, "y"]}
        assert saver.load(run.key(), share=True).values == {"items": ["x" * 5000, "y"]}


def test_an_error_about_a_damaged_value_names_the_file_once(tmp_path):
    path = tmp_path / "store.db"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        run = filled(saver)
        changed_in(saver, "nbhitl_steps", "body", lambda blob: blob + b"\xc0", -1)
        for read in (
            lambda: saver.load(run.key()),
            lambda: saver.prune(["t"]),
            lambda: export_thread(saver, "t"),
        ):
            with pytest.raises(StoreError) as told:
                read()
            place = f"SQLite store {path}, thread 't', checkpoint {run.head}: "
            assert str(told.value).startswith(place)
            assert str(told.value).count("SQLite store") == 1


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


def reads(saver: Any, run: Run) -> list[Callable[[], Any]]:
    return [
        lambda: saver.load(run.key()),
        lambda: [*saver.history("t", "")],
        lambda: [*saver.outline("t", "")],
        lambda: export_thread(saver, "t"),
    ]


@pytest.mark.parametrize("kind", EVERYDAY)
def test_what_unpacks_to_more_than_is_ever_compressed_is_refused(kind, monkeypatch, request):
    monkeypatch.setattr(_compression, "LARGEST", 1 << 20)
    with opened(address_of(kind, request)) as saver:
        run = Run(saver)
        run.step({"n": 1})
        bomb = zlib.compress(saver.serde.dumps(["a" * (1 << 20)]), 9)
        assert len(bomb) < 2000
        changed_in(saver, "nbhitl_steps", "body", lambda _: bomb, 0)
        for read in reads(saver, run):
            with pytest.raises(StoreError, match=r"thread 't', checkpoint .*unpacks to more than 1,048,576"):
                read()


@pytest.mark.parametrize("size", [(1 << 20) - 500, (1 << 20) + 500])
def test_what_is_too_large_to_be_compressed_is_stored_as_it_is(size, monkeypatch):
    monkeypatch.setattr(_compression, "LARGEST", 1 << 20)
    with SqliteSaver.from_conn_string(":memory:") as saver:
        run = Run(saver)
        run.step({"text": "a" * size})
        assert saver.load(run.key()).values == {"text": "a" * size}
        ((stored,),) = saver.conn.execute("SELECT length(body) FROM nbhitl_steps")
        assert (stored < 10_000) is (size < 1 << 20)


@pytest.mark.parametrize(
    ("text", "is_compressed"), [("a", False), (random.Random(1).randbytes(400).hex(), True)]
)
def test_what_is_large_and_compresses_too_well_is_stored_as_it_is(text, is_compressed, monkeypatch):
    """So what unpacks to hundreds of times its size is somebody else's, and is not unpacked."""
    monkeypatch.setattr(_compression, "_ALWAYS", 1 << 16)
    monkeypatch.setattr(_compression, "_TIMES", 200)
    with SqliteSaver.from_conn_string(":memory:") as saver:
        run = Run(saver)
        run.step({"text": text * ((1 << 17) // len(text))})
        assert saver.load(run.key()).values == {"text": text * ((1 << 17) // len(text))}
        ((stored,),) = saver.conn.execute("SELECT length(body) FROM nbhitl_steps")
        assert (stored < 1 << 16) is is_compressed


def test_a_bomb_is_not_unpacked(tmp_path):
    """A list of twenty million empty lists in twenty kilobytes would take more than a gigabyte."""
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        run.step({"n": 1})
        bomb = zlib.compress(b"\xdd" + (20_000_000).to_bytes(4, "big") + b"\x90" * 20_000_000, 9)
        changed_in(saver, "nbhitl_steps", "body", lambda _: bomb, 0)
        tracemalloc.start()
        try:
            with pytest.raises(StoreError, match=r"thread 't'.*unpacks to more than 16,777,216"):
                saver.load(run.key())
            assert tracemalloc.get_traced_memory()[1] < 100 << 20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("column", ["body", "metadata"])
def test_each_way_to_read_a_damaged_step_tells_which_it_is(tmp_path, column):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        run = Run(saver)
        for n in range(40):
            run.step({"n": n})
        changed_in(saver, "nbhitl_steps", column, lambda _: b"\xc1", -1)
        for read in reads(saver, run):
            with pytest.raises(StoreError, match=rf"thread 't'.*{run.head}.*invalid type"):
                read()


def test_a_damaged_entry_of_the_journal_is_told_by_its_key(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "store.db")) as saver:
        Run(saver).step({"n": 1})
        saver.begin_once("t", "mail", "me", NOON)
        saver.end_once("t", "mail", "me", "sent", NOON)
        changed_in(saver, "nbhitl_once", "result", lambda _: b"\xc1", 0)
        for read in (lambda: saver.once_entries("t"), lambda: export_thread(saver, "t")):
            with pytest.raises(StoreError, match=r"thread 't', once\('mail'\): a stored value is damaged"):
                read()


def test_a_file_whose_tables_are_no_text_any_more_is_damaged(tmp_path):
    """SQLite's message repeats what stands there, and Python cannot decode it."""
    path = tmp_path / "threads.sqlite"
    with SqliteSaver.from_conn_string(str(path)) as saver:
        filled(saver)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"CREATE TABLE nbhitl_steps", b"\x89REATE TABLE nbhitl_st\x89ps"))
    with (
        pytest.raises(StoreError, match=r"threads\.sqlite.*The file is damaged"),
        SqliteSaver.from_conn_string(str(path)) as saver,
    ):
        saver.pending()


@pytest.mark.parametrize("column", ["payload", "answer"])
def test_what_is_no_bytes_is_damage(tmp_path, column):
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
        filled(saver)
        saver.conn.execute(f"UPDATE nbhitl_questions SET {column} = 7")
        with pytest.raises(StoreError, match=r"thread 't'.*question q1"):
            saver.pending() if column == "payload" else saver.claims("t")


def test_a_step_that_has_lost_its_parent_is_damage(tmp_path):
    with SqliteSaver.from_conn_string(str(tmp_path / "threads.sqlite")) as saver:
        filled(saver)
        saver.conn.execute("UPDATE nbhitl_steps SET parent_id = NULL")
        with pytest.raises(StoreError, match="thread 't'"):
            list(saver.history("t", ""))
