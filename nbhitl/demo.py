"""`nbhitl demo`: the graph of the first notebook, run in a terminal. A test keeps the two graphs the same."""

from __future__ import annotations

import operator
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from nbhitl import ask
from nbhitl.checkpoint.memory import InMemorySaver
from nbhitl.graph import END, START, StateGraph
from nbhitl.types import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["build_graph", "run_demo"]

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
        cursor = db.execute(f"{statement} RETURNING *")
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
    return Command(goto="run_sql", update={"statement": answer.args["statement"]})


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
