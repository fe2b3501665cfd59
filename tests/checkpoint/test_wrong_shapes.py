"""Values of a wrong shape in a store, properly encoded, as only somebody who knows nbhitl's rows could put them there:
each call works or raises an error that names the store, the thread and what to do.
"""

from __future__ import annotations

import random
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from nbhitl import GraphThread, import_thread
from nbhitl.checkpoint.bundle import _hash, export_thread
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.checkpoint.serde import Serde
from nbhitl.errors import BundleError, StoreError, UnsupportedValue
from nbhitl.types import Command, Interrupt, Send

from .test_tampered_columns import ALL, CONFIG, Tables, fill, graph_on, is_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WRONG: tuple[Any, ...] = (
    *(None, True, -1, 2**40, 10**30, 1.5, float("nan"), "", "x", b"x", (), (1,), {1, 2}, range(3)),
    *([], [1], [[]], [[1, 2, 3]], [[None] * 3], [[{}, "x", 1]], [["x", {}, 1]], [("x", "y", 1)]),
    *(
        {},
        {"x": [1]},
        {1: 2},
        {(1, 2): 3},
        Send("work", 1),
        [Send("x", {})],
        [Interrupt(1, id="x")],
        Command(),
    ),
)


def changed(value: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the value with a wrong one in each of its places, with parts left out and with one too many."""
    yield from WRONG
    if depth > 4 or not isinstance(value, list | tuple | dict):
        return
    keys = list(value) if isinstance(value, dict) else range(min(len(value), 6))
    for key in keys:
        for part in changed(value[key], depth + 1):
            yield with_part(value, key, part)
    if isinstance(value, dict):
        yield from ({k: v for k, v in value.items() if k != left_out} for left_out in keys)
        yield {**value, 7: 1}
    else:
        yield from (value[:at] + value[at + 1 :] for at in keys)
        yield value + value[:1]


def with_part(value: Any, key: Any, part: Any) -> Any:
    if isinstance(value, dict):
        return {**value, key: part}
    return type(value)((*value[:key], part, *value[key + 1 :]))


def encodings(serde: Serde, data: bytes) -> Iterator[bytes]:
    for value in changed(serde.loads(data)):
        try:
            yield serde.dumps(value)
        except (UnsupportedValue, TypeError):
            continue


class Row:
    """A value in a row of a file.

    Args:
        tables: the file's.
        table: one of them.
        column: what is changed.
        rowid: in which row.
    """

    def __init__(self, tables: Tables, table: str, column: str, rowid: int) -> None:
        self._tables = tables
        self._where = f'{table} SET "{column}" = ? WHERE rowid = {rowid}'

    def put(self, data: bytes) -> None:
        self._tables.restore()
        with self._tables.sql() as conn:
            conn.execute(f"UPDATE {self._where}", (data,))


def blobs(tables: Tables) -> list[tuple[Row, bytes]]:
    """What a file holds encoded; ids, which are bytes too, are no such values."""
    found = []
    for table, column in tables.columns():
        if not column.endswith("_id"):
            with tables.sql() as conn:
                values = conn.execute(f'SELECT rowid, "{column}" FROM {table}').fetchall()
            found += [(Row(tables, table, column, n), data) for n, data in values if isinstance(data, bytes)]
    return found


def refused(tables: Tables, numbers: list[int]) -> int:
    """Read everything and do those of `Store.changes`; return how many calls were refused, in words."""
    with tables.store() as store:
        calls = [*store.readings(), *(store.changes()[number] for number in numbers)]
        return sum(not is_data(call) for call in calls)


def is_data(call: Callable[[], Any]) -> bool:
    try:
        return not is_told(call)
    except TypeError as error:
        # What a task wrote to the state, and what is there, is data: a reducer makes of it what it can.
        if not any(text in str(error) for text in ("concatenate", "unsupported operand")):
            raise
        return True


@pytest.mark.filterwarnings("ignore")
def test_what_has_a_wrong_shape_is_data_or_an_error(tmp_path: Path) -> None:
    tables, source, serde = Tables(str(tmp_path / "threads.sqlite")), random.Random(4), Serde()
    found, count = blobs(tables), 0
    for _ in range(60):
        row, data = source.choice(found)
        row.put(source.choice([*encodings(serde, data)]))
        count += refused(tables, [0, source.choice(ALL)])
    assert count


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")
def test_each_wrong_shape_at_each_place_is_data_or_an_error(tmp_path: Path) -> None:
    tables, source, serde = Tables(str(tmp_path / "threads.sqlite")), random.Random(5), Serde()
    for row, data in blobs(tables):
        for wrong in encodings(serde, data):
            row.put(wrong)
            refused(tables, [source.choice((0, 1)), source.choice(ALL)])


ANSWERS = "SELECT rowid, value FROM nbhitl_writes WHERE channel = '__resume__'"
SENT = "SELECT rowid, value FROM nbhitl_writes WHERE channel = '__interrupt__'"
BODY = "SELECT rowid, body FROM nbhitl_steps WHERE depth = 1 AND ns = ''"
LAST_BODY = "SELECT rowid, body FROM nbhitl_steps WHERE base_id <> checkpoint_id AND ns = ''"
METADATA = "SELECT rowid, metadata FROM nbhitl_steps WHERE depth = 1 AND ns = ''"
ADVICE = "Restore the store from a copy, or delete the thread"


def wrongly(tables: Tables, query: str, change: Callable[[Any], Any]) -> None:
    """Change every value that a query finds."""
    serde, table, column = Serde(), query.split()[4], query.split()[2]
    with tables.sql() as conn:
        for rowid, data in conn.execute(query).fetchall():
            value = serde.dumps(change(serde.loads(data)))
            conn.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, rowid))


WRONG_PARTS: list[tuple[str, Callable[[Any], Any], str]] = [
    (ANSWERS, lambda entries: [[["a"], *entries[0][1:]]], "copy"),
    (ANSWERS, lambda entries: [[["a"], *entries[0][1:]]], "release"),
    (ANSWERS, lambda entries: [[entries[0][0], {}, 1]], "answer"),
    (ANSWERS, lambda entries: [Send("work", 1)], "update"),
    (SENT, lambda asked: {"x": [1]}, "answer"),
    (SENT, lambda asked: ["x"], "update"),
    (BODY, lambda body: with_part(body, 2, [1]), "list"),
    (LAST_BODY, lambda body: with_part(body, 5, 1.5), "prune"),
    (BODY, lambda body: with_part(body, 1, [["__start__"], [], [], "x", {}]), "state of it"),
    (BODY, lambda body: with_part(body, 1, [[["x"]], ["__start__"]]), "history"),
    (BODY, lambda body: with_part(body, 1, [5, ["__start__"]]), "history"),
    (METADATA, lambda metadata: [1, 1.5], "history"),
    (METADATA, lambda metadata: [1, 10**30], "history"),
]


@pytest.mark.parametrize(("query", "change", "call"), WRONG_PARTS)
def test_a_wrong_part_is_told_with_its_place_and_what_to_do(
    tmp_path: Path, query: str, change: Callable[[Any], Any], call: str
) -> None:
    tables = Tables(str(tmp_path / "threads.sqlite"))
    with tables.store() as store:
        first = [found.config for found in store.saver.list(CONFIG)][-1]
    wrongly(tables, query, change)
    with tables.store() as store:
        saver, graph, doubted = store.saver, graph_on(store.saver), store.of_state("delivered")
        still_open = {q.interrupt_id: "yes" for q in store.asked if q.state == "open"}
        calls: dict[str, Callable[[], Any]] = {
            "copy": lambda: saver.copy_thread("t", "copy"),
            "prune": lambda: saver.prune(["t"], strategy="keep_answered"),
            "release": lambda: saver.release(*doubted[:3], [doubted.interrupt_id]),
            "answer": lambda: graph.invoke(Command(resume=still_open), CONFIG),
            "update": lambda: graph.update_state(CONFIG, {"log": ["by hand"]}, as_node="work"),
            "list": lambda: list(saver.list(CONFIG)),
            "state of it": lambda: graph.get_state(first),
            "history": GraphThread(graph, "t").history,
        }
        with pytest.raises(StoreError, match=rf"threads\.sqlite, thread 't'.*{ADVICE}"):
            calls[call]()


@pytest.mark.filterwarnings("ignore")
def test_a_bundle_with_a_wrong_part_is_refused_or_data() -> None:
    """The hash is right: somebody has made it anew."""
    saver, source = InMemorySaver(), random.Random(6)
    fill(saver)
    bundle = export_thread(saver, "t")
    count = 0
    for _ in range(150):
        wrong = deepcopy(bundle)
        kind = source.choice(("checkpoints", "writes", "questions", "once"))
        entry = source.choice(wrong[kind])
        field = source.choice([*entry])
        entry[field] = source.choice([*changed(entry[field])])
        try:
            wrong["sha256"] = _hash(wrong)
        except BundleError:
            continue
        target = InMemorySaver()
        try:
            import_thread(target, wrong)
        except BundleError:
            count += 1
            assert not target.threads()
            continue
        graph = graph_on(target)
        for call in (
            lambda graph=graph: graph.get_state(CONFIG, subgraphs=True),
            lambda graph=graph: [*graph.get_state_history(CONFIG)],
            lambda target=target: export_thread(target, "t"),
            lambda graph=graph: graph.invoke(None, CONFIG),
        ):
            is_data(call)
    assert count
