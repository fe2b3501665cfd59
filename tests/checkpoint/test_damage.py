"""A store that somebody has tampered with: what it holds is data or an error, never anything else."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from nbhitl.checkpoint.records import CheckpointKey
from nbhitl.checkpoint.sqlite import SqliteSaver
from nbhitl.errors import StoreError

from .building import Run
from .contract import config
from .test_serde import mutated
from .values import CLASSES, USERS

BLOBS = (
    ("nbhitl_steps", "body"),
    ("nbhitl_steps", "metadata"),
    ("nbhitl_writes", "value"),
    ("nbhitl_questions", "payload"),
)


def filled(saver: SqliteSaver) -> Run:
    saver.serde.register(*CLASSES)
    run = Run(saver)
    run.step({"n": 0, "users": USERS[:6], "items": []})
    for n in range(6):
        run.step({"n": n}, appended={"items": [{"n": n}, USERS[n]]})
    run.pause("q1", payload={"what": USERS[7]})
    return run


def read_everything(saver: SqliteSaver, run: Run) -> None:
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


def tamper(count: int, seed: int) -> None:
    source = random.Random(seed)
    with SqliteSaver.from_conn_string(":memory:") as saver:
        run = filled(saver)
        for _ in range(count):
            table, column = source.choice(BLOBS)
            rows = saver.conn.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            rowid, blob = source.choice(rows)
            saver.conn.execute(
                f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (mutated(source, blob), rowid)
            )
            read_everything(saver, run)
            saver.conn.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (blob, rowid))
        assert saver.load(run.key()).values == run.saved[run.head].values


@pytest.mark.filterwarnings("ignore")
def test_a_tampered_store_is_data_or_an_error():
    tamper(150, seed=3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_much_tampered_store_is_data_or_an_error():
    tamper(5000, seed=4)


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
