"""`nbhitl demo`: the graph of the first notebook, run in a terminal. A test keeps the two graphs the same."""

from __future__ import annotations

import operator
import sqlite3
import sys
from contextlib import closing, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.data import penguins_database
from nbhitl.errors import ScriptError
from nbhitl.graph import END, START, StateGraph
from nbhitl.review.ask import ask
from nbhitl.script import answers, approve, edit, reject
from nbhitl.terminal import review as ask_in_terminal
from nbhitl.thread import GraphThread
from nbhitl.types import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbhitl.review.decisions import Decision

__all__ = ["build_graph", "parse_answer", "run_demo"]

GOAL = "Make the penguins ready for a comparison of body mass"


class State(TypedDict):
    """What the graph knows: the goal, the file to work on, the statement, and what was done."""

    goal: str
    database: str
    statement: str
    log: Annotated[list[str], operator.add]


def propose(state: State) -> dict[str, Any]:
    """Stand in for a language model: what it would say is written down here."""
    statement = "DELETE FROM penguins WHERE sex IS NULL"
    return {"statement": statement, "log": [f"proposed: {statement}"]}


def touched(database: str, statement: str) -> dict[str, Any]:
    """Return the rows that a DELETE would touch; the transaction is never committed."""
    with closing(sqlite3.connect(database)) as db:
        cursor = db.execute(f"{statement} RETURNING id, species, island, sex, body_mass_g, year")
        columns = [column[0] for column in cursor.description]
        return {"columns": columns, "rows": [list(row) for row in cursor]}


def review(state: State) -> Command[Literal["run_sql", "keep_rows"]]:
    """Ask a person, and go where the answer says."""
    answer = ask(
        "Run this statement?",
        action="run_sql",
        args={"statement": state["statement"]},
        table=touched(state["database"], state["statement"]),
    )
    if answer.rejected:
        return Command(goto="keep_rows", update={"log": [f"rejected: {answer.reason}"]})
    return Command(goto="run_sql", update={"statement": answer.args["statement"]})  # type: ignore[index]


def run_sql(state: State) -> dict[str, Any]:
    """Run the statement that a person approved."""
    with closing(sqlite3.connect(state["database"])) as db, db:
        count = db.execute(state["statement"]).rowcount
    return {"log": [f"deleted {count} rows"]}


def keep_rows(state: State) -> dict[str, Any]:
    """Leave the table as it is."""
    return {"log": ["kept every row"]}


def build_graph() -> Any:
    """Return the compiled graph: propose, review, then run_sql or keep_rows."""
    builder = StateGraph(State)
    builder.add_node(propose)
    builder.add_node(review)
    builder.add_node(run_sql)
    builder.add_node(keep_rows)
    builder.add_edge(START, "propose")
    builder.add_edge("propose", "review")
    builder.add_edge("run_sql", END)
    builder.add_edge("keep_rows", END)
    return builder.compile(checkpointer=InMemorySaver())


def parse_answer(text: str) -> Decision:
    """Return the decision that an `--answers` text spells.

    >>> parse_answer("reject: too many rows").reason
    'too many rows'

    Raises:
        ValueError: it spells none.
    """
    kind, _, rest = (part.strip() for part in text.partition(":"))
    if kind == "approve" and not rest:
        return approve()
    if kind == "edit" and rest:
        return edit(statement=rest)
    if kind == "reject":
        return reject(rest or None)
    raise ValueError(f"{text!r} is no answer; it must be approve, edit:NEW STATEMENT or reject:REASON.")


def run_demo(texts: Sequence[str] | None = None) -> int:
    """Run the graph in this terminal and return an exit code.

    0: it came to its end. 1: a question stayed open, the answers did not fit the questions, or the statement
    failed. 2: `texts` (what `--answers` gave; None asks at a prompt) has something that is no answer.
    """
    try:
        scripted = [parse_answer(text) for text in texts or ()]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="nbhitl-") as folder:
        database = penguins_database(Path(folder) / "penguins.db")
        thread = GraphThread(build_graph(), "demo")
        task = {"goal": GOAL, "database": str(database)}
        print(f"An agent works on a database of {_count(database)} penguins. Its goal: {GOAL}.\n")
        try:
            finished = _run_scripted(thread, task, scripted) if scripted else _run_asking(thread, task)
        except (ScriptError, sqlite3.Error) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            return 1
        if not finished:
            return 1
        print("\nWhat happened:\n")
        print(thread.history()[["ran", "changed", "next", "question", "answer"]].to_string())
        print(f"\n{'; '.join(thread.result['log'])}. The database now has {_count(database)} penguins.")
        return 0


def _run_scripted(thread: GraphThread, task: dict[str, str], decisions: Sequence[Decision]) -> bool:
    print(f"{thread.draw()}\n")
    with answers(decisions):
        thread.run(task)
    return True


def _run_asking(thread: GraphThread, task: dict[str, str]) -> bool:
    with redirect_stdout(StringIO()):
        thread.run(task)  # it prints the card, which the prompt below prints again
    print(f"{thread.draw()}\n")
    return ask_in_terminal(thread)


def _count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as db:
        return int(db.execute("SELECT count(*) FROM penguins").fetchone()[0])
