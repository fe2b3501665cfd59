"""Any value in any column of a store, put there by somebody else: each call works or raises an error that says where."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from operator import add
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypedDict

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver as ForeignSqlite
from stores import address_of, opened

import nbhitl.errors
from nbhitl import GraphThread, once
from nbhitl.checkpoint.bundle import export_thread
from nbhitl.checkpoint.claims import LIVE
from nbhitl.checkpoint.companion import companion_of
from nbhitl.checkpoint.records import ClaimRequest
from nbhitl.errors import QuestionOpen, StoreError
from nbhitl.graph import START, StateGraph
from nbhitl.types import Command, interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
LONG_AGO = "2026-01-20T12:00:00+00:00"

VALUES = (
    *(None, 7, -1, 2**62, 1.5, float("inf"), "x", "", "nul\0x", "2026-11-20T12:00:00"),
    *(b"", b"\xff\xfe", bytes(16)),
)
NO_TEXT = "CAST(x'ff41' AS TEXT)"
"""SQL for text that is none."""

EVERY_STATE = ("open", "recorded", "delivered", "applied", "dropped")


class State(TypedDict, total=False):
    log: Annotated[list[Any], add]


def mail(state: State) -> State:
    once("mail", lambda: "sent")
    return {"log": [interrupt("first?"), interrupt("second?")]}


def ask(state: State) -> State:
    return {"log": [interrupt("pay?")]}


def work(state: State) -> State:
    return {"log": ["worked"]}


def graph_on(saver: Any) -> Any:
    """Two steps, then five tasks at once: questions of a node and of a child, an effect, and results."""
    child = StateGraph(State).add_node("below", ask).add_edge(START, "below").compile()
    builder = StateGraph(State).add_node("work", work).add_edge(START, "work")
    for name, node in {"mail": mail, "ask": ask, "later": ask, "child": child, "more": work}.items():
        builder.add_node(name, node).add_edge("work", name)
    return builder.compile(checkpointer=saver)


def fill(saver: Any) -> list[Any]:
    """Leave one question in each state that can be left, and return them all."""
    graph = graph_on(saver)
    graph.invoke({"log": ["begun"]}, CONFIG)
    asked = {q.node: q for q in saver.pending()}
    graph.invoke(Command(resume={asked["mail"].interrupt_id: 1}), CONFIG)
    recorded, doubted = asked["later"], asked["ask"]
    saver.record_answer(*recorded[:4], "noted", "ann", LONG_AGO)
    resumes = {doubted.task_id: [[doubted.interrupt_id, doubted.digest, 5]]}
    saver.claim(
        ClaimRequest(
            *doubted[:3],
            answers={doubted.interrupt_id: 5},
            by="bob",
            at=LONG_AGO,
            owner="gone",
            lease=3.0,
            resumes=resumes,
        )
    )
    found: list[Any] = saver.pending(states=EVERY_STATE)
    assert {q.state for q in found} == {"open", "recorded", "delivered", "applied"}
    return found


class Store(NamedTuple):
    """What is called on a store, and the questions that were asked before somebody changed it."""

    saver: Any
    asked: list[Any]

    def readings(self) -> list[Callable[[], Any]]:
        saver, graph = self.saver, graph_on(self.saver)
        thread = GraphThread(graph, "t")
        return [
            lambda: graph.get_state(CONFIG, subgraphs=True),
            lambda: list(graph.get_state_history(CONFIG)),
            lambda: list(graph.get_state_history(CONFIG, limit=1, filter={"step": 0})),
            lambda: list(saver.list(None)),
            lambda: list(saver.outline("t", "")),
            saver.pending,
            lambda: saver.pending(states=EVERY_STATE),
            lambda: saver.pending(node="ask", asked_before="2050-01-01", states=LIVE),
            saver.threads,
            lambda: saver.claims("t"),
            lambda: saver.once_entries("t"),
            lambda: [saver.delivered(*q[:3]) for q in self.asked],
            lambda: [saver.answers_at(*q[:3]) for q in self.asked],
            lambda: export_thread(saver, "t"),
            lambda: thread.questions,
            lambda: [card.waited() for card in thread.questions],
            thread.history,
            thread.decisions,
            lambda: thread.decisions(ids=True),
            thread.writes,
            lambda: thread.result,
        ]

    def changes(self) -> list[Callable[[], Any]]:
        saver, graph = self.saver, graph_on(self.saver)
        doubted = self.of_state("delivered")
        still_open = {q.interrupt_id: "yes" for q in self.asked if q.state == "open"}
        noted = {self.of_state("recorded").interrupt_id: "noted"}
        place, ids = doubted[:3], [doubted.interrupt_id]
        return [
            lambda: graph.invoke(Command(resume=still_open), CONFIG),
            lambda: graph.invoke(Command(resume=noted), CONFIG),
            lambda: graph.invoke(Command(resume={doubted.interrupt_id: 6}), CONFIG),
            lambda: graph.invoke(None, CONFIG),
            lambda: graph.invoke({"log": ["anew"]}, CONFIG),
            lambda: graph.update_state(CONFIG, {"log": ["by hand"]}, as_node="work"),
            lambda: saver.prune(["t"]),
            lambda: saver.prune(["t"], strategy="keep_answered"),
            lambda: saver.prune_older(timedelta(0)),
            lambda: saver.copy_thread("t", "copy"),
            lambda: saver.renew(*place, ids, owner="gone", at=LONG_AGO, lease=3.0),
            lambda: saver.release(*place, ids),
            lambda: [saver.drop(*q[:3], [q.interrupt_id]) for q in self.asked],
            lambda: saver.settle_once("t", "mail", "again"),
            lambda: [card.answer("yes") for card in GraphThread(graph, "t").questions[:1]],
            lambda: saver.delete_thread("t"),
        ]

    def of_state(self, state: str) -> Any:
        return next(q for q in self.asked if q.state == state)


class Tables:
    """Tables that are changed, and as they were again for the next call."""

    def __init__(self, address: str) -> None:
        self.address = address
        with opened(address) as saver:
            self.asked = fill(saver)
        self.keep()

    def keep(self) -> None:
        """Keep a copy of what is there."""
        self.kept = f"{self.address}.kept"
        with closing(sqlite3.connect(self.address)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self.address, self.kept)

    def restore(self) -> None:
        shutil.copy(self.kept, self.address)

    @contextmanager
    def sql(self) -> Iterator[Any]:
        with closing(sqlite3.connect(self.address)) as conn, conn:
            yield conn

    def columns(self) -> list[tuple[str, str]]:
        query = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'"
        with self.sql() as conn:
            found: list[tuple[str, str]] = conn.execute(query).fetchall()
        return found

    def change(self, table: str, column: str, value: Any, *, one: bool) -> bool:
        """Put a value into a column of all rows, or of the last; return whether the database takes it."""
        last = f" WHERE rowid = (SELECT max(rowid) FROM {table})" if one else ""
        try:
            with self.sql() as conn:
                if value is NO_TEXT:
                    conn.execute(f'UPDATE {table} SET "{column}" = {NO_TEXT}{last}')
                else:
                    conn.execute(f'UPDATE {table} SET "{column}" = ?{last}', (value,))
        except sqlite3.IntegrityError:
            return False
        return True

    @contextmanager
    def store(self) -> Iterator[Store]:
        with opened(self.address) as saver:
            yield Store(saver, self.asked)


class PostgresTables(Tables):
    """As `Tables`; what does not have a column's type cannot be put there."""

    def keep(self) -> None:
        self.tables = sorted({table for table, _ in self.columns()})
        with self.sql() as conn:
            for table in self.tables:
                conn.execute(f"CREATE TABLE kept_{table} AS TABLE {table}")

    def restore(self) -> None:
        with self.sql() as conn:
            for table in self.tables:
                copied = f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM kept_{table}"
                conn.execute(f"TRUNCATE {table}; {copied}")

    @contextmanager
    def sql(self) -> Iterator[Any]:
        with opened(self.address) as saver:
            yield saver.conn

    def columns(self) -> list[tuple[str, str]]:
        query = (
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_name LIKE 'nbhitl%' AND column_name <> 'rowid' AND table_schema = current_schema()"
        )
        with self.sql() as conn:
            found: list[tuple[str, str]] = conn.execute(query).fetchall()
        return found

    def change(self, table: str, column: str, value: Any, *, one: bool) -> bool:
        import psycopg

        last = f" WHERE ctid = (SELECT max(ctid) FROM {table})" if one else ""
        with self.sql() as conn:
            try:
                conn.execute(f'UPDATE {table} SET "{column}" = %s{last}', (value,))
            except (psycopg.Error, UnicodeError):
                return False
        return True


def is_told(call: Callable[[], Any]) -> bool:
    """Call; return whether it was refused, in words."""
    try:
        call()
    except Exception as error:
        if type(error).__module__ != nbhitl.errors.__name__:
            raise
        return True
    return False


def use(tables: Tables, place: tuple[str, str], value: Any, one: bool, numbers: Iterable[int]) -> int:
    """Change a column, read everything and do those of `Store.changes`; return how many calls were refused."""
    refused = 0
    for number in numbers:
        tables.restore()
        if not tables.change(*place, value, one=one):
            break
        with tables.store() as store:
            refused += sum(is_told(call) for call in [*store.readings(), store.changes()[number]])
    return refused


def tables_of(kind: str, request: Any) -> Tables:
    address = address_of(kind, request)
    return PostgresTables(address) if kind == "postgres" else Tables(address)


def reads_as_before(tables: Tables) -> bool:
    tables.restore()
    with tables.store() as store:
        return not any(
            map(is_told, store.readings()[:-1])
        )  # the last is the result, of a thread that is paused


ALL = range(16)
EVERYDAY = {"sqlite": 60, "postgres": 12}


@pytest.mark.parametrize("kind", EVERYDAY)
@pytest.mark.filterwarnings("ignore")
def test_what_stands_in_a_column_is_data_or_an_error(kind: str, request: Any) -> None:
    tables, source = tables_of(kind, request), random.Random(10)
    places, refused = tables.columns(), 0
    for _ in range(EVERYDAY[kind]):
        place, value, one = source.choice(places), source.choice((*VALUES, NO_TEXT)), source.random() < 0.5
        refused += use(tables, place, value, one, [source.choice(ALL)])
    assert refused
    assert reads_as_before(tables)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", EVERYDAY)
@pytest.mark.filterwarnings("ignore")
def test_each_value_in_each_column_is_data_or_an_error(kind: str, request: Any) -> None:
    tables, source = tables_of(kind, request), random.Random(11)
    for place in tables.columns():
        for value in (*VALUES, NO_TEXT):
            for one in (True, False):
                use(tables, place, value, one, [source.choice(ALL)])
    assert reads_as_before(tables)


def test_every_change_is_tried(tmp_path: Path) -> None:
    tables = Tables(str(tmp_path / "threads.sqlite"))
    with tables.store() as store:
        assert len(store.changes()) == len(ALL)


WRONG = [
    ("nbhitl_steps", "body", "x", "holds text and can hold only bytes"),
    ("nbhitl_steps", "depth", "x", "holds text and can hold only an integer"),
    ("nbhitl_steps", "created_at", b"x", "holds bytes and can hold only text"),
    ("nbhitl_steps", "parent_id", 7, "holds an integer and can hold only text or bytes or NULL"),
    ("nbhitl_writes", "idx", 1.5, "holds a real number and can hold only an integer"),
    ("nbhitl_writes", "value", 7, "holds an integer and can hold only bytes"),
]


@pytest.mark.parametrize(("table", "column", "value", "told"), WRONG)
def test_who_reads_it_is_told_file_thread_column_and_what_to_do(
    tmp_path: Path, table: str, column: str, value: Any, told: str
) -> None:
    tables = Tables(str(tmp_path / "threads.sqlite"))
    assert tables.change(table, column, value, one=column == "idx")
    wanted = rf"threads\.sqlite, thread 't': column {column} of table {table} {told}.*delete_thread\('t'\)"
    with tables.store() as store:
        for read in (
            lambda: graph_on(store.saver).get_state(CONFIG),
            lambda: export_thread(store.saver, "t"),
        ):
            with pytest.raises(StoreError, match=wanted):
                read()
        store.saver.delete_thread("t")
        assert graph_on(store.saver).invoke({"log": ["anew"]}, CONFIG)["log"][0] == "anew"


@pytest.mark.parametrize("version", [1.5, "x", -1, b"x"], ids=repr)
def test_a_version_that_is_none_is_told(tmp_path: Path, version: Any) -> None:
    tables = Tables(str(tmp_path / "threads.sqlite"))
    assert tables.change("nbhitl_schema", "version", version, one=False)
    told = rf"threads\.sqlite: .*{re.escape(repr(version))}, which is none"
    with pytest.raises(StoreError, match=told), tables.store() as store:
        store.saver.threads()


@pytest.mark.parametrize("kind", EVERYDAY)
@pytest.mark.parametrize(("state", "column"), [("delivered", "lease_until"), ("recorded", "at")])
def test_a_claim_whose_time_is_none_is_told(kind: str, state: str, column: str, request: Any) -> None:
    tables = tables_of(kind, request)
    tables.change("nbhitl_questions", column, "noon", one=False)
    with tables.store() as store:
        asked = store.of_state(state)
        answers, about = {asked.interrupt_id: "noted"}, {"by": "cy", "at": LONG_AGO, "owner": "kernel"}
        claim = ClaimRequest(*asked[:3], answers=answers, lease=30.0, resumes={}, **about)
        with pytest.raises(StoreError, match=r"thread 't'.*no readable time \('noon'\)"):
            store.saver.claim(claim)
        if state == "delivered":
            with pytest.raises(StoreError, match=r"thread 't'.*no readable time \('noon'\)"):
                graph_on(store.saver).invoke(None, CONFIG)
        store.saver.release(*asked[:3], [asked.interrupt_id])
        assert [made.by for made in store.saver.claim(claim)] == ["cy"]


class Beside(Tables):
    """The tables that are kept beside a file of LangGraph's saver."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "threads.sqlite"
        self.address = f"{self.file}.nbhitl"
        with ForeignSqlite.from_conn_string(str(self.file)) as saver:
            thread = GraphThread(graph_on(saver), "t")
            with suppress(QuestionOpen):
                thread.run({"log": ["begun"]})
            next(card for card in thread.questions if card.node == "mail").answer(1)

    def copied(self, name: str) -> Beside:
        """A copy: the connection to the tables beside a saver is open as long as the saver lives."""
        copy = object.__new__(Beside)
        copy.folder = self.folder / name
        copy.folder.mkdir()
        copy.file = copy.folder / self.file.name
        copy.address = f"{copy.file}.nbhitl"
        for before, after in ((self.file, copy.file), (self.address, copy.address)):
            with closing(sqlite3.connect(before)) as old, closing(sqlite3.connect(after)) as new:
                old.backup(new)
        return copy

    def uses(self) -> list[bool]:
        """Read and change what can be; return which of it was refused."""
        with ForeignSqlite.from_conn_string(str(self.file)) as saver:
            graph = graph_on(saver)
            thread = GraphThread(graph, "t")
            return [
                *map(is_told, (lambda: thread.questions, thread.decisions, thread.history)),
                is_told(lambda: companion_of(saver).once_entries("t")),
                is_told(lambda: [card.answer("yes") for card in thread.questions[:1]]),
                is_told(lambda: graph.invoke({"log": ["anew"]}, CONFIG)),
            ]


def test_so_it_is_beside_a_saver_of_langgraphs(tmp_path: Path) -> None:
    beside, source = Beside(tmp_path), random.Random(10)
    assert not any(beside.copied("sound").uses())
    places = [place for place in beside.columns() if place[0] in ("nbhitl_questions", "nbhitl_once")]
    refused = 0
    for number, place in enumerate(source.sample(places, 12)):
        copy = beside.copied(str(number))
        if copy.change(*place, source.choice((7, "x", b"\xff\xfe", NO_TEXT)), one=number % 2 == 0):
            refused += any(copy.uses())
    assert refused
