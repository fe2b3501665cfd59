"""No statement reads a table from end to end: what is asked of a store costs what it gives, not what it keeps."""

from __future__ import annotations

import pytest
from stores import KINDS, opened

from nbhitl.checkpoint import _sql
from nbhitl.checkpoint._once import OnceRow
from nbhitl.checkpoint._row_store import QuestionFilter
from nbhitl.checkpoint._rows import WriteRow
from nbhitl.checkpoint.claims import Question
from nbhitl.checkpoint.postgres import queries as postgresql
from nbhitl.checkpoint.sqlite import queries as sqlite

from .building import NOON, Run, at

THREADS, ASKING_EVERY = 2000, 50
STEP = ("t", "", "c2", "c1", NOON, "c0", 1, 1, 1, b"\xc0", b"\xc0")
FILTERS = [
    QuestionFilter(("open",)),
    QuestionFilter(("open",), node="pay"),
    QuestionFilter(("open",), asked_before=NOON),
    QuestionFilter(("open",), thread_prefix="t01"),
    QuestionFilter(("open",), node="pay", asked_before=NOON, thread_prefix="t01"),
    QuestionFilter(("open",), limit=3),
    *(QuestionFilter((state,)) for state in ("recorded", "delivered", "dropped")),
    QuestionFilter(("recorded", "delivered")),
    QuestionFilter(("delivered",), node="pay"),
    QuestionFilter(("delivered",), asked_before=NOON, limit=3),
    QuestionFilter(("delivered",), thread_prefix="t01"),
    QuestionFilter(("delivered",), node="pay", asked_before=NOON, thread_prefix="t01", limit=3),
    QuestionFilter(("open", "delivered"), thread_prefix="t01", limit=3),
    QuestionFilter(("applied",), thread_prefix="t0101"),
]


def statements() -> dict[str, str]:
    """Every statement that reads, changes or deletes rows, and the queries of `pending()`."""
    about = ("nbhitl_steps", "nbhitl_writes", "nbhitl_questions", "nbhitl_once")
    named = {
        name: sql
        for name, sql in vars(_sql).items()
        if name.isupper() and not name.startswith(("_", "INDEX_"))
    }
    found = {
        name: sql for name, sql in named.items() if isinstance(sql, str) and any(t in sql for t in about)
    }
    found |= {
        f"{name} {n}": sql for name in ("DELETE_THREAD", "DELETE_STEP") for n, sql in enumerate(named[name])
    }
    return found | {str(wanted): _sql.find_questions(wanted)[0] for wanted in FILTERS}


@pytest.fixture(scope="module", params=KINDS)
def filled(request, tmp_path_factory):
    """A store of many threads, a few of which ask."""
    if request.param == "postgres":
        address = request.getfixturevalue("postgres_server").fresh()
    else:
        address = str(tmp_path_factory.mktemp("indexes") / "store.db")
    with opened(address) as saver:
        run = Run(saver, "t")
        run.step({"n": 0})
        row, rows = saver._rows.step("t", "", None), saver._rows
        with rows.atomic("t"):
            for number in range(THREADS):
                thread = f"t{number:05}"
                rows.insert_step(row._replace(thread_id=thread))
                state = "open" if number % ASKING_EVERY == 0 else "applied"
                asked = (
                    thread,
                    "",
                    row.checkpoint_id,
                    "q",
                    "task",
                    "pay",
                    "interrupt",
                    b"\xc0",
                    "",
                    at(number),
                )
                rows.put_questions([Question(*asked, state)])
                rows.add_writes([WriteRow(*asked[:3], "task", 0, "pay", "", "n", b"\xc0")])
                rows.put_once([OnceRow(thread, "mail", "started", None, "ann", NOON)])
        saver.conn.execute("ANALYZE")
        yield saver


def plan(saver, sql: str) -> str:
    """How a statement is done: a line for each part."""
    sql = sql.replace("LIMIT ?", "LIMIT 5")
    values = ["1"] * sql.count("?")
    if "INSERT INTO nbhitl_steps" in sql:
        values[: len(STEP)] = STEP
    if hasattr(saver.conn, "info"):
        return "\n".join(line for (line,) in saver.conn.execute(f"EXPLAIN {sql.replace('?', '%s')}", values))
    return "\n".join(row[3] for row in saver.conn.execute(f"EXPLAIN QUERY PLAN {sql}", values))


def whole_tables(saver, sql: str) -> list[str]:
    """The lines of a statement's plan in which a table of nbhitl's is read from end to end."""
    lines = plan(saver, sql).splitlines()
    if hasattr(saver.conn, "info"):
        return [line for line in lines if "Seq Scan on nbhitl_" in line]
    return [line for line in lines if line.startswith("SCAN") and "nbhitl_" in line and "INDEX" not in line]


@pytest.mark.parametrize("name", statements())
def test_no_statement_reads_a_whole_table(filled, name):
    assert whole_tables(filled, statements()[name]) == []


def test_nor_do_those_of_postgresql(filled):
    if hasattr(filled.conn, "info"):
        for sql in (postgresql.INSERT_IF_QUIET, postgresql.INSERT_LAZILY, postgresql.HOLD_STEPS):
            assert whole_tables(filled, sql) == []


def test_nor_do_those_of_sqlite(filled):
    if not hasattr(filled.conn, "info"):
        own = (sqlite.INSERT_IF_QUIET, sqlite.ASK_BESIDE, sqlite.TAKE_FIRST, sqlite.TAKE_NEXT, sqlite.TAKE)
        for sql in (*own, sqlite.WRITES_BESIDE, sqlite.ANY_LIVE, *sqlite.FORGET.values()):
            assert whole_tables(filled, sql) == []


def midway(name: str) -> bool:
    """Whether a query of `pending()` asks only for what is neither open nor applied."""
    return "state <> 'open'" in statements()[name] and "thread_id >=" not in statements()[name]


@pytest.mark.parametrize("name", [str(wanted) for wanted in FILTERS if midway(str(wanted))])
def test_answers_on_their_way_are_not_sought_among_the_open_questions(filled, name):
    assert "nbhitl_questions_midway" in plan(filled, statements()[name])


def test_it_would_notice(filled):
    assert whole_tables(filled, "SELECT count(*) FROM nbhitl_questions WHERE digest = ?") != []
